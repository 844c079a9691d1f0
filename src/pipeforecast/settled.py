"""What would have been said at each origin: ranges and choices settled from earlier origins, and from nothing later.

A rule gets the range of its own earlier errors, the model a factor on its spread. ``best rule then`` is the rule that
one would have chosen, and ``auto`` what one would have forecast with: the model, or the rule, or half of each, where
the model's record was worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from pipeforecast.backtest import Backtest, Key
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.rules import NEVER_ALONE
from pipeforecast.scores import crps_draws
from pipeforecast.spread import multiplied, multipliers, normal_score, spread_factor, widened

MODEL = "model"
BEST_RULE = "best rule then"
AUTO = "auto"
#: A rule's range needs so many earlier errors, and so does the choice of the best one.
FEWEST_ERRORS = 3
#: The model gives way only after so many periods, and only where they differ by more than this many standard errors.
_FEWEST_PERIODS, _BEYOND = 4, 1.0
_LEAST = 1e-9
#: Quantiles at which distributions without draws are compared and mixed.
FINE = np.arange(0.5, 200) / 200
ORIGIN = ["as_of", "period"]
PAST_COLUMNS = [*ORIGIN, "period_end", "day_of_period", "z", "model", "half", "rule"]


@dataclass(frozen=True)
class Settled:
    """A backtest with its ranges and choices.

    Attributes
    ----------
    rows : DataFrame
        The backtest's, the rules with ranges, the model with its spread corrected, and the methods ``best rule then``
        and ``auto``; ``chosen`` says what ``auto`` was.
    draws : mapping of (as_of, period, method) to float array (D,)
        Of the totals of ``model`` and ``auto``.
    past : DataFrame
        One row an origin: ``z`` of the uncorrected model, and the CRPS of ``model``, ``half`` and ``rule``.
    """

    rows: pd.DataFrame
    draws: Mapping[Key, np.ndarray]
    past: pd.DataFrame

    def over_by(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Give the origins whose period was over by the evening of ``as_of``."""
        return over_by(self.past, as_of)


def settled(backtest: Backtest) -> Settled:
    """Settle a backtest, origin by origin in the order of time."""
    rows = with_rule_ranges(backtest.rows)
    rows = pd.concat([rows, chosen_rule(rows)], ignore_index=True)
    rows["chosen"] = ""
    model = rows[(rows["method"] == MODEL).to_numpy()].sort_values("as_of", kind="stable")
    best = rows[((rows["method"] == BEST_RULE) & (rows["level"] == TOTAL)).to_numpy()].set_index(ORIGIN)
    past = pd.DataFrame(columns=PAST_COLUMNS)
    corrected, autos = [], []
    draws: dict[Key, np.ndarray] = {}
    for (day, name), own in model.groupby(ORIGIN, sort=False):
        as_of, period = pd.Timestamp(cast(Any, day)), str(name)
        drawn = backtest.draws.get((as_of, period, MODEL))
        if drawn is None:
            corrected.append(own)
            continue
        rule = best.loc[[(as_of, period)]].iloc[0] if (as_of, period) in best.index else None
        here = _Here(own, np.asarray(drawn, dtype="float64"), rule)
        before = over_by(past, as_of)
        model_rows, cells = here.corrected(spread_factor(before, here.day))
        weight = chosen_weight(before) if rule is not None else 1.0
        auto_rows, auto_cells = here.mixed(model_rows, cells, weight)
        corrected.append(model_rows)
        autos.append(auto_rows)
        draws |= {(as_of, period, MODEL): cells[0], (as_of, period, AUTO): auto_cells[0]}
        past = pd.concat([past if len(past) else None, here.record(as_of, period, cells[0])], ignore_index=True)
    others = rows[(rows["method"] != MODEL).to_numpy()]
    return Settled(pd.concat([*corrected, others, *autos], ignore_index=True), draws, past)


@dataclass(frozen=True)
class _Here:
    """The model's rows at one origin, the total first, their draws (cells, D), and the rule chosen there."""

    rows: pd.DataFrame
    draws: np.ndarray
    rule: pd.Series | None

    @property
    def day(self) -> int:
        return int(self.rows["day_of_period"].iloc[0])

    @property
    def won(self) -> np.ndarray:
        return np.asarray(self.rows["won"].to_numpy(dtype="float64")[: len(self.draws)])

    def corrected(self, factor: float) -> tuple[pd.DataFrame, np.ndarray]:
        """Rows and draws of the model with its spread corrected."""
        if factor == 1.0:
            return self.rows, self.draws
        return self._moved(self.rows, self.draws, widened(self.draws[0], float(self.won[0]), factor), 1.0)

    def mixed(self, rows: pd.DataFrame, draws: np.ndarray, weight: float) -> tuple[pd.DataFrame, np.ndarray]:
        """Rows and draws of ``auto``: ``weight`` of the model and the rest of the rule, quantile by quantile."""
        if weight == 1.0 or self.rule is None:
            return rows.assign(method=AUTO, chosen=MODEL), draws
        wanted = mixed_total(draws[0], self.rule, weight)
        mean, won = float(rows["mean"].iloc[0]), float(self.won[0])
        wanted_mean = weight * mean + (1 - weight) * float(self.rule["mean"])
        scale = (max(wanted_mean, won) - won) / (mean - won) if mean > won else 1.0
        moved, cells = self._moved(rows, draws, wanted, scale)
        name = str(self.rule["recipe"])
        return moved.assign(method=AUTO, chosen=name if weight == 0.0 else f"{MODEL} and {name}"), cells

    def _moved(
        self, rows: pd.DataFrame, draws: np.ndarray, wanted: np.ndarray, scale: float
    ) -> tuple[pd.DataFrame, np.ndarray]:
        won = self.won
        cells = multiplied(draws, won, multipliers(draws[0], float(won[0]), wanted))
        n, known = len(cells), rows[list(QUANTILES)].to_numpy(dtype="float64").copy()
        known[:n] = np.quantile(cells, list(QUANTILES.values()), axis=1).T
        out = rows.assign(**dict(zip(QUANTILES, known.T, strict=True)))
        if scale != 1.0:
            mean = rows["mean"].to_numpy(dtype="float64").copy()
            mean[:n] = won + (mean[:n] - won) * scale
            out["mean"] = mean
        return out, cells

    def record(self, as_of: pd.Timestamp, period: str, model: np.ndarray) -> pd.DataFrame:
        """One row of ``past``, from what was known when the period had ended."""
        total = self.rows.iloc[0]
        actual = float(total["actual_as_first_known"])
        half, rule = np.nan, np.nan
        if self.rule is not None and pd.notna(self.rule["p10"]):
            rule = float(crps_draws(quantiles_of(self.rule), actual))
            half = float(crps_draws(mixed_total(model, self.rule, 0.5), actual))
        z = normal_score(self.draws[0], actual)
        values = (as_of, period, total["period_end"], self.day, z, float(crps_draws(model, actual)), half, rule)
        return pd.DataFrame([values], columns=PAST_COLUMNS)


def over_by(past: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Rows of ``past`` that could be judged by the evening of ``as_of``."""
    if past.empty:
        return past
    return past[((past["period_end"] <= as_of) & past["z"].notna()).to_numpy(dtype=bool)]


def chosen_weight(past: pd.DataFrame) -> float:
    """Weight of the model in ``auto``: 1, or a half or 0 where the record says so beyond noise, one vote a period."""
    told = past.dropna(subset=["model", "half", "rule"])
    loss = told.groupby("period")[["model", "half", "rule"]].mean()
    n = len(loss)
    if n < _FEWEST_PERIODS:
        return 1.0
    best, weight = 0.0, 1.0
    for name, share in (("half", 0.5), ("rule", 0.0)):
        gain = (loss["model"] - loss[name]).to_numpy(dtype="float64")
        if gain.mean() > max(best, _BEYOND * gain.std(ddof=1) / np.sqrt(n)):
            best, weight = float(gain.mean()), share
    return weight


def quantiles_of(row: pd.Series) -> np.ndarray:
    """Quantiles at ``FINE`` of a method that gives those of the files alone; cut off beyond the outer ones."""
    return np.asarray(np.interp(FINE, list(QUANTILES.values()), row[list(QUANTILES)].to_numpy(dtype="float64")))


def mixed_total(total: np.ndarray, rule: pd.Series, weight: float) -> np.ndarray:
    """Mix draws (D,) with a rule's range: each draw with the rule's quantile of the same rank."""
    rank = (np.argsort(np.argsort(total, kind="stable"), kind="stable") + 0.5) / len(total)
    of_rule = np.interp(rank, list(QUANTILES.values()), rule[list(QUANTILES)].to_numpy(dtype="float64"))
    return np.asarray(weight * total + (1 - weight) * of_rule)


def is_rule(method: pd.Series) -> pd.Series:
    """Whether each method is a rule (the model, the chosen rule and ``auto`` are none)."""
    return ~method.isin([MODEL, BEST_RULE, AUTO])


def serious_rule(method: pd.Series) -> np.ndarray:
    """Whether each method is a rule that may be the best one."""
    return (is_rule(method) & ~method.isin(NEVER_ALONE)).to_numpy(dtype=bool)


def with_rule_ranges(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each rule the range of its own earlier errors: its forecast × the ratios actual ÷ forecast known by then."""
    out = rows.copy()
    order = out[is_rule(out["method"]).to_numpy()].sort_values("as_of", kind="stable")
    as_of, end = (order[c].to_numpy().astype("datetime64[s]") for c in ("as_of", "period_end"))
    mean = order["mean"].to_numpy(dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(mean > 0, order["actual_as_first_known"].to_numpy(dtype="float64") / mean, np.nan)
    values = np.full((len(order), len(QUANTILES)), np.nan)
    groups = order.groupby(["level", "group", "method", "day_of_period"], sort=False).indices
    for at in groups.values():
        for place in at:
            earlier = ratio[at[(end[at] <= as_of[place]) & ~np.isnan(ratio[at])]]
            if len(earlier) >= FEWEST_ERRORS:
                values[place] = mean[place] * np.quantile(earlier, list(QUANTILES.values()))
    out.loc[order.index, list(QUANTILES)] = values
    return out


def chosen_rule(rows: pd.DataFrame) -> pd.DataFrame:
    """The rule that had the least error over earlier complete periods, on that day of the period.

    The absolute error is taken as a share of what came in the periods for which a rule had an answer: rules that know
    nothing of the oldest periods compete too, and a missing answer is no error of nought.
    """
    rules = rows[serious_rule(rows["method"]) & rows["mean"].notna().to_numpy()]
    if rules.empty:
        return rows.iloc[:0]
    group = rules.groupby(["level", "group", "day_of_period"], sort=False).ngroup().to_numpy()
    method, methods = pd.factorize(rules["method"], sort=True)
    origin, origins = pd.factorize(pd.MultiIndex.from_frame(rules[["as_of", "period_end"]]), sort=True)
    place, shape = (group, origin, method), (int(group.max()) + 1, len(origins), len(methods))
    came = rules["actual_as_first_known"].to_numpy(dtype="float64")
    as_of, end = (origins.get_level_values(i).to_numpy() for i in (0, 1))
    over = (end[None, :] <= as_of[:, None]).astype("float64")  # what each origin (row) could judge
    error, base, told = (_laid_out(place, shape, v, over) for v in ((rules["mean"] - came).abs(), came, 1.0))
    row = np.full(shape, -1)
    row[place] = np.arange(len(rules))
    share = np.where((told >= FEWEST_ERRORS) & (row >= 0), error / np.maximum(base, _LEAST), np.inf)
    best = np.take_along_axis(row, share.argmin(axis=2)[:, :, None], axis=2)[:, :, 0]
    chosen: pd.DataFrame = rules.iloc[best[np.isfinite(share.min(axis=2))]]
    return chosen.assign(method=BEST_RULE)


def _laid_out(
    place: tuple[np.ndarray, ...], shape: tuple[int, ...], values: float | np.ndarray | pd.Series, over: np.ndarray
) -> np.ndarray:
    """Sum values by (group, origin, method) over the origins that each origin could judge."""
    out = np.zeros(shape)
    out[place] = values
    return np.asarray(np.einsum("ts,gsm->gtm", over, out, optimize=True))
