"""What is settled at an origin comes from earlier origins: spread, and the method that would have led."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.backtest import DEAL_COLUMNS, Backtest
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import QUANTILES
from pipeforecast.settled import AUTO, MODEL, Settled, chosen_weight, mixed_total, quantiles_of, settled

CALENDAR = FiscalCalendar()
PERIODS = CALENDAR.before(CALENDAR.named("2024Q1"), 14)
WON = 30.0


def replayed(actual: np.ndarray, model: np.ndarray, rule: np.ndarray, sd: float = 10.0, day: int = 0) -> Backtest:
    """A total and two groups (60 and 40 % of what is to come), one origin a period."""
    rows, draws, shape = [], {}, np.linspace(-2, 2, 81)
    for i, period in enumerate(PERIODS[: len(actual)]):
        as_of = period.evening(day)
        total = model[i] + sd * shape
        cells = np.vstack([total, WON + 0.6 * (total - WON), 0.4 * (total - WON)])
        draws[as_of, period.name, MODEL] = cells.astype("float32")
        for k, (level, group, won) in enumerate((("total", "total", WON), ("owner", "a", WON), ("owner", "b", 0.0))):
            row = {"recipe": MODEL, "as_of": as_of, "day_of_period": day, "period": period.name,
                   "period_end": period.end, "level": level, "group": group, "method": MODEL, "won": won,
                   "mean": cells[k].mean(), "actual": actual[i], "actual_as_first_known": actual[i]}  # fmt: skip
            rows.append(row | dict(zip(QUANTILES, np.quantile(cells[k], list(QUANTILES.values())), strict=True)))
        given = {"recipe": "rule", "method": "rule", "mean": rule[i], "level": "total", "group": "total", "won": WON}
        rows.append({**row, **given, **dict.fromkeys(QUANTILES, np.nan)})
    return Backtest(pd.DataFrame(rows), draws, pd.DataFrame(columns=list(DEAL_COLUMNS)))


def of(found: Settled, method: str, group: str = "total") -> pd.DataFrame:
    rows = found.rows
    return rows[((rows["method"] == method) & (rows["group"] == group)).to_numpy()].sort_values("as_of")


RNG = np.random.default_rng(0)
ACTUAL = 100 + 10 * RNG.standard_normal(14)


def test_without_a_record_the_model_leads_as_it_is() -> None:
    found = settled(replayed(ACTUAL[:3], ACTUAL[:3], ACTUAL[:3]))
    assert (of(found, AUTO)["chosen"] == MODEL).all()
    np.testing.assert_array_equal(of(found, AUTO)["p90"], of(found, MODEL)["p90"])


def test_ranges_that_were_too_narrow_are_widened_at_every_level() -> None:
    raw = replayed(ACTUAL, np.full(14, 100.0), np.full(14, 140.0), sd=2.0)
    found = settled(raw)
    width = (of(found, MODEL)["p90"] - of(found, MODEL)["p10"]).to_numpy()
    assert width[0] == pytest.approx(2 * 2.0 * 1.6)
    assert width[-1] > 1.5 * width[0]
    parts = sum((of(found, MODEL, g)["p90"] - of(found, MODEL, g)["p10"]).to_numpy() for g in ("a", "b"))
    np.testing.assert_allclose(parts, width, rtol=1e-5)  # the groups move together here
    np.testing.assert_allclose(of(found, MODEL)["mean"], 100.0)


def test_a_rule_that_was_better_leads_and_its_range_is_the_rules() -> None:
    found = settled(replayed(ACTUAL, ACTUAL + 40, ACTUAL * 1.02))
    auto, rule = of(found, AUTO), of(found, "best rule then")
    assert (auto["chosen"].iloc[-3:] == "rule").all()
    np.testing.assert_allclose(auto["p50"].iloc[-3:], rule["p50"].iloc[-3:], rtol=0.02)
    np.testing.assert_allclose(auto["mean"].iloc[-3:], rule["mean"].iloc[-3:], rtol=1e-6)
    groups = sum(of(found, AUTO, g)["mean"].to_numpy() for g in ("a", "b"))
    np.testing.assert_allclose(groups, auto["mean"])


def test_two_that_err_on_either_side_are_mixed() -> None:
    found = settled(replayed(ACTUAL, ACTUAL + 20, np.full(14, 100.0) + np.tile([-25.0, 5.0], 7), sd=5.0))
    assert "model and rule" in set(of(found, AUTO)["chosen"])


def test_nothing_later_changes_what_was_settled() -> None:
    raw = replayed(ACTUAL, ACTUAL + 15, ACTUAL * 0.97, sd=3.0)
    other = raw.rows.copy()
    late = (other["period_end"] > PERIODS[8].end).to_numpy()
    other.loc[late, ["actual", "actual_as_first_known"]] *= 3.0
    one, two = settled(raw), settled(Backtest(other, raw.draws, raw.deals))
    told = ["as_of", "group", "method", "mean", *QUANTILES, "chosen"]
    for method in (MODEL, AUTO, "rule", "best rule then"):
        for group in ("total", "a"):
            a, b = (of(x, method, group)[told].reset_index(drop=True) for x in (one, two))
            early = (a["as_of"] <= PERIODS[9].evening(0)).to_numpy()
            pd.testing.assert_frame_equal(a[early], b[early])


def test_the_model_gives_way_only_beyond_noise() -> None:
    def record(model: list[float], rule: list[float]) -> pd.DataFrame:
        periods = [f"p{i}" for i in range(len(model))]
        return pd.DataFrame({"period": periods, "model": model, "half": 9.0, "rule": rule})

    assert chosen_weight(record([2, 2, 2], [1, 1, 1])) == 1.0  # three periods tell too little
    assert chosen_weight(record([2, 2, 2, 2], [1, 1, 1, 1])) == 0.0
    assert chosen_weight(record([2, 0, 2, 0.1], [1, 1, 1, 1])) == 1.0
    assert chosen_weight(record([1, 1, 1, 1], [2, 2, 2, 2])) == 1.0


def test_a_mixture_lies_between() -> None:
    row = pd.Series(dict(zip(QUANTILES, 50 + 10 * np.arange(9.0), strict=True)))
    total = np.random.default_rng(1).normal(200, 5, 999)
    half = mixed_total(total, row, 0.5)
    assert half.mean() == pytest.approx((total.mean() + quantiles_of(row).mean()) / 2, rel=0.01)
    assert (np.argsort(half) == np.argsort(total)).all()
    np.testing.assert_allclose(mixed_total(total, row, 1.0), total)
