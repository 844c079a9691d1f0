"""Whether a candidate takes the champion's place: only where later data say so beyond chance.

Both were refitted at the same past days and judged on the same deals, so that their losses are compared in pairs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pipeforecast.evidence import Interval, bootstrap_periods_and_deals
from pipeforecast.scores import row_log_loss

#: Columns of ``gate.csv``.
GATE_COLUMNS = (
    "candidate", "rival", "candidate_log_loss", "rival_log_loss", "difference", "lower", "upper", "n", "n_periods",
    "n_candidates", "verdict", "moved", "reason",
)  # fmt: skip
_LEVEL = 0.95
_DRAWS = 4000


@dataclass(frozen=True)
class Judgement:
    """What was decided of a candidate, and by which numbers.

    Attributes
    ----------
    candidate, rival : str
        What was compared: kinds, a version, the base rate.
    candidate_log_loss, rival_log_loss, difference : float
        Mean log loss of P(won in the period) on later data; the difference is the candidate's less the rival's.
    lower, upper : float
        Range of the difference, periods drawn again and then deals: 95 % over all candidates that were set against
        this rival, because the luckiest of many looks better than it is.
    n, n_periods : int
        Deals (each on each day) and periods that it rests on.
    n_candidates : int
        Candidates that were set against this rival, this one among them.
    verdict : str
        'better', 'worse', 'cannot tell', 'refresh' (the same recipe, newer data), 'older' (the same, older data).
    moved : bool
        Whether the alias moves.
    reason : str
        The decision in words.
    """

    candidate: str
    rival: str
    candidate_log_loss: float
    rival_log_loss: float
    difference: float
    lower: float
    upper: float
    n: int
    n_periods: int
    n_candidates: int
    verdict: str
    moved: bool
    reason: str

    def rows(self) -> pd.DataFrame:
        """Give the one row of ``gate.csv``."""
        return pd.DataFrame([asdict(self)], columns=list(GATE_COLUMNS))

    def in_words(self) -> str:
        """Give the decision and its numbers in one line."""
        return (
            f"gate: {self.candidate} against {self.rival}: log loss {self.candidate_log_loss:.4f} and "
            f"{self.rival_log_loss:.4f}, difference {self.difference:+.4f} (95 % range{self._of_many()} "
            f"{self.lower:+.4f} to {self.upper:+.4f}, {self.n:,} rows of {self.n_periods} periods): {self.verdict}"
        )

    def _of_many(self) -> str:
        return f" over {self.n_candidates} candidates" if self.n_candidates > 1 else ""


def paired(difference: np.ndarray, period: ArrayLike, deal: ArrayLike, level: float = _LEVEL) -> Interval:
    """Mean of differences (n,) between two losses of the same rows, with its range."""

    def mean(weight: np.ndarray) -> np.ndarray:
        return np.asarray((difference @ weight) / weight.sum(axis=0))

    return bootstrap_periods_and_deals({"mean": mean}, period, deal, level, draws=_DRAWS)["mean"]


def judged(
    table: pd.DataFrame, candidate: np.ndarray, rival: np.ndarray, names: tuple[str, str], n_candidates: int = 1
) -> Judgement:
    """Compare two columns of chances on the rows of ``table`` (``won``, ``period``, ``deal``).

    Parameters
    ----------
    table : DataFrame
    candidate, rival : float arrays (n,)
        P(won in the period).
    names : (candidate, rival)
    n_candidates : int
        How many were set against this rival by now (Bonferroni).

    Returns
    -------
    Judgement
        The alias moves where the whole range lies below 0.
    """
    first, second = row_log_loss(table["won"], candidate), row_log_loss(table["won"], rival)
    found = paired(first - second, table["period"], table["deal"], 1 - (1 - _LEVEL) / n_candidates)
    verdict = "cannot tell"
    if found.upper < 0:
        verdict = "better"
    elif found.lower > 0:
        verdict = "worse"
    reason = {
        "better": f"its log loss is lower than that of {names[1]} beyond chance",
        "worse": f"its log loss is higher than that of {names[1]} beyond chance",
        "cannot tell": f"on these {found.n_groups} periods it cannot be told from {names[1]}",
    }[verdict]
    return Judgement(
        *names, float(first.mean()), float(second.mean()), found.value, found.lower, found.upper,
        len(table), found.n_groups, n_candidates, verdict, verdict == "better", reason,
    )  # fmt: skip


def refreshed(table: pd.DataFrame, candidate: np.ndarray, names: tuple[str, str], newer: bool) -> Judgement:
    """Judge a candidate of the champion's own recipe: what was proven of the one is proven of the other."""
    loss = float(row_log_loss(table["won"], candidate).mean())
    reason = "the same recipe, taught by newer data" if newer else "the same recipe, taught by older data"
    return Judgement(
        *names, loss, loss, 0.0, 0.0, 0.0, len(table), int(table["period"].nunique()), 1,
        "refresh" if newer else "older", newer, reason,
    )  # fmt: skip
