"""The proof: how each method did at past origins, and whether the model beats the rule that one would have chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.backtest import Backtest
from pipeforecast.calibration import reliability
from pipeforecast.evidence import bootstrap_by_group, diebold_mariano
from pipeforecast.findings import Finding
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.scored import ALL_DAYS, scores_of
from pipeforecast.scores import auc, crps_draws, wape
from pipeforecast.settled import AUTO, BEST_RULE, FINE, MODEL, Settled, settled

#: Chances are judged in so many bins, or in fewer where there are few.
_BINS, _FEW_BINS, _FEWEST_FOR_TENTHS = 10, 5, 1000


@dataclass(frozen=True)
class Proof:
    """Scores and their verdict.

    Attributes
    ----------
    rows : DataFrame
        ``backtest.csv`` with the ranges of the rules, and the rule that would have been chosen at each origin.
    scores : DataFrame
        ``backtest_scores.csv``; ``day_of_period`` is −1 for all days together.
    sentence : str
        What the report and the command say first.
    beaten : bool or None
        Whether the model beats the rules; None: cannot tell.
    findings : list of Finding
        What the replay says against trusting the forecast.
    settled : Settled
        What later forecasts may learn from it: spread, and choice of method.
    chances : DataFrame
        The model's chances of deals to be won in the period beside what came true, as of ``calibration.reliability``,
        with all of them as bin 0; without rows where nothing looks at deals.
    evenings : tuple of str
        Names of the origins that it rests on, those that only warm the rules up among them.
    backtest : Backtest or None
        The replay that was scored.
    """

    rows: pd.DataFrame
    scores: pd.DataFrame
    sentence: str
    beaten: bool | None
    findings: list[Finding]
    settled: Settled
    chances: pd.DataFrame = field(default_factory=pd.DataFrame)
    evenings: tuple[str, ...] = ()
    backtest: Backtest | None = None


def prove(backtest: Backtest, since: pd.Timestamp | None = None, level: float = 0.9) -> Proof:
    """Score a backtest.

    Parameters
    ----------
    backtest : Backtest
        Earlier origins than ``since`` only warm the rules up: they give them errors to learn their ranges from.
    since : Timestamp, optional
        First origin that is scored.
    level : float
        Of the intervals of the skill.
    """
    found = settled(backtest)
    rows = found.rows.assign(crps=_crps(found))
    if since is not None:
        rows = rows[(rows["as_of"] >= since).to_numpy()].reset_index(drop=True)
    scores = scores_of(rows, level)
    sentence, beaten = _verdict(rows, scores, level)
    found_of_deals = list(_ranking(backtest.deals))
    return Proof(
        rows.drop(columns="crps"), scores, sentence, beaten, found_of_deals, found, _chances(backtest.deals),
        backtest=backtest,
    )  # fmt: skip


def _chances(deals: pd.DataFrame) -> pd.DataFrame:
    """Set chances beside outcomes, in bins of equal count; a deal in a period is one observation."""
    own = deals[(deals["method"] == MODEL).to_numpy(dtype=bool)]
    bins = _BINS if len(own) >= _FEWEST_FOR_TENTHS else _FEW_BINS
    group = own["period"].astype(str) + " " + own["deal"].astype(str)
    won, p = ((own["cause"] == 1).to_numpy(dtype="float64"), own["p_won"].to_numpy(dtype="float64"))
    found = [reliability(won, p.clip(0.0, 1.0), n, group.to_numpy()) for n in (1, bins)]
    return pd.concat([found[0].assign(bin=0), found[1]], ignore_index=True)


def _ranking(deals: pd.DataFrame) -> Iterator[Finding]:
    """Say so where the model cannot tell which of the deals that close are won."""
    closed = deals[((deals["cause"] > 0) & (deals["method"] == MODEL)).to_numpy(dtype=bool)]
    won = (closed["cause"] == 1).to_numpy(dtype="float64")
    if not 0 < won.sum() < len(won):
        return
    share = (closed["p_won"] / (closed["p_won"] + closed["p_lost"]).clip(lower=1e-12)).to_numpy(dtype="float64")

    def ranked(i: np.ndarray) -> float:
        return auc(won[i], share[i]) if 0 < won[i].sum() < len(i) else float("nan")

    found = bootstrap_by_group(ranked, closed["deal"].to_numpy(), draws=200)
    if not found.lower > 0.5:
        yield Finding(
            code="RANKING-NO-BETTER-THAN-BASE-RATE", severity="warning", table="deals", column="", count=len(won),
            examples=(),
            repair="chances to win differ hardly more than the base rate does",
            advice="of the deals that closed in replayed periods, the recorded facts did not tell the won from the "
            f"lost (AUC {found.value:.2f}, 95 % interval {found.lower:.2f} to {found.upper:.2f}; 0.50 is chance): "
            "trust the total, not the order of the deals; record facts that bear on winning",
        )  # fmt: skip


def _crps(found: Settled) -> np.ndarray:
    """CRPS from the draws where there are some, else from the quantiles; NaN for a bare number."""
    rows = found.rows
    out = np.full(len(rows), np.nan)
    quantiles, actual = rows[list(QUANTILES)].to_numpy(dtype="float64"), rows["actual"].to_numpy(dtype="float64")
    known = np.flatnonzero(~np.isnan(quantiles).any(axis=1))
    grid = list(QUANTILES.values())
    # Beyond the outer quantiles the distribution is cut off; the same cut for every method without draws.
    fine = np.array([np.interp(FINE, grid, quantiles[i]) for i in known]).reshape(len(known), len(FINE))
    out[known] = crps_draws(fine, actual[known])
    total = (rows["level"] == TOTAL).to_numpy()
    keys = list(zip(rows["as_of"], rows["period"], rows["method"], strict=True))
    for i in known[total[known]]:
        draws = found.draws.get(keys[i])
        if draws is not None:
            out[i] = crps_draws(draws, actual[i])
    return out


def _verdict(rows: pd.DataFrame, scores: pd.DataFrame, level: float) -> tuple[str, bool | None]:
    """Say in one sentence whether the model beats the rule that one would have chosen; the worst news comes first."""
    total = rows[((rows["level"] == TOTAL) & rows["method"].isin([MODEL, BEST_RULE])).to_numpy()]
    table = total.pivot_table(index=["as_of", "period"], columns="method", values=["crps", "mean", "actual"])
    if table.empty or ("crps", BEST_RULE) not in table or ("crps", MODEL) not in table:
        return "Not yet proven: too few past periods to choose a rule to compare with.", None
    table = table.dropna()
    if table.empty:
        return "Not yet proven: too few past periods to choose a rule to compare with.", None
    hit = (scores["level"] == TOTAL) & (scores["method"] == MODEL) & (scores["day_of_period"] == ALL_DAYS)
    row = scores[hit.to_numpy()].iloc[0]
    n = table.index.get_level_values("period").nunique()
    own, other = (wape(table["actual", m], table["mean", m]) for m in (MODEL, BEST_RULE))
    if pd.isna(row["lower"]):
        said = f"there the model's error was {own:.1%} of revenue, the rule's {other:.1%}"
        return f"Not yet proven: {_periods(n)} cannot tell skill from luck ({said}).", None
    by_period = table["crps"].groupby(level="period", sort=False).mean()
    test = diebold_mariano(by_period[MODEL], by_period[BEST_RULE])
    beaten = True if row["lower"] > 0 else False if row["upper"] < 0 else None
    words = {
        True: "The model beats the rule that one would have chosen",
        False: "The model does NOT beat the rule that one would have chosen",
        None: "It cannot be told yet whether the model beats the rule that one would have chosen",
    }[beaten]
    return (
        f"{words}: over {_periods(n)} and {len(table)} forecasts its error was {own:.1%} of revenue, the rule's "
        f"{other:.1%}; its CRPS was {_lower(row['skill'])} ({level:.0%} interval: {_lower(row['upper'])} to "
        f"{_lower(row['lower'])}; Diebold–Mariano: {test.verdict})."
    ), beaten


def _lower(share: float) -> str:
    """Word a skill: a loss is not a negative gain."""
    return f"{abs(share):.0%} {'lower' if share >= 0 else 'higher'}"


def _periods(n: int) -> str:
    return f"{n} past period{'s' if n != 1 else ''}"


def table_of(scores: pd.DataFrame, methods: Iterable[str] | None = None) -> pd.DataFrame:
    """One table that a person can read: WAPE by method and day of the period; ``auto`` where it was not the model."""
    total = scores[((scores["level"] == TOTAL) & (scores["day_of_period"] >= 0)).to_numpy()]
    wide = total.pivot_table(index="method", columns="day_of_period", values="wape")
    if methods is not None:
        wide = wide.reindex([m for m in methods if m in wide.index])
    if {AUTO, MODEL} <= set(wide.index) and np.allclose(wide.loc[AUTO], wide.loc[MODEL], equal_nan=True):
        wide = wide.drop(index=AUTO)
    return wide.loc[wide.mean(axis=1).sort_values().index]
