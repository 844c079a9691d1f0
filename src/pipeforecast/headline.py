"""What is said today, given the record: ranges of the rules, the spread of the model, and the method that leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.forecast import QUANTILES, TOTAL, Forecast
from pipeforecast.settled import (
    AUTO,
    FEWEST_ERRORS,
    MODEL,
    Settled,
    chosen_weight,
    mixed_total,
    serious_rule,
)
from pipeforecast.spread import spread_factor, widened, with_total


@dataclass(frozen=True)
class Headline:
    """The forecast that leads, and the model's beside it.

    Attributes
    ----------
    lead : Forecast
        Of the method ``auto`` where the record speaks for the rule or for half of each; else the model's.
    model : Forecast
        With its spread corrected.
    factor : float
        Of the spread; 1 without a record.
    chosen : str
        What leads: ``model``, a rule, or both.
    ranges : DataFrame, index method
        Quantiles of the rules' totals, from their own earlier errors, where there are enough.
    """

    lead: Forecast
    model: Forecast
    factor: float
    chosen: str
    ranges: pd.DataFrame


def headline(made: Forecast, rules: Sequence[Forecast], found: Settled | None, method: str = AUTO) -> Headline:
    """Settle today's forecast by what was known of earlier ones.

    Parameters
    ----------
    made : Forecast
        The model's, as it was drawn.
    rules : sequence of Forecast
        Of the same period and day.
    found : Settled or None
        The record; None: nothing was replayed.
    method : 'auto' or 'model'
        ``auto`` gives way to the rule that one would choose today, or to half of each, where the model's record was
        worse beyond noise.
    """
    none = pd.DataFrame(columns=list(QUANTILES), dtype="float64")
    if found is None or made.draws is None:
        return Headline(made, made, 1.0, made.method, none)
    as_of, day = made.as_of, made.period.day_of(made.as_of)
    ratios = _ratios(found.rows, as_of, day)
    ranges = {r.method: _range(r.value(), ratios[r.method]) for r in rules if r.method in ratios}
    table = pd.DataFrame(ranges, index=list(QUANTILES)).T if ranges else none
    past = found.over_by(as_of)
    factor = spread_factor(past, day)
    model = made
    if factor != 1.0:
        wanted = widened(made.draw(), made.value("won"), factor)
        model = with_total(made, wanted, made.value(), made.method)
    best = _best_rule(found.rows, as_of, day, rules)
    weight = chosen_weight(past) if method == AUTO and best is not None and best.method in ranges else 1.0
    if weight == 1.0 or best is None:
        return Headline(model, model, factor, MODEL, table)
    wanted = mixed_total(model.draw(), pd.Series(ranges[best.method], index=list(QUANTILES)), weight)
    mean = max(weight * model.value() + (1 - weight) * best.value(), model.value("won"))
    lead = with_total(model, wanted, mean, AUTO)
    return Headline(lead, model, factor, best.method if weight == 0.0 else f"{MODEL} and {best.method}", table)


def _range(mean: float, ratios: np.ndarray) -> np.ndarray:
    return np.asarray(mean * np.quantile(ratios, list(QUANTILES.values())))


def _record(rows: pd.DataFrame, as_of: pd.Timestamp, day: int) -> pd.DataFrame:
    """Rules' totals on the replayed day nearest to ``day``, of periods that were over by ``as_of``."""
    told = rows[((rows["level"] == TOTAL) & (rows["period_end"] <= as_of) & rows["mean"].notna()).to_numpy(dtype=bool)]
    if told.empty:
        return told
    days = told["day_of_period"].unique()
    nearest: pd.DataFrame = told[(told["day_of_period"] == days[np.argmin(np.abs(days - day))]).to_numpy()]
    return nearest


def _ratios(rows: pd.DataFrame, as_of: pd.Timestamp, day: int) -> dict[str, np.ndarray]:
    told = _record(rows, as_of, day)
    told = told[(told["mean"] > 0).to_numpy()]
    ratio = told["actual_as_first_known"] / told["mean"]
    found = {str(m): r.to_numpy(dtype="float64") for m, r in ratio.groupby(told["method"])}
    return {method: ratios for method, ratios in found.items() if len(ratios) >= FEWEST_ERRORS}


def _best_rule(rows: pd.DataFrame, as_of: pd.Timestamp, day: int, rules: Sequence[Forecast]) -> Forecast | None:
    """The rule with an answer today that had the least error as a share of what came."""
    today = {r.method: r for r in rules if np.isfinite(r.value())}
    told = _record(rows, as_of, day)
    told = told[serious_rule(told["method"]) & told["method"].isin(list(today)).to_numpy()]
    error = (told["mean"] - told["actual_as_first_known"]).abs()
    table = pd.DataFrame({"error": error, "came": told["actual_as_first_known"], "n": 1.0})
    sums = table.groupby(told["method"].to_numpy()).sum()
    sums = sums[((sums["n"] >= FEWEST_ERRORS) & (sums["came"] > 0)).to_numpy()]
    return None if sums.empty else today[str((sums["error"] / sums["came"]).idxmin())]
