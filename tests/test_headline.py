"""Today is settled as the past was: by what was over, and only where the record speaks beyond noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar, Period
from pipeforecast.forecast import QUANTILES, Forecast
from pipeforecast.headline import headline
from pipeforecast.settled import Settled, settled
from test_settled import ACTUAL, replayed

CALENDAR = FiscalCalendar()
PERIOD = CALENDAR.shift(CALENDAR.named("2024Q1"), 0)


def made(total: float = 100.0) -> Forecast:
    parts = ["total", "won", "open", "open_due", "open_pulled_in", "new", "amount_change"]
    draws = np.zeros((7, 81))
    draws[1], draws[3] = 30.0, total - 30.0 + 5.0 * np.linspace(-2, 2, 81)
    draws[2], draws[0] = draws[3], draws[1] + draws[3]
    cells = pd.DataFrame({"level": "total", "group": "total", "part": parts})
    return Forecast(PERIOD.evening(0), PERIOD, "model", cells, draws.mean(axis=1), draws)


def rule(total: float, period: Period = PERIOD) -> Forecast:
    cells = pd.DataFrame({"level": ["total"], "group": ["total"], "part": ["total"]})
    return Forecast(period.evening(0), period, "rule", cells, np.array([total]))


def record(model: np.ndarray, by_rule: np.ndarray, sd: float = 5.0) -> Settled:
    return settled(replayed(ACTUAL, model, by_rule, sd))


def test_without_a_record_the_model_is_the_headline() -> None:
    found = headline(made(), [rule(90.0)], None)
    assert found.lead is found.model
    assert (found.factor, found.chosen, len(found.ranges)) == (1.0, "model", 0)


def test_rules_have_the_range_of_their_earlier_errors() -> None:
    """Actual was 100, 110 and 90 where the rule said 100: today's 200 becomes 180 to 220."""
    actual = np.array([100.0, 110.0, 90.0, 100.0])
    found = headline(made(), [rule(200.0)], settled(replayed(actual, actual, np.full(4, 100.0))))
    said = found.ranges.loc["rule"]
    assert said["p50"] == pytest.approx(200.0)
    assert said["p975"] == pytest.approx(200 * np.quantile(actual / 100, 0.975))
    assert list(found.ranges.columns) == list(QUANTILES)


def test_where_the_model_was_better_it_leads_with_its_spread_corrected() -> None:
    noisy = ACTUAL * np.tile([0.5, 1.7], 7)
    found = headline(made(), [rule(200.0)], record(np.full(14, 100.0), noisy))
    assert found.chosen == "model"
    assert found.lead.method == "model"
    assert found.factor > 1.2
    assert found.lead.draw().std() == pytest.approx(found.factor * made().draw().std())
    assert found.lead.value() == pytest.approx(made().value())


def test_where_the_rule_was_better_it_leads_unless_told_otherwise() -> None:
    told = record(ACTUAL + 40, ACTUAL * 1.01)
    found = headline(made(), [rule(200.0)], told)
    assert (found.chosen, found.lead.method) == ("rule", "auto")
    assert found.lead.value() == pytest.approx(200.0)
    assert np.median(found.lead.draw()) == pytest.approx(found.ranges.loc["rule", "p50"], rel=0.01)
    assert found.lead.value("won") == 30.0
    assert headline(made(), [rule(200.0)], told, "model").lead.method == "model"


def test_a_rule_without_an_answer_today_cannot_lead() -> None:
    found = headline(made(), [rule(float("nan"))], record(ACTUAL + 40, ACTUAL * 1.01))
    assert found.chosen == "model"


def test_only_what_was_over_counts() -> None:
    told = record(ACTUAL + 40, ACTUAL * 1.01)
    early = CALENDAR.shift(PERIOD, -12)
    past = Forecast(early.evening(0), early, "model", made().cells, made().mean, made().draws)
    found = headline(past, [rule(200.0, early)], told)
    assert found.chosen == "model"
    assert len(found.ranges) == 0
