"""Laws of every rule: an answer or none, never below what is won, every group once, also for periods ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from asking import CALENDAR, ask, of_segments

from pipeforecast.fiscal import Period
from pipeforecast.forecast import ADDENDS, TOTAL, Forecast
from pipeforecast.history import DealHistory
from pipeforecast.outcome import Lessons, won_between
from pipeforecast.rules import RULES, Call, Rule, TotalRule, past_new_business
from pipeforecast.snapshot import Snapshot
from poor import AS_OF, WORLDS
from stories import deal, lessons_of, tell

Taught = tuple[Lessons, Snapshot]
OF_DEALS = [n for n, r in RULES.items() if isinstance(r, Rule)]
OF_TOTALS = [n for n, r in RULES.items() if isinstance(r, TotalRule)]
LEVELS = ("owner", "segment", "no such column")


@pytest.fixture(scope="module")
def poor() -> dict[str, Taught]:
    return {name: lessons_of(tell(deals, until="2024-04-30"), CALENDAR, AS_OF) for name, deals in WORLDS.items()}


@pytest.fixture(scope="module")
def ahead(company_history: DealHistory, as_of: pd.Timestamp, period: Period) -> dict[int, Taught]:
    """What is known at ``as_of`` of the period that is so many periods ahead, with past ones seen from as far."""
    later = {i: CALENDAR.shift(period, i) for i in (1, 3)}
    return {i: lessons_of(company_history, CALENDAR, as_of, ks=(0, p.day_of(as_of))) for i, p in later.items()}


def table(made: Forecast) -> pd.Series:
    return pd.Series(made.mean, index=pd.MultiIndex.from_frame(made.cells[["level", "group", "part"]]))


def test_every_rule_is_of_one_kind() -> None:
    assert {*OF_DEALS, *OF_TOTALS, *(n for n, r in RULES.items() if isinstance(r, Call))} == set(RULES)
    with_new = {n for n in OF_DEALS if n.endswith("+new")}
    assert {n for n in OF_DEALS if RULES[n].new} == with_new | {"same_stage_same_time"}
    assert {n.removesuffix("+new") for n in with_new} == set(OF_DEALS) - with_new - {"same_stage_same_time"}


# Groups


@pytest.mark.parametrize("name", RULES)
def test_every_group_stands_once_with_its_total(lessons: Lessons, now: Snapshot, period: Period, name: str) -> None:
    made = ask(name, (lessons, now), period, *LEVELS)
    cells = made.cells[["level", "group"]]
    assert not made.cells.duplicated().any()
    totals = made.cells[(made.cells["part"] == TOTAL).to_numpy()][["level", "group"]]
    assert {tuple(r) for r in totals.to_numpy()} == {tuple(r) for r in cells.to_numpy()}
    won = won_between(now.closed_by(now.as_of), period.start, period.end)
    if name in (*OF_DEALS, *OF_TOTALS):
        assert set(won["owner"].dropna()) <= set(totals.loc[(totals["level"] == "owner").to_numpy(), "group"])
        assert set(totals.loc[(totals["level"] == "no such column").to_numpy(), "group"]) == {"(none)"}


@pytest.mark.parametrize("name", [*OF_DEALS, "run_rate", "chain_ladder", "last_period"])
def test_groups_add_up_where_deals_or_what_is_won_is_added(
    lessons: Lessons, now: Snapshot, period: Period, name: str
) -> None:
    if name == "last_period":  # on the evening before the period nothing is won that could be above the usual
        period = CALENDAR.shift(period, 1)
    made = table(ask(name, (lessons, now), period, *LEVELS))
    for level in LEVELS:
        for part in made.index.get_level_values("part").unique():
            whole = made[TOTAL, TOTAL, part]
            groups = made.xs((level, part), level=("level", "part"))
            assert groups.sum() == pytest.approx(whole), (level, part)


@pytest.mark.parametrize("name", OF_TOTALS)
def test_no_group_and_no_total_falls_below_what_it_has_won(
    lessons: Lessons, now: Snapshot, period: Period, name: str
) -> None:
    """Also where one owner has won ten times what all of them usually do."""
    closings = now.closings.assign(amount=now.closings["amount"].where(now.closings["closed_at"] < period.start, 9e7))
    rich = replace(now, closings=closings)
    won = won_between(rich.closed_by(rich.as_of), period.start, period.end)
    made = table(ask(name, (lessons, rich), period, "owner")).droplevel("part")
    assert made[TOTAL, TOTAL] >= won["amount"].sum() > 0
    for owner, amount in won.groupby("owner")["amount"].sum().items():
        assert made["owner", owner] >= amount * (1 - 1e-12) or np.isnan(made["owner", owner])


@pytest.mark.parametrize("name", OF_DEALS)
def test_what_is_won_is_a_part_of_every_sum_of_deals(
    lessons: Lessons, now: Snapshot, period: Period, name: str
) -> None:
    made = ask(name, (lessons, now), period)
    won = won_between(now.closed_by(now.as_of), period.start, period.end)["amount"].sum()
    assert made.value("won") == pytest.approx(won)
    assert made.value() == pytest.approx(sum(made.value(part) for part in ADDENDS))
    assert made.value() >= won > 0


@pytest.mark.parametrize("name", [n for n in OF_DEALS if n.endswith("+new")])
def test_new_business_is_the_same_beside_every_rule(lessons: Lessons, now: Snapshot, period: Period, name: str) -> None:
    new, n = past_new_business(lessons, now.as_of, period)
    alone, both = ask(name.removesuffix("+new"), (lessons, now), period), ask(name, (lessons, now), period)
    assert both.value("new") == pytest.approx(new["amount"].sum() / n)
    assert both.value() - alone.value() == pytest.approx(both.value("new"))


# Periods ahead


@pytest.mark.parametrize("i", [1, 3])
@pytest.mark.parametrize("name", RULES)
def test_a_period_that_has_not_begun(ahead: dict[int, Taught], period: Period, i: int, name: str) -> None:
    """Nothing is won in it; every rule has an answer but those of people, who have said nothing of it yet."""
    made = ask(name, ahead[i], CALENDAR.shift(period, i), "segment")
    if isinstance(RULES[name], Call):
        assert np.isnan(made.value())
        return
    assert made.value("won") == 0.0
    # Nobody may have committed a deal of a later quarter, or dated one so far ahead: that is known too.
    assert made.value() >= 0 if name.startswith(("category_", "crm_probability")) else made.value() > 0
    segments = of_segments(made)
    assert set(segments) <= set(ahead[i][0].deals["segment"].dropna())
    assert sum(segments.values()) == pytest.approx(made.value()) or name == "velocity"


def test_the_further_ahead_the_more_is_still_to_be_created(ahead: dict[int, Taught], period: Period) -> None:
    new = [ask("same_stage_same_time", ahead[i], CALENDAR.shift(period, i)).value("new") for i in (1, 3)]
    assert 0 < new[0] < new[1]


# Poor data


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RULES)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_data_get_an_answer_or_none(poor: dict[str, Taught], world: str, name: str) -> None:
    made = table(ask(name, poor[world], CALENDAR.containing(AS_OF), "segment", "owner"))
    assert ((made >= 0) | made.isna()).all()
    assert np.isfinite(made.dropna()).all()
    for (level, group), cell in made.groupby(level=["level", "group"]):
        parts = cell.droplevel(["level", "group"])
        if "won" in parts:
            assert np.isfinite(parts["won"]), (level, group)
            assert parts[TOTAL] == pytest.approx(sum(parts[p] for p in ADDENDS), nan_ok=True)


#: What each world cannot tell; whatever else is asked there has an answer.
PERIODS = {"last_period", "mean_of_four", "ets", "chain_ladder"}
RATES = {"stage_rate", "stage_rate_all_dates"}
SAID = {"rep_call", "manager_call", "executive_call"}
PAST_DAY = {"same_stage_same_time", "coverage_yield"}
NEW = {n for n in OF_DEALS if n.endswith("+new")}
UNTOLD = {
    # No period counts as held whole before the first win.
    "nothing ever won": {*PERIODS, *PAST_DAY, *NEW, "velocity", "same_period_last_year"},
    "nothing ever closed": {*PERIODS, *RATES, *PAST_DAY, *NEW, "velocity", "same_period_last_year"},
    "nothing ever lost": {"same_period_last_year"},
    "ten deals": {"same_period_last_year"},
    "everything alike": {"same_period_last_year"},
    "no dates": {"same_period_last_year"},  # that nothing is due is known
    "amounts of nought": {"same_period_last_year"},
}


@pytest.mark.parametrize("world", UNTOLD)
def test_what_cannot_be_told_is_not_nought(poor: dict[str, Taught], world: str) -> None:
    found = {n: ask(n, poor[world], CALENDAR.containing(AS_OF)).value() for n in RULES}
    assert {n for n, v in found.items() if np.isnan(v)} == UNTOLD[world] | SAID


def test_without_any_amount_no_sum_of_deals_is_known(poor: dict[str, Taught]) -> None:
    for name in ("crm_probability", "stage_rate", "category_commit", "same_stage_same_time", "velocity"):
        assert np.isnan(ask(name, poor["no amounts"], CALENDAR.containing(AS_OF)).value())


@pytest.mark.parametrize("name", OF_DEALS)
def test_without_an_open_deal_nothing_has_to_be_known(name: str) -> None:
    """No past at all, and what is won: without the new business that is all there is."""
    history = tell([deal("a", ("2024-04-02", {"amount": 7.0}), ("2024-04-20", {"status": "won"}), segment="x")])
    found = ask(name, lessons_of(history, CALENDAR, AS_OF), CALENDAR.containing(AS_OF), "segment")
    unknown = RULES[name].new
    assert found.value("won") == 7.0
    assert found.value() == pytest.approx(np.nan if unknown else 7.0, nan_ok=True)
    assert of_segments(found) == pytest.approx({"x": np.nan if unknown else 7.0}, nan_ok=True)
