"""The flags: what is wrong with a deal on an evening, what a flag rests on, and what to ask its owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.audit.criteria import Criteria
from pipeforecast.audit.looks import Looks
from pipeforecast.wording import noop, pnoop

#: The flag of deals that moved on without what their stage asks for.
CRITERIA = "criteria_missing"


@dataclass(frozen=True)
class Flag:
    """One thing that may be wrong with a deal.

    Attributes
    ----------
    name, title, question : str
        In the files; in words; and what to ask the deal's owner.
    raised : function of Looks
        Whether each row has it (n,), and where that is known (n,).
    rests_on : str
        What has to be in the export; said where it is not.
    """

    name: str
    title: str
    question: str
    rests_on: str
    raised: Callable[[Looks], tuple[np.ndarray, np.ndarray]]


def _filled(looks: Looks, column: str) -> tuple[pd.Series, np.ndarray]:
    """Give a column and where it can be judged: a column that no deal ever filled says nothing."""
    values, known = looks.fact(column)
    return values, known & bool(values.notna().any())


def _close_date_past(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    due, known = _filled(looks, "expected_close")
    late = (pd.to_datetime(due) < looks.rows["as_of"]).to_numpy(dtype=bool) if known.any() else ~known
    return late, known


def _pushed(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    known = np.full(len(looks.rows), looks.history.roles.get("expected_close") == "tracked")
    return looks.rows["n_pushes"].to_numpy(dtype="float64") >= looks.told.pushes, known


def _long_in_stage(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore"):
        return looks.stage_days > looks.stage_limit, ~np.isnan(looks.stage_limit) & ~np.isnan(looks.stage_days)


def _silent(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    return looks.silent_days > looks.told.silent_days, looks.contact_known


def _no_amount(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    known = _filled(looks, "amount")[1]
    with np.errstate(invalid="ignore"):
        return ~(looks.listed > 0), known


def _no_next_step(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    known = looks.fact("next_step")[1]
    return looks.texts("next_step").isna().to_numpy(), known & bool(looks.texts("next_step").notna().any())


def _moved_back(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    return looks.rows["n_back"].to_numpy(dtype="float64") > 0, _stage_known(looks)


def _skipped(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    return looks.skipped, _stage_known(looks)


def _stage_known(looks: Looks) -> np.ndarray:
    return np.full(len(looks.rows), looks.history.has_stage_history)


def _no_criteria(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    """Know nothing: what stages ask for are settings, and ``flags_of`` is given them."""
    nobody = np.zeros(len(looks.rows), dtype=bool)
    return nobody, nobody


FLAGS: Mapping[str, Flag] = {
    f.name: f
    for f in (
        Flag("close_date_past", noop("close date has passed"),
             noop("Its close date has passed: what is left to do, and by when?"),
             pnoop("finding", "an expected close date"), _close_date_past),
        Flag("pushed", noop("pushed again and again"), noop("What has to happen this time that did not happen before?"),
             pnoop("finding", "the history of the expected close date"), _pushed),
        Flag("long_in_stage", noop("long in its stage"), noop("What keeps it in this stage, and who can move it?"),
             pnoop("finding", "the history of the stage"), _long_in_stage),
        Flag("no_activity", noop("no activity"), noop("When was the last contact, and is the buyer still there?"),
             pnoop("finding", "activities of deals, or the day of the last one"), _silent),
        Flag("no_amount", noop("no amount"), noop("What is it worth, and on what does that rest?"),
             pnoop("finding", "an amount"), _no_amount),
        Flag("no_next_step", noop("no next step"), noop("What is the next step, with whom, and when?"),
             pnoop("finding", "a next step"), _no_next_step),
        Flag(CRITERIA, noop("moved on without what its stage asks for"),
             noop("Does it still qualify: what is not answered yet?"),
             pnoop("finding", "criteria=NAME, or the fields that the CRM's stages require"), _no_criteria),
        Flag("moved_back", noop("moved back"), noop("Why did it move back, and what is different now?"),
             pnoop("finding", "the history of the stage"), _moved_back),
        Flag("stages_skipped", noop("stages skipped"), noop("What did the skipped stage ask for, and is it known?"),
             pnoop("finding", "the history of the stage"), _skipped),
    )
}  # fmt: skip


def flags_of(looks: Looks, criteria: Criteria) -> pd.DataFrame:
    """Raise every flag on every row.

    Returns
    -------
    DataFrame of boolean, rows of ``looks.rows``, one column a flag
        Missing where what a flag rests on was not known that evening.
    """
    out: dict[str, Any] = {}
    for name, flag in FLAGS.items():
        raised, known = criteria.missing(looks) if name == CRITERIA else flag.raised(looks)
        out[name] = pd.arrays.BooleanArray(np.array(raised, dtype=bool), ~known)
    return pd.DataFrame(out, index=looks.rows.index)
