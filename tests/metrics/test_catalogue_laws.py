"""What holds for every metric of the catalogue, whatever the company."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from deal_stories import lost, opened, seen, won
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import QUARTERS, history, window

from pipeforecast.contract import empty
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.metrics import CATALOGUE, Window, metrics_named, told, view_of
from pipeforecast.metrics.choices import Choices
from stories import MUTATIONS, Deal

BY = ("owner", "manager", "region", "lead_source", "deal_type")
CHOICES = Choices(qualified_stage="Qualification", marketing_sources=("Website", "Webinar"))
CELL = ["metric", "part", "period", "by", "group"]


def computed(
    company: DealHistory, as_of: pd.Timestamp, windows: list[Window], by: tuple[str, ...] = BY
) -> pd.DataFrame:
    return told(view_of(company, QUARTERS, as_of, windows, by, CHOICES), metrics_named())


@pytest.fixture(scope="module")
def windows(as_of: pd.Timestamp) -> list[Window]:
    """Two whole quarters and the one that runs, the months of the first, and the year."""
    own = [QUARTERS.shift(QUARTERS.containing(as_of), -i) for i in (2, 1, 0)]
    months = FiscalCalendar("month")
    first = months.containing(own[0].start)
    more = [first, months.shift(first, 1), months.shift(first, 2)]
    return [Window(p.name, p.start, p.end) for p in (*own, *more)]


@pytest.fixture(scope="module")
def table(company_history: DealHistory, as_of: pd.Timestamp, windows: list[Window]) -> pd.DataFrame:
    return computed(company_history, as_of, windows)


def test_every_metric_has_a_worked_example_and_says_what_it_is() -> None:
    for metric in CATALOGUE.values():
        assert metric.example, metric.name
        assert metric.title[0].isupper(), metric.name
        assert metric.formula, metric.name
        assert metric.counts, metric.name


def test_names_are_names_once() -> None:
    from pipeforecast.metrics.catalogue import _MODULES

    names = [m.name for module in _MODULES for m in module.METRICS]
    assert len(names) == len(set(names)) == len(CATALOGUE)
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_most_of_the_catalogue_can_be_told_of_the_demo_company(table: pd.DataFrame) -> None:
    ok = set(table.loc[(table["status"] == "ok").to_numpy(), "metric"])
    assert len(ok) > 0.75 * len(CATALOGUE)


def test_groups_of_counts_and_sums_add_up(table: pd.DataFrame) -> None:
    adding = [m.name for m in CATALOGUE.values() if m.additive]
    rows = table[table["metric"].isin(adding) & (table["status"] != "not available")]
    cell = ["metric", "part", "period"]
    whole = rows[rows["by"] == "total"].set_index(cell)["value"]
    parts = rows[rows["by"] != "total"].groupby([*cell, "by"])["value"].sum().reset_index("by")
    assert len(parts) > 200
    beside = parts.join(whole.rename("whole"))
    np.testing.assert_allclose(beside["value"], beside["whole"], atol=0.004, err_msg=str(beside))


def test_months_of_counts_and_sums_add_up_to_their_quarter(table: pd.DataFrame, windows: list[Window]) -> None:
    adding = [m.name for m in CATALOGUE.values() if m.additive and m.clock != "as of"]
    rows = table[table["metric"].isin(adding) & (table["status"] == "ok")]
    cell = ["metric", "part", "by", "group"]
    quarter = rows[rows["period"] == windows[0].name].set_index(cell)["value"]
    months = rows[rows["period"].isin([w.name for w in windows[3:]])].groupby(cell)["value"].sum()
    assert set(quarter.index) == set(months.index)
    assert len(quarter) > 100
    np.testing.assert_allclose(months.reindex(quarter.index), quarter, atol=0.004)


def test_a_value_is_there_exactly_where_it_is_told(table: pd.DataFrame) -> None:
    there = table["status"].isin(["ok", "immature"])
    assert (table["value"].notna() == there).all()
    assert np.isfinite(table.loc[there, "value"]).all()
    assert (table.loc[table["status"] == "not available", "reason"] != "").all()
    assert not table.duplicated(CELL).any()
    assert (table["n"].fillna(0) >= 0).all()
    assert not np.isinf(table[["lower", "upper"]].to_numpy(dtype="float64")).any()


def test_shares_lie_in_their_intervals(table: pd.DataFrame) -> None:
    rows = table[(table["unit"] == "share") & table["lower"].notna() & table["value"].notna()]
    assert len(rows) > 500
    assert ((rows["lower"] <= rows["value"] + 1e-12) & (rows["value"] <= rows["upper"] + 1e-12)).all()
    assert ((rows["lower"] >= 0) & (rows["upper"] <= 1)).all()


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_written_after_the_day_changes_nothing(
    name: str, company_history: DealHistory, as_of: pd.Timestamp, windows: list[Window], table: pd.DataFrame
) -> None:
    later = MUTATIONS[name](company_history, as_of, np.random.default_rng(5))
    few = [windows[1], windows[2]]
    other = computed(later, as_of, few, ("owner", "region"))
    mine = table[table["period"].isin([w.name for w in few]) & table["by"].isin(["total", "owner", "region"])]
    pd.testing.assert_frame_equal(ordered(mine), ordered(other), check_dtype=False, rtol=1e-9)


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in one order; a group of which nothing was counted in these windows is not told in either."""
    counted = table[(table["n"].fillna(0) > 0) | (table["by"] == "total")]
    return counted.sort_values(CELL, ignore_index=True)


def test_leads_touches_and_spend_of_later_days_change_nothing(
    company_history: DealHistory, as_of: pd.Timestamp, windows: list[Window], table: pd.DataFrame
) -> None:
    def later(frame: pd.DataFrame) -> pd.DataFrame:
        """Rows again with every day moved behind ``as_of``; and what happened after it to the old rows is forgotten."""
        days = [c for c in frame if pd.api.types.is_datetime64_any_dtype(frame[c])]
        span = as_of - frame[days].min().min() + pd.Timedelta(days=2)
        return frame.assign(**{c: frame[c] + span for c in days})

    names = ("leads", "touches", "spend", "calls", "lead_changes")
    tables = dict(company_history.tables)
    for name in names:
        own = tables[name]
        after = {
            c: own[c].mask(own[c] > as_of + pd.Timedelta(days=1))
            for c in own
            if str(own[c].dtype).startswith("datetime")
        }
        forgotten = own.assign(**after) if name == "leads" else own
        tables[name] = pd.concat([forgotten, later(own)], ignore_index=True)
    other = computed(replace(company_history, tables=tables), as_of, windows[1:3], ("owner", "region"))
    mine = table[table["period"].isin([w.name for w in windows[1:3]]) & table["by"].isin(["total", "owner", "region"])]
    pd.testing.assert_frame_equal(ordered(mine), ordered(other), check_dtype=False, rtol=1e-9)


def test_a_table_that_is_not_there_is_a_reason(
    company_history: DealHistory, as_of: pd.Timestamp, windows: list[Window]
) -> None:
    bare = replace(company_history, tables={})
    rows = computed(bare, as_of, windows[:1], ("owner",)).set_index("metric")
    for metric in CATALOGUE.values():
        needed = set(metric.needs) - {"deals", "stages"}
        if needed:
            assert set(rows.loc[[metric.name], "status"]) == {"not available"}, metric.name
    assert rows.loc["won_amount", "status"].eq("ok").any()


def test_tables_without_rows_do_no_harm(
    company_history: DealHistory, as_of: pd.Timestamp, windows: list[Window]
) -> None:
    names = ("leads", "lead_changes", "touches", "calls", "quotas", "spend", "orders", "customers", "reporting_line")
    rows = computed(replace(company_history, tables={n: empty(n) for n in names}), as_of, windows[:1], ("owner",))
    assert set(rows["metric"]) == set(CATALOGUE)
    assert not np.isinf(rows["value"].to_numpy(dtype="float64")).any()


@pytest.mark.parametrize("deals", [[], [won("a", "2024-04-01", "2024-05-01", 1)], [opened("a", "2024-04-01", None)]])
def test_no_deal_and_one_deal(deals: list[Deal]) -> None:
    rows = computed(history(deals, "2024-06-30"), pd.Timestamp("2024-06-30"), [window("2024Q2")], ("owner", "region"))
    assert set(rows["metric"]) == set(CATALOGUE)
    sums = rows[(rows["metric"] == "won_amount") & (rows["by"] == "total")]
    assert sums["value"].tolist() == [float(bool(deals) and deals[0].name == "a" and len(deals[0].states) == 2)]


def test_groups_of_days_and_of_numbers_are_named_as_they_are_asked_for() -> None:
    deals = [won(n, "2024-04-01", f"2024-05-0{d}", 10 * d, employees=d) for n, d in (("a", 1), ("b", 1), ("c", 2))]
    view = seen(deals, by=["closed_at", "employees"])
    rows = told(view, metrics_named(["won_deals"]))
    assert {(b, g): v for b, g, v in rows[["by", "group", "value"]].to_numpy() if b != "total"} == {
        ("closed_at", "2024-05-01"): 2, ("closed_at", "2024-05-02"): 1, ("employees", "1"): 2, ("employees", "2"): 1,
    }  # fmt: skip


def test_a_grouping_that_nothing_has_is_not_available() -> None:
    made = history([won("a", "2024-04-01", "2024-05-01", 1)], "2024-06-30")
    view = view_of(made, QUARTERS, made.written_until, [window("2024Q2")], ("ownr", "region"))
    rows = told(view, metrics_named(["won_amount"]))
    assert rows.loc[rows["by"] == "ownr", ["status", "reason"]].to_numpy().tolist() == [
        ["not available", "what it counts has no ownr"]
    ]
    (found,) = view.findings
    assert (found.code, found.examples) == ("GROUPING-NOT-THERE", ("ownr",))
    assert "owner" in found.advice


def test_todays_values_are_known_today_alone() -> None:
    made = history([won("a", "2024-04-01", "2024-05-01", 1, team="north")], "2024-06-30")
    made = replace(made, roles={**made.roles, "team": "today"})

    def groups(day: str) -> list[str]:
        view = view_of(made, QUARTERS, pd.Timestamp(day), [window("2024Q2")], ("team",))
        rows = told(view, metrics_named(["won_amount"]))
        return list(rows.loc[(rows["by"] == "team") & (rows["status"] == "ok"), "group"])

    assert groups("2024-06-30") == ["north"]
    assert groups("2024-06-29") == []


# Companies that nobody thought of.

_day = st.integers(0, 180).map(lambda n: str((pd.Timestamp("2024-01-01") + pd.Timedelta(days=n)).date()))
_amount = st.one_of(st.none(), st.integers(0, 10_000).map(lambda cents: cents / 100))


@st.composite
def companies(draw: Callable[..., object]) -> list[Deal]:
    made = []
    for i in range(draw(st.integers(1, 8))):  # type: ignore[call-overload]
        first, second = sorted((draw(_day), draw(_day)))  # type: ignore[type-var]
        owner = draw(st.sampled_from(["ann", "bob", None]))
        how = draw(st.sampled_from([won, lost, None]))
        if how is None:
            made.append(opened(f"d{i}", first, draw(_amount), owner=owner))  # type: ignore[arg-type]
        else:
            made.append(how(f"d{i}", first, second, draw(_amount), owner=owner))  # type: ignore[operator]
    return made


@given(companies(), companies(), _day)
@settings(max_examples=12, deadline=None)
def test_sums_add_up_and_later_rows_change_nothing(deals: list[Deal], more: list[Deal], day: str) -> None:
    names = [m.name for m in CATALOGUE.values() if m.family in ("deals", "pipeline") and "deals" in m.needs]
    quarter = [window("2024Q1")]
    when = pd.Timestamp(day)

    def rows(company: list[Deal]) -> pd.DataFrame:
        view = view_of(history(company, "2024-07-31"), QUARTERS, when, quarter, ("owner",), CHOICES)
        return told(view, metrics_named(names))

    known = rows([d for d in deals if d.states[0][0] <= day])
    # Deals that begin after the day, and closings that are written after it, are not known.
    later = [replace(d, name=f"later {d.name}", states=[("2024-07-20", s) for _, s in d.states]) for d in more]
    reopened = [replace(d, states=[*d.states, ("2024-07-21", {"status": "open", "amount": 9.0})]) for d in deals]
    changed = rows([*[d for d in reopened if d.states[0][0] <= day], *later])
    pd.testing.assert_frame_equal(ordered(known), ordered(changed), check_dtype=False)
    adding = known[known["metric"].isin([m for m in names if CATALOGUE[m].additive]) & (known["status"] == "ok")]
    whole = adding[adding["by"] == "total"].groupby(["metric", "part"])["value"].sum()
    parts = adding[adding["by"] == "owner"].groupby(["metric", "part"])["value"].sum()
    np.testing.assert_allclose(parts.reindex(whole.index).fillna(0.0), whole, atol=0.004)
