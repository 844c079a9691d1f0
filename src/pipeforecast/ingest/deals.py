"""Today's deals: canonical columns, status, and which rows cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, STATUSES, WON, Kind, typed
from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding, Severity, first_examples
from pipeforecast.ingest.columns import left_out, read_columns
from pipeforecast.ingest.evaluate import Rows
from pipeforecast.ingest.marks import merged_into, say_unmapped_deletions
from pipeforecast.ingest.reading import Reading
from pipeforecast.ingest.refusals import without
from pipeforecast.ingest.sane import enormous_amounts
from pipeforecast.ingest.stages import infer_stages, kinds, without_unknown
from pipeforecast.mapping import kind_of

_UNKNOWN, _LEFT = "unknown", "excluded; listed and still in the tie"


@dataclass(frozen=True)
class DealRows:
    """Every row of the deals' source; ``reason`` says why one is not used.

    ``deals`` has ``status`` and, under ``close_date: dual``, ``close_date`` as it stands in the source.
    """

    deals: pd.DataFrame
    reason: pd.Series
    stages: pd.DataFrame
    source: Rows

    def used(self) -> pd.DataFrame:
        """Give the rows in use, with the deal key as index."""
        return self.deals[self.reason.isna().to_numpy(dtype=bool)].reset_index(drop=True)

    def without_text(self) -> DealRows:
        """Let go of the text of the source, whose name stays."""
        nothing = self.source.frame.iloc[:0]
        nothing.attrs = dict(self.source.frame.attrs)
        return replace(self, source=replace(self.source, frame=nothing))


def read_deals(reading: Reading, stages: pd.DataFrame) -> DealRows:
    """Read the deals' table.

    Raises
    ------
    MissingFileError, DataError
        If the file or a needed column is not there, or values cannot be read as their kind.
    """
    settings = reading.mapping.deals
    frame = reading.cells(settings.files, settings.delimiter, settings.encoding, settings.sheet)
    if frame is None:
        raise reading.source.need(settings.files, "deals")
    rows = Rows(frame, "deals", reading)
    deals = read_columns(rows, settings, "deals")
    if name := without(deals, ("deal_id", "created_at")):
        raise DataError(f"crm {reading.mapping.name!r}: deals need {name!r}; name its column in crm.deals.columns")
    deals = _blank_facts(deals)
    left = left_out(rows, settings)
    unknown = pd.Series(False, index=deals.index)
    if not stages.empty and "stage" in deals:
        unknown = _unknown_stages(rows, deals, stages, left)
        deals["stage"] = deals["stage"].mask(unknown)
    deals["status"] = _status(rows, deals, stages, left, unknown)
    if stages.empty:
        stages = infer_stages(deals, reading)
    _split_close_date(deals, reading)
    reason = _reasons(deals, left, merged_into(rows, deals["deal_id"]), rows)
    say_unmapped_deletions(rows, settings, reason)
    account(rows, len(deals), deals["deal_id"], reason)
    return DealRows(_repaired(deals, reason, rows), reason, stages, rows)


def account(rows: Rows, count: int, ids: pd.Series, reason: pd.Series) -> None:
    """Enter a table's rows into the ledger: those without a reason are used."""
    ledger = rows.reading.ledger
    ledger.came(rows.table, rows.file, count)
    for code in reason.dropna().unique():
        ledger.leave(rows.table, rows.file, ids[reason.eq(code).fillna(False).to_numpy(dtype=bool)], str(code))


def _blank_facts(deals: pd.DataFrame) -> pd.DataFrame:
    kind: Kind = "time"
    for name in ("closed_at", "closed_recorded_at", "modified_at"):
        if name not in deals:
            deals[name] = typed(pd.Series(pd.NaT, index=deals.index), kind)
    if "amount" not in deals:
        deals["amount"] = np.nan
    return deals


def _unknown_stages(rows: Rows, deals: pd.DataFrame, stages: pd.DataFrame, left: pd.Series) -> pd.Series:
    """Tell which rows have a stage that is not in the list; rows that are left out anyway are not looked at."""
    stage = deals["stage"].mask(left)
    known = without_unknown(
        rows.reading, "deals", rows.file, stages, stage, kinds(stages, stage, deals.get("pipeline"))
    )
    return stage.notna() & known.isna()


def _status(rows: Rows, deals: pd.DataFrame, stages: pd.DataFrame, left: pd.Series, unknown: pd.Series) -> pd.Series:
    """Give each row's status; "unknown" where its stage, which would say it, is not known."""
    way = rows.reading.mapping.status
    if way.stage_kind:
        if stages.empty or "stage" not in deals:
            raise DataError("status.stage_kind needs the stages and their kinds: list them under crm.stages")
        return kinds(stages, deals["stage"], deals.get("pipeline")).fillna(OPEN).mask(unknown, _UNKNOWN)
    if way.value is not None:
        status = rows.evaluate(way.value, "text")
    else:
        closed, won = (rows.evaluate(e, "flag").fillna(False) for e in (way.closed, way.won))
        lost = pd.Series("lost", index=deals.index, dtype="string")
        status = lost.mask(won.to_numpy(dtype=bool), WON).mask(~(closed | won).to_numpy(dtype=bool), OPEN)
    wrong = status[(~status.isin(STATUSES) & ~left).to_numpy(dtype=bool)].fillna("(missing)")
    if len(wrong):
        words = wrong.value_counts().index
        advice = "say under crm.status.value.values which words mean open, won and lost"
        rows.reading.refuse(
            DataError(f"{rows.file}: the status {some(words)} is not known; {advice}"),
            Finding("STATUS-UNKNOWN", "error", "deals", "outcome", len(wrong), first_examples(words), _LEFT, advice),
        )
    return status.astype("string").fillna(_UNKNOWN)


def _split_close_date(deals: pd.DataFrame, reading: Reading) -> None:
    """Give a dual close date its one meaning in each row: real where closed, expected where open."""
    closed = (deals["status"] != OPEN).to_numpy(dtype=bool)
    if reading.mapping.close_date == "dual":
        deals["close_date"] = deals["closed_at"]
        deals["expected_close"] = typed(deals["closed_at"].mask(closed), "date")
    deals["closed_at"] = deals["closed_at"].where(closed)
    deals["closed_recorded_at"] = deals["closed_recorded_at"].where(closed)


def _reasons(deals: pd.DataFrame, left: pd.Series, merged: pd.Series, rows: Rows) -> pd.Series:
    """Say why rows cannot be used; later reasons do not overwrite earlier ones."""
    reading = rows.reading
    reason = pd.Series(pd.NA, index=deals.index, dtype="string")

    def exclude(which: pd.Series | np.ndarray, code: str, severity: Severity, advice: str) -> None:
        chosen = np.asarray(which, dtype=bool) & reason.isna().to_numpy(dtype=bool)
        if chosen.any():
            reason[chosen] = code
            note(reading, code, severity, deals["deal_id"][chosen], _LEFT, advice)

    exclude(left, "EXCLUDED-BY-MAPPING", "info", "nothing, if crm.deals.exclude is meant so")
    untold = ~deals["status"].isin(STATUSES) & reason.isna()  # refused, and told of, where the status was read
    reason[untold] = "STAGE-UNKNOWN" if reading.mapping.status.stage_kind else "STATUS-UNKNOWN"
    exclude(deals["deal_id"].isna(), "NO-DEAL-ID", "warning", "give every deal an id")
    exclude(merged, "MERGED-INTO-ANOTHER", "warning", "nothing; the record that it became part of counts alone")
    here = deals[reason.isna().to_numpy(dtype=bool)]
    again = here[here.duplicated("deal_id", keep=False).to_numpy()]
    if len(again):
        equal = again.duplicated(keep="last").reindex(deals.index, fill_value=False)
        exclude(equal, "DUPLICATE-ROW", "warning", "export each deal once")
        order = again.assign(_at=again["modified_at"].fillna(pd.Timestamp(0))).sort_values("_at", kind="stable")
        older = order.duplicated("deal_id", keep="last").reindex(deals.index, fill_value=False)
        exclude(older, "DUPLICATE-ID", "warning", "make ids unique; the row modified last, else the last one, is used")
    closed = (deals["status"] != OPEN).to_numpy(dtype=bool)
    undated = closed & deals["closed_at"].isna().to_numpy() & deals["closed_recorded_at"].isna().to_numpy()
    exclude(undated, "CLOSED-WITHOUT-DATE", "warning", "give closed deals their closing day")
    return reason


def _repaired(deals: pd.DataFrame, reason: pd.Series, rows: Rows) -> pd.DataFrame:
    """Mend what can be mended in the rows in use, each with a finding."""
    reading = rows.reading
    used = reason.isna().to_numpy(dtype=bool)
    closed = (deals["status"] != OPEN).to_numpy(dtype=bool) & used
    ids = deals["deal_id"]

    undated = closed & deals["closed_at"].isna().to_numpy()
    if undated.any():
        deals["closed_at"] = deals["closed_at"].mask(undated, deals["closed_recorded_at"])
        reading.ledger.mend(
            "deals", rows.file, "closed_at", pd.Series("", index=ids.index[undated], dtype="string"),
            "CLOSE-DATE-FROM-RECORD", deals["closed_at"][undated], ids[undated],
        )  # fmt: skip
        note(reading, "CLOSE-DATE-FROM-RECORD", "warning", ids[undated],
             "the day on which it was written as closed is taken", "give closed deals their closing day")  # fmt: skip
    early = closed & (deals["closed_at"].dt.normalize() < deals["created_at"].dt.normalize()).to_numpy(dtype=bool)
    if early.any():
        note(reading, "CLOSED-BEFORE-CREATED", "warning", ids[early],
             "kept; taken as written on the day of creation, never seen open", "check both dates")  # fmt: skip
    negative = used & (deals["amount"] < 0).to_numpy(dtype=bool)
    if negative.any():
        note(reading, "AMOUNT-NEGATIVE", "warning", ids[negative], "kept as it is", "check; credits belong elsewhere")
    enormous = used & enormous_amounts(deals["amount"].where(used))
    if enormous.any():
        note(reading, "AMOUNT-ENORMOUS", "warning", ids[enormous], "kept as it is",
             "check: over a thousand times the usual amount, it outweighs all others", column="amount")  # fmt: skip
    if "probability" in deals:
        deals["probability"] = sane_probability(deals["probability"], ids, rows)
    return deals


def sane_probability(values: pd.Series, ids: pd.Series, rows: Rows) -> pd.Series:
    """Set probabilities outside 0 … 1 missing, with a finding."""
    wrong = ((values < 0) | (values > 1)).to_numpy(dtype=bool)
    reading, table = rows.reading, rows.table if rows.table == "deals" else rows.file
    if wrong.any():
        reading.ledger.mend(
            rows.table, rows.file, "probability", values[wrong], "PROBABILITY-OUT-OF-RANGE", ids=ids[wrong]
        )
        note(reading, "PROBABILITY-OUT-OF-RANGE", "warning", ids[wrong], "set missing",
             "percentages need scale: 0.01 in the mapping", table, "probability")  # fmt: skip
    return values.mask(wrong)


def note(
    reading: Reading, code: str, severity: Severity, ids: pd.Series, repair: str, advice: str,
    table: str = "deals", column: str = "",
) -> None:  # fmt: skip
    """Add a finding about the rows with these ids."""
    reading.findings.append(
        Finding(code, severity, table, column, len(ids), first_examples(ids.fillna("(none)").head(5)), repair, advice)
    )


def finished(deals: pd.DataFrame) -> pd.DataFrame:
    """Cast to the contract's types and drop what only reading needed."""
    out = deals.drop(columns=[c for c in ("close_date", "modified_at") if c in deals])
    if out["closed_recorded_at"].isna().all():
        out = out.drop(columns="closed_recorded_at")
    out["outcome"] = out.pop("status")
    for name in out.columns:
        kind = kind_of("deals", str(name))
        if kind is not None:
            out[name] = typed(out[name], kind)
    return out
