"""What each flag, and each question of a stage, means: how many open deals have it, how often such deals were won."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.audit.criteria import Criteria
from pipeforecast.audit.flags import CRITERIA, FLAGS
from pipeforecast.audit.record import YEAR_COLUMNS
from pipeforecast.findings import Finding

FLAG_COLUMNS = (
    "flag", "title", "open_deals", "at_stake", "share", "win_rate", "lower", "upper", "n", "still_open",
    "win_rate_without", "lower_without", "upper_without", "n_without", "win_rate_same_stage", "cost",
    *YEAR_COLUMNS, "status",
)  # fmt: skip
CRITERIA_COLUMNS = (
    "stage", "question", "column", "open_deals", "at_stake", "win_rate", "lower", "upper", "n", "still_open",
    "win_rate_without", "lower_without", "upper_without", "n_without", "win_rate_same_stage", "status",
)  # fmt: skip
#: What can be said of a flag: its past is known; only today's deals can be judged; the export does not tell at all.
MEASURED, TODAY_ONLY, NOT_AVAILABLE = "measured", "today only", "not available"


def flag_rows(flagged: pd.DataFrame, record: pd.DataFrame, stake: np.ndarray, known: np.ndarray) -> pd.DataFrame:
    """Rows of ``flags.csv``.

    Parameters
    ----------
    flagged : DataFrame of boolean (n, flags)
        Of today's open deals.
    record : DataFrame, index the flags
        As of ``past_record``.
    stake : float array (n,)
        Money at stake of each deal.
    known : bool array (flags,)
        Whether what the flag rests on is known of any deal, today or on a past evening.
    """
    hit = flagged.fillna(False).to_numpy(dtype=bool)
    past = (record["n"] + record["n_without"] + record["still_open"]).to_numpy() > 0
    status = np.select([~known, ~past], [NOT_AVAILABLE, TODAY_ONLY], MEASURED)
    out = record.assign(
        flag=list(FLAGS), title=[f.title for f in FLAGS.values()], open_deals=hit.sum(axis=0),
        at_stake=stake @ hit if len(hit) else 0.0,
        share=hit.mean(axis=0) if len(hit) else np.nan, status=status,
    )  # fmt: skip
    return out[list(FLAG_COLUMNS)].reset_index(drop=True)


def criteria_rows(criteria: Criteria, lacks: pd.DataFrame, record: pd.DataFrame, stake: np.ndarray) -> pd.DataFrame:
    """Rows of ``criteria.csv``: one for each question that a stage asks."""
    hit = lacks.fillna(False).to_numpy(dtype=bool)
    past = (record["n"] + record["n_without"] + record["still_open"]).to_numpy() > 0
    out = record.assign(
        stage=[n.stage for n in criteria.needs], question=[n.name for n in criteria.needs],
        column=[n.question.column for n in criteria.needs],
        open_deals=hit.sum(axis=0) if len(record) else [], at_stake=stake @ hit if len(record) else [],
        status=np.where(past, MEASURED, TODAY_ONLY),
    )  # fmt: skip
    return out[list(CRITERIA_COLUMNS)].reset_index(drop=True)


def flag_findings(flags: pd.DataFrame, has_criteria: bool, is_last: bool) -> list[Finding]:
    """Say which flags cannot be raised, or not be measured, and why."""
    found = []
    for row in flags.to_dict("records"):
        name = str(row["flag"])
        if name == CRITERIA and not has_criteria:
            continue
        rests_on = FLAGS[name].rests_on
        if row["status"] == NOT_AVAILABLE:
            found.append(Finding(
                "FLAG-NOT-AVAILABLE", "info", "deals", "", 1, (name,), "nobody is flagged with it",
                f"it rests on {rests_on}" + ("" if is_last else ", as known on the evening of as_of"),
            ))  # fmt: skip
        elif row["status"] == TODAY_ONLY:
            found.append(Finding(
                "FLAG-NOT-MEASURED", "info", "deals", "", int(row["open_deals"]), (name,),
                "today's deals are flagged; its win rate stays empty",
                f"what it rests on ({rests_on}) is not known of past evenings: track it, or keep dated exports",
            ))  # fmt: skip
    return found
