"""Any metric over time: changes, campaigns before and after, seasons, and the windows that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from deal_stories import lost, opened, won
from lead_stories import QUARTERS, history

from pipeforecast.errors import SettingsError
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.metrics.computed import METRIC_COLUMNS, Computed, computed
from pipeforecast.metrics.periods import windows_of
from pipeforecast.metrics.windows import rows_within
from stories import Deal, day

JUNE = "2024-06-30"


def told(
    deals: Sequence[Deal], *names: str, periods: int | Sequence[str] = 2, until: str = JUNE, as_of: str | None = None,
    calendar: FiscalCalendar = QUARTERS, by: Sequence[str] = (), **tables: object,
) -> Computed:  # fmt: skip
    made = history(deals, until, **tables)  # type: ignore[arg-type]
    return computed(made, calendar, day(as_of or until), names, by, periods)


def row(made: Computed, period: str, metric: str | None = None) -> pd.Series:
    rows = made.table[(made.table["period"] == period) & (made.table["by"] == "total")]
    (at,) = rows.index[rows["metric"] == metric] if metric else rows.index
    return rows.loc[at]


def test_change_against_the_period_and_the_year_before() -> None:
    deals = [won("a", "2023-04-01", "2023-05-01", 100), won("b", "2024-01-02", "2024-02-01", 250)]
    made = told([*deals, won("c", "2024-01-02", "2024-05-01", 400)], "won_amount")
    assert list(made.table.columns) == list(METRIC_COLUMNS)
    assert made.table["period"].tolist() == ["2024Q1", "2024Q2"]
    assert tuple(row(made, "2024Q2")[["value", "change", "change_year"]]) == (400, 150, 300)
    assert row(made, "2024Q1")["change_year"] == 250


def test_a_running_periods_sum_is_not_set_beside_a_whole_one() -> None:
    deals = [won("a", "2024-01-02", "2024-02-01", 250), won("c", "2024-01-02", "2024-05-01", 400)]
    made = told(deals, "won_amount", "average_deal_size", "open_deals", until="2024-06-29")
    assert np.isnan(row(made, "2024Q2", "won_amount")["change"])
    assert row(made, "2024Q2", "average_deal_size")["change"] == 150
    assert row(made, "2024Q2", "open_deals")["change"] == -1


def campaign() -> list[Deal]:
    """Spring runs for ten days from 10 May; of ten deals closed before it 2 were won, of ten since 8."""
    sides = (("b", "2024-05-09", 2), ("a", "2024-05-10", 8))
    deals = [
        (won if i < n else lost)(f"{side}{i}", "2024-04-01", closed, 100)
        for side, closed, n in sides
        for i in range(10)
    ]
    return [*deals, won("too early", "2024-04-01", "2024-04-29", 1)]


SPEND = [{"day": d, "amount": 5, "campaign": "Spring"} for d in ("2024-05-10", "2024-05-19")]


def test_a_campaign_compares_before_and_after() -> None:
    names = ("win_rate", "won_amount", "won_deals", "won_amount_by_source")
    made = told(campaign(), *names, periods=["campaign:Spring"], spend=SPEND)
    before, after, gap = (f"campaign:Spring {side}" for side in ("before", "after", "difference"))
    assert row(made, before, "win_rate")["value"] == 0.2
    assert row(made, after, "win_rate")["value"] == 0.8
    at = row(made, gap, "win_rate")
    assert at["value"] == pytest.approx(0.6)
    # Newcombe's hybrid score interval of 8/10 and 2/10: Wilson 0.490 to 0.943 and 0.057 to 0.510.
    assert at["lower"] == pytest.approx(0.6 - np.hypot(0.8 - 0.4902, 0.5098 - 0.2), abs=1e-3)
    assert at["upper"] == pytest.approx(0.6 + np.hypot(0.9433 - 0.8, 0.2 - 0.0567), abs=1e-3)
    money = row(made, gap, "won_amount")
    assert money["value"] == 600
    # Σ x² of both sides: 2 · 100² + 8 · 100².
    assert money["lower"] == pytest.approx(600 - 1.96 * np.sqrt(100_000), abs=0.1)
    count = row(made, gap, "won_deals")
    # Score bounds of Poisson counts of 2 and 8: 0.548 to 7.292 and 4.054 to 15.788. Six more may be luck.
    assert count["lower"] == pytest.approx(6 - np.hypot(8 - 4.054, 7.292 - 2), abs=1e-2)
    windows = {w.name: (str(w.start.date()), str(w.end.date())) for w in made.windows}
    assert windows == {before: ("2024-04-30", "2024-05-09"), after: ("2024-05-10", "2024-05-19")}


@pytest.mark.parametrize("name", ["the day after", "the day before"])
def test_a_campaign_may_be_called_like_a_side(name: str) -> None:
    booked = [row | {"campaign": name} for row in SPEND]
    made = told(campaign(), "win_rate", periods=[f"campaign:{name}"], spend=booked)
    assert row(made, f"campaign:{name} difference")["value"] == pytest.approx(0.6)


def test_no_difference_is_told_as_none() -> None:
    made = told(campaign(), "average_deal_size", periods=["campaign:Spring"], spend=SPEND)
    at = row(made, "campaign:Spring difference")
    assert (at["value"], at["lower"], at["upper"]) == (0, 0, 0)


def test_a_campaign_that_runs_is_looked_at_until_today() -> None:
    made = told(campaign(), "win_rate", periods=["campaign:Spring"], as_of="2024-05-14", spend=SPEND)
    # Known by then is the first booking alone.
    assert [(w.start, w.end) for w in made.windows] == [
        (day("2024-05-09"), day("2024-05-09")), (day("2024-05-10"), day("2024-05-10")),
    ]  # fmt: skip


def test_campaigns_that_nobody_knows_are_refused() -> None:
    with pytest.raises(SettingsError, match="'Spring'"):
        told(campaign(), "win_rate", periods=["campaign:Spirng"], spend=SPEND)


def test_months_quarters_and_years_of_one_calendar() -> None:
    made = history([opened("a", "2023-01-01", 1)], "2024-05-10")
    names = ["2024Q1", "2024M02", "2023"]
    found = windows_of(names, QUARTERS, made, made.written_until)
    assert [(w.name, str(w.start.date()), str(w.end.date())) for w in found] == [
        ("2024Q1", "2024-01-01", "2024-03-31"), ("2024M02", "2024-02-01", "2024-02-29"),
        ("2023", "2023-01-01", "2023-12-31"),
    ]  # fmt: skip
    last = windows_of(2, FiscalCalendar("month"), made, made.written_until)
    assert [w.name for w in last] == ["2024M04", "2024M05"]
    fiscal = windows_of(["2024Q1"], FiscalCalendar(start_month=2), made, made.written_until)
    assert str(fiscal[0].start.date()) == "2023-02-01"


@pytest.mark.parametrize("name", ["2024Q5", "spring", "2024Q3"])
def test_periods_that_are_none_or_not_begun_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="periods"):
        told([opened("a", "2023-01-01", 1)], "win_rate", periods=[name])


def test_seasons_of_two_whole_years() -> None:
    # The fourth quarter brings twice what the others do, in both years.
    deals = [
        won(f"{y}{q}", "2021-12-01", f"{y}-{3 * q:02d}-15", 2.0 if q == 4 else 1.0)
        for y in (2022, 2023) for q in (1, 2, 3, 4)
    ]  # fmt: skip
    made = told([*deals, won("now", "2021-12-01", "2024-02-01", 99)], "won_amount", "win_rate", periods=8)
    found = made.seasons.set_index("season")
    assert set(found["metric"]) == {"won_amount"}  # rates do not add up to a year
    assert found["index"].to_dict() == pytest.approx({"Q1": 0.8, "Q2": 0.8, "Q3": 0.8, "Q4": 1.6})
    assert (found["years"] == 2).all()
    assert told(deals, "won_amount", periods=["2023Q4"]).seasons.empty
    # A year of which the first months are not held is no year.
    young = [
        won(f"{y}{q}", f"{y}-{3 * q:02d}-01", f"{y}-{3 * q:02d}-15", 1.0) for y, q in ((2022, 4), (2023, 1), (2023, 4))
    ]
    assert told([*young, won("now", "2024-01-02", "2024-02-01", 9)], "won_amount", periods=8).seasons.empty


def test_windows_may_overlap_and_days_may_be_missing() -> None:
    days = np.array(["2024-01-01", "2024-02-15", "NaT", "2024-03-31T23:00", "2024-04-01"], dtype="datetime64[s]")
    starts = np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[s]")
    ends = np.array(["2024-03-31", "2024-02-29"], dtype="datetime64[s]")
    rows, window = rows_within(days, starts, ends)
    assert sorted(zip(rows.tolist(), window.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 1), (3, 0)]
