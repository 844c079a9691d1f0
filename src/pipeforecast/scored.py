"""Scores of every method at every level and day of the period, in one pass over the replay's rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.evidence import Interval, bootstrap_by_group
from pipeforecast.forecast import TOTAL
from pipeforecast.scores import interval_score, skill
from pipeforecast.settled import BEST_RULE, ORIGIN, serious_rule

ALL_DAYS = -1
_CELL = ["level", "group", "day_of_period"]
_KEYS = ["level", "group", "day_of_period", "method"]
_RANGES = {"cover50": ("p25", "p75"), "cover80": ("p10", "p90"), "cover95": ("p025", "p975")}
_SCORES = ["n_origins", "n_periods", "wape", "bias", "crps", "interval_score", *_RANGES, "skill", "skill_hindsight"]


def scores_of(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Rows of ``backtest_scores.csv``.

    Parameters
    ----------
    rows : DataFrame
        Of ``backtest.csv``, with ``crps`` (NaN for a bare number).
    level : float
        Of the interval of the skill, which is given for the total alone.
    """
    told = _with_references(pd.concat([rows.assign(day_of_period=ALL_DAYS), rows], ignore_index=True))
    every = pd.MultiIndex.from_frame(told[_KEYS].drop_duplicates())
    told = told[told["mean"].notna().to_numpy()]  # where a rule had no answer it made no error
    table = _aggregated(told).reindex(every)
    table[["n_origins", "n_periods"]] = table[["n_origins", "n_periods"]].fillna(0).astype("int64")
    ends = {
        key: _skill_range(own, level)
        for key, own in told[(told["level"] == TOTAL).to_numpy()].groupby(_KEYS, sort=False)
    }
    none = Interval(np.nan, np.nan, np.nan, 0)
    found = [ends.get(key, none) for key in table.index]
    out = table.assign(lower=[e.lower for e in found], upper=[e.upper for e in found]).reset_index()
    return _in_order(out, rows)[["level", "group", "method", "day_of_period", *_SCORES, "lower", "upper"]]


def _with_references(told: pd.DataFrame) -> pd.DataFrame:
    """Put the CRPS of the rule chosen then, and of the best rule in hindsight, beside each row."""
    at = [*_CELL, *ORIGIN]
    chosen = told[(told["method"] == BEST_RULE).to_numpy()]
    rules = told[serious_rule(told["method"])]
    crps = rules.groupby([*_CELL, "method"], sort=False)["crps"].agg(["mean", "count"]).dropna().reset_index()
    # Only those with an answer as often as any: a rule that is silent where it is hard would look good.
    full = crps[(crps["count"] == crps.groupby(_CELL)["count"].transform("max")).to_numpy()]
    best = full.loc[full.groupby(_CELL)["mean"].idxmin(), [*_CELL, "method"]]
    hindsight = rules.merge(best, on=[*_CELL, "method"])
    for name, other in (("reference", chosen), ("hindsight", hindsight)):
        told = told.merge(other[[*at, "crps"]].rename(columns={"crps": name}), on=at, how="left")
    return told


def _aggregated(told: pd.DataFrame) -> pd.DataFrame:
    actual, mean = told["actual"], told["mean"]
    ranged = told["p10"].notna()
    columns = {
        "error": (mean - actual).abs(), "over": mean - actual, "came": actual, "size": actual.abs(),
        "crps": told["crps"],
        "interval_score": pd.Series(interval_score(told["p10"], told["p90"], actual, 0.8), index=told.index),
        **{name: ((told[lo] <= actual) & (actual <= told[hi])).astype("float64").where(ranged)
           for name, (lo, hi) in _RANGES.items()},
    }  # fmt: skip
    for name in ("reference", "hindsight"):
        both = told[name].notna() & told["crps"].notna()
        columns |= {f"own {name}": told["crps"].where(both), name: told[name].where(both)}
    by = told[_KEYS].assign(period=told["period"], **columns).groupby(_KEYS, sort=False)
    sums, means = by[["error", "over", "came", "size"]].sum(), by[list(columns)].mean()
    some = sums["came"] > 0
    size = sums["size"].where(some & (sums["size"] > 0))
    out = means[["crps", "interval_score", *_RANGES]].assign(
        n_origins=by.size(), n_periods=by["period"].nunique(), wape=sums["error"] / size, bias=sums["over"] / size
    )
    for name, reference in (("skill", "reference"), ("skill_hindsight", "hindsight")):
        other = means[reference].where(means[reference] != 0)
        out[name] = 1.0 - means[f"own {reference}"] / other
    return out


def _skill_range(own: pd.DataFrame, level: float) -> Interval:
    """1 − CRPS ÷ reference's CRPS on the origins that both have; the interval resamples whole periods."""
    both = own[(own["crps"].notna() & own["reference"].notna()).to_numpy()]
    if both.empty:
        return Interval(np.nan, np.nan, np.nan, 0)
    a, b = both["crps"].to_numpy(), both["reference"].to_numpy()
    return bootstrap_by_group(lambda i: skill(a[i].mean(), b[i].mean()), both["period"].to_numpy(), level=level)


def _in_order(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Levels, groups and methods as they first appear; all days together before the single ones."""
    cells = pd.MultiIndex.from_frame(rows[["level", "group"]].drop_duplicates())
    place = cells.get_indexer(pd.MultiIndex.from_frame(table[["level", "group"]]))
    method = pd.Index(rows["method"].unique()).get_indexer(pd.Index(table["method"]))
    order = np.lexsort((method, table["day_of_period"].to_numpy(), place))
    return table.iloc[order].reset_index(drop=True)
