"""The proof: how each method did at past origins, and whether the model beats the rule that one would have chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.backtest import Backtest
from pipeforecast.evidence import Interval, bootstrap_by_group, diebold_mariano
from pipeforecast.findings import Finding
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.rules import NEVER_ALONE
from pipeforecast.scores import auc, bias, coverage, crps_draws, interval_score, skill, wape

MODEL = "model"
BEST_RULE = "best rule then"
#: A rule's range needs so many earlier errors, and so does the choice of the best one.
FEWEST_ERRORS = 3
_ALL_DAYS = -1
_LEAST = 1e-9
_FINE = np.arange(0.5, 200) / 200


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
    """

    rows: pd.DataFrame
    scores: pd.DataFrame
    sentence: str
    beaten: bool | None
    findings: list[Finding]


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
    rows = _with_rule_ranges(backtest.rows)
    rows = pd.concat([rows, _chosen_rule(rows)], ignore_index=True)
    rows["crps"] = _crps(rows, backtest)
    if since is not None:
        rows = rows[(rows["as_of"] >= since).to_numpy()].reset_index(drop=True)
    scores = _scores(rows, level)
    sentence, beaten = _verdict(rows, scores, level)
    return Proof(rows.drop(columns="crps"), scores, sentence, beaten, list(_ranking(backtest.deals)))


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


def is_rule(method: pd.Series) -> pd.Series:
    """Whether each method is a rule (the model and the chosen rule are none)."""
    return ~method.isin([MODEL, BEST_RULE])


def _serious_rule(method: pd.Series) -> np.ndarray:
    """Whether each method is a rule that may be the best one."""
    return (is_rule(method) & ~method.isin(NEVER_ALONE)).to_numpy(dtype=bool)


def _with_rule_ranges(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each rule the range of its own earlier errors: its forecast × the ratios actual ÷ forecast known by then."""
    out = rows.copy()
    rule = is_rule(out["method"]).to_numpy()
    columns = list(QUANTILES)
    for at in out[rule].groupby(["level", "group", "method", "day_of_period"], sort=False).groups.values():
        part = out.loc[at].sort_values("as_of")
        ratios = (part["actual_as_first_known"] / part["mean"].where(part["mean"] > 0)).to_numpy()
        values = np.full((len(part), len(columns)), np.nan)
        for i in range(len(part)):
            earlier = ratios[:i][~np.isnan(ratios[:i])]  # one origin a period: all of them complete by now
            if len(earlier) >= FEWEST_ERRORS:
                values[i] = part["mean"].iloc[i] * np.quantile(earlier, list(QUANTILES.values()))
        out.loc[part.index, columns] = values
    return out


def _chosen_rule(rows: pd.DataFrame) -> pd.DataFrame:
    """The rule that had the least error over earlier complete periods, on that day of the period.

    The absolute error is taken as a share of what came in the periods for which a rule had an answer: rules that know
    nothing of the oldest periods compete too, and a missing answer is no error of nought.
    """
    chosen = []
    rules = rows[_serious_rule(rows["method"]) & rows["mean"].notna().to_numpy()]
    for _, part in rules.groupby(["level", "group", "day_of_period"], sort=False):
        came = part["actual_as_first_known"]
        told = part.assign(error=(part["mean"] - came).abs(), came=came, n=1.0)
        table = told.pivot_table(index="as_of", columns="method", values=["error", "came", "n"]).sort_index()
        before = table.fillna(0.0).cumsum().shift(1)
        share = (before["error"] / before["came"].clip(lower=_LEAST)).where(before["n"] >= FEWEST_ERRORS)
        for day in table.index:
            usable = share.loc[day].where(table.loc[day, "n"].notna()).dropna()
            if len(usable):
                hit = part[((part["as_of"] == day) & (part["method"] == usable.idxmin())).to_numpy()]
                chosen.append(hit.assign(method=BEST_RULE))
    return pd.concat(chosen) if chosen else rows.iloc[:0]


def _crps(rows: pd.DataFrame, backtest: Backtest) -> np.ndarray:
    """CRPS from the draws where there are some, else from the quantiles; NaN for a bare number."""
    out = np.full(len(rows), np.nan)
    quantiles, actual = rows[list(QUANTILES)].to_numpy(dtype="float64"), rows["actual"].to_numpy(dtype="float64")
    known = np.flatnonzero(~np.isnan(quantiles).any(axis=1))
    grid = list(QUANTILES.values())
    # Beyond the outer quantiles the distribution is cut off; the same cut for every method without draws.
    fine = np.array([np.interp(_FINE, grid, quantiles[i]) for i in known]).reshape(len(known), len(_FINE))
    out[known] = crps_draws(fine, actual[known])
    total = (rows["level"] == TOTAL).to_numpy()
    for i in known[total[known]]:
        draws = backtest.draws.get((rows["as_of"].iloc[i], rows["method"].iloc[i]))
        if draws is not None:
            out[i] = crps_draws(draws, actual[i])
    return out


def _scores(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    found = []
    for (lev, group), part in rows.groupby(["level", "group"], sort=False):
        for day in [_ALL_DAYS, *sorted(part["day_of_period"].unique())]:
            on_day = part if day == _ALL_DAYS else part[(part["day_of_period"] == day).to_numpy()]
            reference = on_day[(on_day["method"] == BEST_RULE).to_numpy()].set_index("as_of")
            best = _best_in_hindsight(on_day)
            for method, own in on_day.groupby("method", sort=False):
                found.append({
                    "level": lev, "group": group, "method": method, "day_of_period": day,
                    **_score(own, reference, best, level if lev == TOTAL else None),
                })  # fmt: skip
    return pd.DataFrame(found)


def _best_in_hindsight(rows: pd.DataFrame) -> pd.DataFrame:
    rules = rows[_serious_rule(rows["method"])]
    crps = rules.groupby("method")["crps"].agg(["mean", "count"]).dropna()
    if crps.empty:
        return rules.iloc[:0].set_index("as_of")
    # Only those with an answer as often as any: a rule that is silent where it is hard would look good.
    full = crps[(crps["count"] == crps["count"].max()).to_numpy()]
    best: pd.DataFrame = rules[(rules["method"] == full["mean"].idxmin()).to_numpy()].set_index("as_of")
    return best


def _score(own: pd.DataFrame, reference: pd.DataFrame, best: pd.DataFrame, level: float | None) -> dict[str, float]:
    own = own[own["mean"].notna().to_numpy()]  # where a rule had no answer it made no error
    actual, mean = own["actual"].to_numpy(), own["mean"].to_numpy()
    ranged = own[own["p10"].notna().to_numpy()]
    some = actual.sum() > 0
    out: dict[str, float] = {
        "n_origins": len(own),
        "n_periods": own["period"].nunique(),
        "wape": wape(actual, mean) if some else np.nan,
        "bias": bias(actual, mean) if some else np.nan,
        "crps": float(own["crps"].mean()) if own["crps"].notna().any() else np.nan,
        "interval_score": np.nan,
        "cover50": np.nan, "cover80": np.nan, "cover95": np.nan,
    }  # fmt: skip
    if len(ranged):
        y = ranged["actual"].to_numpy()
        out["interval_score"] = float(np.mean(interval_score(ranged["p10"], ranged["p90"], y, 0.8)))
        for name, low, high in (("cover50", "p25", "p75"), ("cover80", "p10", "p90"), ("cover95", "p025", "p975")):
            out[name] = coverage(ranged[low], ranged[high], y)
    out["skill"] = _skill_against(own, reference, None).value
    out["skill_hindsight"] = _skill_against(own, best, None).value
    interval = _skill_against(own, reference, level)
    return out | {"lower": interval.lower, "upper": interval.upper}


def _skill_against(own: pd.DataFrame, reference: pd.DataFrame, level: float | None) -> Interval:
    """1 − CRPS ÷ reference's CRPS on the origins that both have; the interval resamples whole periods."""
    crps = own.set_index("as_of")["crps"]
    both = crps.to_frame("own").join(reference["crps"].rename("other"), how="inner").dropna()
    if both.empty:
        return Interval(np.nan, np.nan, np.nan, 0)
    a, b = both["own"].to_numpy(), both["other"].to_numpy()
    if level is None:
        return Interval(skill(a.mean(), b.mean()), np.nan, np.nan, 0)
    periods = own.set_index("as_of").loc[both.index, "period"].to_numpy()
    return bootstrap_by_group(lambda i: skill(a[i].mean(), b[i].mean()), periods, level=level)


def _verdict(rows: pd.DataFrame, scores: pd.DataFrame, level: float) -> tuple[str, bool | None]:
    """Say in one sentence whether the model beats the rule that one would have chosen; the worst news comes first."""
    total = rows[((rows["level"] == TOTAL) & rows["method"].isin([MODEL, BEST_RULE])).to_numpy()]
    table = total.pivot_table(index=["as_of", "period"], columns="method", values=["crps", "mean", "actual"])
    if table.empty or ("crps", BEST_RULE) not in table or ("crps", MODEL) not in table:
        return "Not yet proven: too few past periods to choose a rule to compare with.", None
    table = table.dropna()
    if table.empty:
        return "Not yet proven: too few past periods to choose a rule to compare with.", None
    hit = (scores["level"] == TOTAL) & (scores["method"] == MODEL) & (scores["day_of_period"] == _ALL_DAYS)
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
    """One table that a person can read: WAPE by method and day of the period."""
    total = scores[((scores["level"] == TOTAL) & (scores["day_of_period"] >= 0)).to_numpy()]
    wide = total.pivot_table(index="method", columns="day_of_period", values="wape")
    if methods is not None:
        wide = wide.reindex([m for m in methods if m in wide.index])
    return wide.loc[wide.mean(axis=1).sort_values().index]
