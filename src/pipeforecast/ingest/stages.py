"""The stages of each pipeline: their order and whether they are open, won or lost."""

from __future__ import annotations

import pandas as pd

from pipeforecast.contract import OPEN, conform, empty
from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.coded import positions, spread
from pipeforecast.ingest.columns import left_out, read_columns
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.reading import Reading, not_read
from pipeforecast.ingest.refusals import cells, without
from pipeforecast.mapping import StageSettings, TableSettings

STAGE_COLUMNS = ("pipeline", "stage", "position", "kind", "probability", "qualified")


def read_stages(reading: Reading) -> pd.DataFrame:
    """Read the stages from their table if it is there, else from the mapping's list; perhaps no row."""
    settings, frame = reading.mapping.stages, None
    try:
        frame = reading.cells(settings.table.files) if settings.table is not None else None
        if settings.table is not None and frame is not None:
            return _ordered(_from_table(Rows(frame, "stages", reading), settings.table), reading)
    except DataError as error:
        not_read(reading, "stages", error, frame)
    return _ordered(_listed(settings.list), reading)


def _from_table(rows: Rows, settings: TableSettings) -> pd.DataFrame:
    left = left_out(rows, settings)
    nobody = pd.Series(pd.NA, index=rows.frame.index, dtype="string")
    reading = rows.reading
    reading.ledger.came("stages", rows.file, len(rows.frame))
    reading.ledger.leave("stages", rows.file, nobody[left], "EXCLUDED-BY-MAPPING")
    stages = read_columns(rows, settings, "stages")
    if name := without(stages, ("stage", "kind")):
        raise DataError(f"{rows.file}: stages need {name!r}; name its column in crm.stages.table")
    return stages[~left]


def _ordered(stages: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    if stages.empty:
        return _complete(empty("stages"))
    if "position" not in stages:
        stages["position"] = range(1, len(stages) + 1)
    known = stages["kind"].isin(["open", "won", "lost"])
    if not known.all():
        unknown = stages.loc[~known, "kind"].fillna("")
        advice = "expected open, won or lost"
        reading.refuse(
            DataError(f"stages: {some(unknown.unique())} are no kinds; {advice}"),
            Finding(
                "STAGE-KIND-UNKNOWN", "error", "stages", "kind", len(unknown), cells(unknown), "read as open", advice
            ),
        )
        stages["kind"] = stages["kind"].where(known, OPEN)
    return _complete(conform(stages.sort_values("position", kind="stable"), "stages"))


def _listed(stages: tuple[StageSettings, ...]) -> pd.DataFrame:
    frame = pd.DataFrame([s.model_dump() for s in stages])
    return frame.assign(position=range(1, len(frame) + 1)) if len(frame) else frame


def _complete(stages: pd.DataFrame) -> pd.DataFrame:
    blank = empty("stages")
    for name in STAGE_COLUMNS:
        if name not in stages:
            stages[name] = pd.Series([None] * len(stages), index=stages.index, dtype="object").astype(blank[name].dtype)
    others = [c for c in stages if c not in STAGE_COLUMNS]
    return stages[[*STAGE_COLUMNS, *others]].reset_index(drop=True)


def kinds(stages: pd.DataFrame, stage: pd.Series, pipeline: pd.Series | None) -> pd.Series:
    """Give the kind of each stage in ``stage``, missing where the stage is not known in its pipeline."""
    anywhere = stages[stages["pipeline"].isna().to_numpy(dtype=bool)]
    out = _looked_up(stage, anywhere["stage"], anywhere["kind"])
    of_one = stages[stages["pipeline"].notna().to_numpy(dtype=bool)]
    if of_one.empty:
        return out
    if pipeline is None:  # without the deals' pipeline a name must mean the same in all of them
        meant = of_one.groupby("stage")["kind"].nunique()
        same = of_one[of_one["stage"].isin(meant.index[meant == 1])]
        return _looked_up(stage, same["stage"], same["kind"]).fillna(out)
    key = pipeline.astype("string") + "\x1f" + stage.astype("string")
    return _looked_up(key, of_one["pipeline"] + "\x1f" + of_one["stage"], of_one["kind"]).fillna(out)


def _looked_up(names: pd.Series, known: pd.Series, kind: pd.Series) -> pd.Series:
    """Give the kind of each name, missing where the name is not known; of equal names the last counts."""
    last = ~known.duplicated(keep="last").to_numpy()
    return spread(kind[last].astype("string"), positions(names, known[last]), names.index)


def without_unknown(
    reading: Reading, table: str, file: str, stages: pd.DataFrame, stage: pd.Series, kind: pd.Series
) -> pd.Series:
    """Refuse stages that are not in the list, or tell of them and give the column without them.

    Parameters
    ----------
    stage, kind : Series
        A file's stages and their kinds; the index of ``stage`` is each row's place in the file, from 0.

    Raises
    ------
    DataError
        It names the unknown stages, the known ones and the setting.
    """
    wrong = (stage.notna().to_numpy(dtype=bool)) & kind.isna().to_numpy(dtype=bool)
    if not wrong.any():
        return stage
    unknown = stage[wrong]
    names = unknown.value_counts().index  # the commonest first
    advice = (
        "add them to crm.stages, in their order, with kind open, won or lost, or give them their new names with values"
    )
    reading.refuse(
        DataError(
            f"{file}: the stages {some(names)} are not known; known are {some(stages['stage'], 20)}. "
            "Add them to crm.stages, in their order, with kind open, won or lost"
        ),
        Finding("STAGE-UNKNOWN", "error", table, "stage", len(unknown), first_examples(names), "set missing", advice),
    )
    reading.ledger.mend(table, file, "stage", unknown, "STAGE-UNKNOWN")
    return stage.mask(wrong)


def infer_stages(deals: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """List the stages in the order in which they first appear, with a finding: the order is not known."""
    if "stage" not in deals or deals["stage"].isna().all():
        return _complete(empty("stages"))
    seen = deals.dropna(subset=["stage"])
    kind = seen.groupby("stage", sort=False)["status"].agg(lambda s: OPEN if (s == OPEN).any() else s.iloc[0])
    frame = pd.DataFrame({"stage": kind.index, "kind": kind.to_numpy(), "position": range(1, len(kind) + 1)})
    reading.findings.append(
        Finding(
            "STAGES-INFERRED", "warning", "stages", "position", len(frame), first_examples(frame["stage"]),
            "taken in the order in which they first appear", "list them in their order under crm.stages",
        )
    )  # fmt: skip
    return _complete(conform(frame, "stages"))
