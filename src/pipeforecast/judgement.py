"""A table of chances judged beside what came true: scores, calibration and money, in total and group by group.

A table has one row per deal and day: ``period``, ``won`` (0, 1) and one column of chances a method; where there are
``deal``, ``day_of_period``, ``stage``, ``segment``, ``owner``, ``listed_amount``, ``expected_amount`` and
``won_amount``, it is judged by these too. Ranges draw periods again, then deals. Owners are people: they are neither
named nor numbered, only the one that is farthest off and their spread are told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.calibration import (
    brier_parts,
    calibration_error,
    equal_count_bins,
    error_by_chance,
    recalibration,
    reliability,
    wilson,
)
from pipeforecast.evidence import Interval, Statistic, bootstrap_periods_and_deals
from pipeforecast.scores import LEAST, auc, average_precision, brier, log_loss, money_ratio

#: Groups of fewer rows are judged together.
FEWEST_ROWS = 200
TOTAL = "later periods"
OTHER = "other"
_FEWEST_FOR_TENTHS = 1000
EVALUATION_COLUMNS = ("model", "split", "score", "value", "lower", "upper", "n")
CALIBRATION_COLUMNS = ("model", "split", "bin", "forecast", "observed", "lower", "upper", "n")
_LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + _LEVEL) / 2)
_BY = ("stage", "segment", "day_of_period")
_PART_SCORES = ("log_loss", "auc", "calibration_slope", "calibration_intercept", "calibration_error", "money_ratio")
_DECILE_SCORES = ("calibration_intercept", "money_ratio")


def evaluated(table: pd.DataFrame, methods: Sequence[str], by_hand: Collection[str] = ()) -> pd.DataFrame:
    """All rows of ``evaluation.csv``: in total, and split by what the table can be split by.

    Parameters
    ----------
    table : DataFrame
    methods : sequence of str
        Columns of chances.
    by_hand : collection of str
        Methods that promise the listed amount; the others promise ``expected_amount``.

    Returns
    -------
    DataFrame
        ``model``, ``split`` (later periods, stage=…, segment=…, day=…, listed amount=decile, owner=worst of n,
        owner=spread of n), ``score``, ``value``, ``lower``, ``upper`` (95 %), ``n`` (rows).
    """
    rows = [scored(table, methods, TOTAL, by_hand=by_hand), _parts_of_brier(table, methods)]
    for split, part in splits_of(table):
        rows.append(scored(part, methods, split, _PART_SCORES, by_hand))
    for split, part in _by_decile(table):
        rows.append(scored(part, methods, split, _DECILE_SCORES, by_hand))
    rows.append(_by_owner(table, methods))
    return pd.concat([r for r in rows if len(r)], ignore_index=True)


def scored(
    table: pd.DataFrame,
    methods: Sequence[str],
    split: str = TOTAL,
    scores: Collection[str] = (),
    by_hand: Collection[str] = (),
) -> pd.DataFrame:
    """Score each method on all rows of ``table``.

    Parameters
    ----------
    table : DataFrame
    methods : sequence of str
    split : str
        What the rows are.
    scores : collection of str
        Which scores; empty: all that the table allows.
    by_hand : collection of str
        As of ``evaluated``.

    Returns
    -------
    DataFrame
        The columns of ``evaluation.csv``. ``calibration_error`` is what goes beyond ``calibration_error_by_chance``,
        which a perfect forecast would show; ``calibration_intercept`` holds the slope at 1 (calibration in the large),
        ``calibration_intercept_joint`` is fitted together with ``calibration_slope``.
    """
    statistics = {
        (method, score): function
        for method in methods
        for score, function in _statistics(table, method, "listed_amount" if method in by_hand else "expected_amount")
        if not scores or score in scores
    }
    errors = [key for key in statistics if key[1] == "calibration_error"]
    found = bootstrap_periods_and_deals(statistics, table["period"], _deals(table), _LEVEL, centred=errors)
    rows = [_row(method, split, score, interval, len(table)) for (method, score), interval in found.items()]
    out = pd.DataFrame(rows, columns=list(EVALUATION_COLUMNS))
    return _less_chance(out, table, methods, keep=not scores)


def calibrated(table: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Rows of ``calibration.csv``: forecast beside what came true, in bins of equal count, in total and by split.

    Ranges are Wilson's with the number of deals that the rows are worth, which is less than they are where drawing
    periods again shows more spread than separate deals would.
    """
    rows = []
    for split, part in [(TOTAL, table), *splits_of(table)]:
        for method in methods:
            found = _reliability(part, part[method].to_numpy(dtype="float64"))
            rows.append(found.assign(model=method, split=split))
    return pd.concat(rows, ignore_index=True)[list(CALIBRATION_COLUMNS)]


def in_words(evaluation: pd.DataFrame, models: Sequence[str]) -> str:
    """Say of each model in one line how well its chances, and the money they promise, came true.

    Parameters
    ----------
    evaluation : DataFrame
        As of ``evaluated``.
    models : sequence of str
        The first is the one whose groups are counted.
    """
    total = evaluation[(evaluation["split"] == TOTAL).to_numpy()]
    ends = total[["value", "lower", "upper"]].to_numpy(dtype="float64")
    table = {(m, s): e for m, s, e in zip(total["model"], total["score"], ends, strict=True)}
    lines = ["Calibration (right: slope 1, intercept 0, error 0, money 1; 95 % ranges draw periods, then deals):"]
    for model in models:
        told = [_worded(table, model, score) for score in ("slope", "intercept", "error", "money")]
        lines.append(f"  {model}: " + ", ".join(told))
    parts = evaluation[(evaluation["model"] == models[0]) & (evaluation["score"] == "calibration_intercept")]
    parts = parts[parts["split"].str.contains("=").to_numpy() & parts["lower"].notna().to_numpy()]
    off = parts[((parts["lower"] > 0) | (parts["upper"] < 0)).to_numpy()]
    if len(parts):
        named = f": {', '.join(off['split'])}" if len(off) else ""
        lines.append(
            f"  {models[0]} by group: {len(off)} of {len(parts)} ranges of the intercept leave out 0 "
            f"(by chance about {len(parts) * (1 - _LEVEL):.0f}){named}"
        )
    return "\n".join(lines)


def _worded(table: Mapping[tuple[str, str], np.ndarray], model: str, name: str) -> str:
    score = "money_ratio" if name == "money" else f"calibration_{name}"
    value, lower, upper = table.get((model, score), np.full(3, np.nan))
    if not np.isfinite(value):
        return f"{name} unknown"
    range_ = f" ({lower:.2f} to {upper:.2f})" if np.isfinite(lower) else " (too few periods for a range)"
    if name == "error":
        return f"{name} {value:.3f} beyond chance"
    return f"{name} {value:.2f}{range_}"


def splits_of(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give groups of at least ``FEWEST_ROWS`` rows, and the rest of each column as one; a column of one group not."""
    for name in _BY:
        if name not in table:
            continue
        group = table[name].astype("object").astype(str)
        count = group.map(group.value_counts())
        group = group.where(count >= FEWEST_ROWS, OTHER)
        if len(set(group)) > 1:
            label = name.removesuffix("_of_period")
            yield from ((f"{label}={value}", part) for value, part in table.groupby(group.to_numpy()))


def _by_decile(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Deals of no amount, and tenths of the others by what is listed."""
    if "listed_amount" not in table or len(table) < _FEWEST_FOR_TENTHS:
        return
    listed = table["listed_amount"].to_numpy(dtype="float64")
    some = listed > 0
    yield from [("listed amount=none", table[~some])] if (~some).sum() >= FEWEST_ROWS else []
    known = table[some]
    number = equal_count_bins(listed[some], 10)
    yield from ((f"listed amount=decile {i + 1}", known[number == i]) for i in np.unique(number))


def _statistics(table: pd.DataFrame, method: str, amount: str) -> Iterator[tuple[str, Statistic]]:
    won, p = table["won"].to_numpy(dtype="float64"), table[method].to_numpy(dtype="float64")
    inside = np.clip(p, LEAST, 1 - LEAST)
    for name, function in (
        ("log_loss", log_loss), ("brier", brier), ("auc", auc), ("average_precision", average_precision),
    ):  # fmt: skip
        yield name, _of(function, won, inside)
    fit = recalibration(won, p)
    yield "calibration_slope", lambda w: recalibration(won, p, w, start=fit).slope
    yield "calibration_intercept", lambda w: recalibration(won, p, w, start=fit).in_the_large
    yield "calibration_intercept_joint", lambda w: recalibration(won, p, w, start=fit).intercept
    yield "calibration_error", lambda w: calibration_error(won, p, weight=w)
    if {"won_amount", amount} <= set(table.columns):
        given_won = table[amount].fillna(0.0).to_numpy(dtype="float64")
        brought = table["won_amount"].to_numpy(dtype="float64")
        yield "money_ratio", lambda w: money_ratio(p, given_won, brought, w)


def _of(function: Callable[..., Any], won: np.ndarray, p: np.ndarray) -> Statistic:
    return lambda w: function(won, p, w)


def _less_chance(found: pd.DataFrame, table: pd.DataFrame, methods: Sequence[str], keep: bool) -> pd.DataFrame:
    """Take off the calibration error what a perfect forecast of the same chances would show."""
    group, more = _group(table), []
    for method in methods:
        at = ((found["model"] == method) & (found["score"] == "calibration_error")).to_numpy()
        if at.any():
            by_chance = error_by_chance(table[method].to_numpy(dtype="float64"), group=group)
            found.loc[at, ["value", "lower", "upper"]] -= by_chance
            row = found[at].iloc[0].to_dict() | {"score": "calibration_error_by_chance", "value": by_chance}
            more.append(row | {"lower": np.nan, "upper": np.nan})
    return pd.concat([found, pd.DataFrame(more)], ignore_index=True) if keep and more else found


def _parts_of_brier(table: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    rows = []
    for method in methods:
        parts = brier_parts(table["won"], np.clip(table[method].to_numpy(dtype="float64"), LEAST, 1 - LEAST))
        rows += [
            _row(method, TOTAL, f"brier_{name}", Interval(value, np.nan, np.nan, 0), len(table))
            for name, value in vars(parts).items()
        ]
    return pd.DataFrame(rows, columns=list(EVALUATION_COLUMNS))


def _by_owner(table: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Intercept of the owner that is farthest off, with a range corrected for their number; and the owners' spread.

    The worst of many owners is off by chance alone: the range is Bonferroni's. The spread is the standard deviation of
    the owners' intercepts beyond what chance explains.
    """
    rows: list[dict[str, Any]] = []
    owners = [t for _, t in table.groupby("owner") if len(t) >= FEWEST_ROWS] if "owner" in table else []
    found = [scored(part, methods, "", ["calibration_intercept"]) for part in owners]
    columns = ["value", "lower", "upper", "n"]
    for i, method in enumerate(methods):
        told = np.array([f[columns].to_numpy(dtype="float64")[i] for f in found]).reshape(-1, 4)
        told = told[np.isfinite(told).all(axis=1) & (told[:, 2] > told[:, 1])]
        n = len(told)
        if n < 2:
            continue
        value, se = told[:, 0], (told[:, 2] - told[:, 1]) / (2 * _Z)
        worst = int(np.argmax(np.abs(value) / se))
        half = NormalDist().inv_cdf(1 - (1 - _LEVEL) / (2 * n)) * se[worst]
        far = Interval(float(value[worst]), value[worst] - half, value[worst] + half, n)
        beyond = Interval(float(np.sqrt(max(0.0, value.var(ddof=1) - (se**2).mean()))), np.nan, np.nan, n)
        rows += [
            _row(method, f"owner=worst of {n}", "calibration_intercept", far, int(told[worst, 3])),
            _row(method, f"owner=spread of {n}", "calibration_intercept", beyond, int(told[:, 3].sum())),
        ]
    return pd.DataFrame(rows, columns=list(EVALUATION_COLUMNS))


def _reliability(table: pd.DataFrame, p: np.ndarray) -> pd.DataFrame:
    won, group, number = table["won"].to_numpy(dtype="float64"), _group(table), equal_count_bins(p)
    found = reliability(won, p, group=group)
    shares: Mapping[int, Statistic] = {b: _share_in(won, number == b - 1) for b in found["bin"]}
    drawn = bootstrap_periods_and_deals(shares, table["period"], _deals(table), _LEVEL, draws=100)
    wide = np.array([drawn[b].upper - drawn[b].lower for b in found["bin"]]) / (2 * _Z)
    groups = np.array([len(np.unique(group[number == b - 1])) for b in found["bin"]], dtype=float)
    observed = found["observed"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(wide > 0, observed * (1 - observed) / wide**2, np.inf)
    lower, upper = wilson(observed, np.maximum(np.minimum(groups, worth), 1.0), _LEVEL)
    return found.assign(lower=lower, upper=upper)


def _share_in(won: np.ndarray, inside: np.ndarray) -> Statistic:
    def share(w: np.ndarray) -> np.ndarray:
        mine = w[inside]
        total = mine.sum(axis=0)
        return np.asarray(np.where(total > 0, (won[inside] @ mine) / np.maximum(total, 1.0), np.nan))

    return share


def _deals(table: pd.DataFrame) -> np.ndarray:
    return table["deal"].to_numpy() if "deal" in table else np.arange(len(table))


def _group(table: pd.DataFrame) -> np.ndarray:
    """Number the deals of each period: their rows end alike."""
    return pd.DataFrame({"p": table["period"].to_numpy(), "d": _deals(table)}).groupby(["p", "d"]).ngroup().to_numpy()


def _row(method: str, split: str, score: str, found: Interval, n: int) -> dict[str, Any]:
    return {
        "model": method, "split": split, "score": score, "value": found.value,
        "lower": found.lower, "upper": found.upper, "n": n,
    }  # fmt: skip
