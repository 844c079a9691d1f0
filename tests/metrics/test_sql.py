"""The catalogue beside plain SQL on the same tables: equal to the cent, in total and by region."""

# ruff: noqa: S608  the SQL is put together of words of this file alone

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from lead_stories import QUARTERS

from pipeforecast.fiscal import Period
from pipeforecast.history import DealHistory
from pipeforecast.lifecycle import LifecycleSettings
from pipeforecast.metrics import Window, metrics_named, told, view_of
from pipeforecast.metrics.choices import Choices

MARKETING = ("Website", "Webinar", "Paid Search", "Event")
#: Deals as last written by the evening (``deal``); deals that were open on the window's own evening (``opened``).
TABLES = """
create or replace temp table deal as
select f.*, s.status, s.closed_at, s.amount, s.stage
from (select *, row_number() over (partition by deal order by recorded_at desc, seq desc) as back
      from states where recorded_at < $as_of::timestamp + interval 1 day) s
join facts f on f.key = s.deal where s.back = 1;
create or replace temp table opened as
select f.*, s.amount, s.stage, s.expected_close, s.probability, s.forecast_category, g.probability as stage_probability
from (select *, row_number() over (partition by deal order by recorded_at desc, seq desc) as back
      from states where recorded_at < least($as_of::timestamp, $last::timestamp) + interval 1 day) s
join facts f on f.key = s.deal left join stages g on g.stage = s.stage where s.back = 1 and s.status = 'open';
create or replace temp table lately as
select * from deal where closed_at between $four_ago::timestamp and $just_before::timestamp;
create or replace temp table typical as select avg(amount) as size from lately where status = 'won';
create or replace temp table worth as
select opened.*, coalesce(amount, size) as x from opened cross join typical;
"""
WON = "status = 'won' and closed_at between $first::timestamp and $last::timestamp"
LOST = "status = 'lost' and closed_at between $first::timestamp and $last::timestamp"
CLOSED = "status <> 'open' and closed_at between $first::timestamp and $last::timestamp"
NEW = "created_at between $first::timestamp and $last::timestamp"
DUE = "expected_close <= $last::timestamp"
CYCLE = "date_diff('day', created_at, closed_at)"

#: By region and in total: what is selected of which table.
BY_REGION = {
    "new_opportunities": (f"count(*) filter ({NEW})", "deal"),
    "new_pipeline": (f"coalesce(sum(amount) filter ({NEW}), 0)", "deal"),
    "won_deals": (f"count(*) filter ({WON})", "deal"),
    "won_amount": (f"coalesce(sum(amount) filter ({WON}), 0)", "deal"),
    "lost_deals": (f"count(*) filter ({LOST})", "deal"),
    "lost_amount": (f"coalesce(sum(amount) filter ({LOST}), 0)", "deal"),
    "average_deal_size": (f"avg(amount) filter ({WON})", "deal"),
    "median_deal_size": (f"median(amount) filter ({WON})", "deal"),
    "average_contract_value": (
        f"sum(amount) filter ({WON}) / nullif(count(distinct account_id) filter ({WON}), 0)", "deal"
    ),
    "sales_cycle_length": (f"avg({CYCLE}) filter ({WON})", "deal"),
    "sales_cycle_median": (f"median({CYCLE}) filter ({WON})", "deal"),
    "closing_cycle_length": (f"avg({CYCLE}) filter ({CLOSED})", "deal"),
    "closing_cycle_median": (f"median({CYCLE}) filter ({CLOSED})", "deal"),
    "revenue_per_opportunity": (
        f"coalesce(sum(amount) filter ({WON}), 0) / nullif(count(*) filter ({NEW}), 0)", "deal"
    ),
    "win_rate": (f"count(*) filter ({WON}) / nullif(count(*) filter ({CLOSED}), 0)", "deal"),
    "win_rate_by_value": (
        f"coalesce(sum(amount) filter ({WON}), 0) / nullif(sum(amount) filter ({CLOSED}), 0)", "deal"
    ),
    "win_rate_created": (f"count(*) filter ({NEW} and status = 'won') / nullif(count(*) filter ({NEW}), 0)", "deal"),
    "created_still_open": (f"count(*) filter ({NEW} and status = 'open') / nullif(count(*) filter ({NEW}), 0)", "deal"),
    "win_rate_flow": (f"count(*) filter ({WON}) / nullif(count(*) filter ({NEW}), 0)", "deal"),
    "marketing_sourced_opportunities": (f"count(*) filter ({NEW} and list_contains($marketing, lead_source))", "deal"),
    "sales_sourced_opportunities": (
        f"count(*) filter ({NEW} and not coalesce(list_contains($marketing, lead_source), false))", "deal"
    ),
    "marketing_sourced_revenue": (
        f"coalesce(sum(amount) filter ({WON} and list_contains($marketing, lead_source)), 0)", "deal"
    ),
    "open_deals": ("count(*)", "worth"),
    "average_open_deal": ("avg(amount)", "worth"),
    "pipeline_value": ("sum(x)", "worth"),
    "pipeline_estimated": ("coalesce(sum(x) filter (amount is null), 0)", "worth"),
    "weighted_pipeline": ("sum(x * coalesce(stage_probability, probability, 0))", "worth"),
    "open_due": (f"coalesce(sum(x) filter ({DUE}), 0)", "worth"),
    "commit": (f"coalesce(sum(x) filter ({DUE} and lower(forecast_category) = 'commit'), 0)", "worth"),
    "upside": (f"coalesce(sum(x) filter ({DUE} and lower(forecast_category) = 'best case'), 0)", "worth"),
}  # fmt: skip

VELOCITY = f"""
select coalesce(o.region, 'total') as name, o.n * l.size * l.rate / nullif(l.days, 0) as value
from (select region, count(*) as n from opened group by grouping sets ((region), ())) o
join (select region, avg(amount) filter (status = 'won') as size,
      count(*) filter (status = 'won') / count(*) as rate, avg({CYCLE}) filter (status = 'won') as days
      from lately where status <> 'open' group by grouping sets ((region), ())) l
  on o.region is not distinct from l.region
"""
NEW_LEADS = """created_at between $first::timestamp and $last::timestamp
    and created_at < $as_of::timestamp + interval 1 day"""
REACHED = "<= $as_of::timestamp + interval 1 day - interval 1 second"
SPENT = """(select sum(amount) from spend
    where day between $first::timestamp and $last::timestamp and day <= $as_of::timestamp)"""
LEADS = f"(select count(*) from leads where {NEW_LEADS})"
#: In total alone: whole queries, one value each.
IN_TOTAL = {
    "revenue_per_lead": f"select (select sum(amount) from deal where {WON}) / nullif({LEADS}, 0)",
    "cost_per_lead": f"select {SPENT} / nullif({LEADS}, 0)",
    "roi": f"select ((select sum(amount) from deal where {WON}) - {SPENT}) / {SPENT}",
    "quota": "select sum(amount) from quotas where period = $period",
    "quota_attainment": f"select (select sum(amount) from deal where {WON}) / "
    "(select sum(amount) from quotas where period = $period)",
    "pipeline_coverage": f"select sum(x) filter ({DUE}) / ((select sum(amount) from quotas where period = $period) - "
    f"(select sum(amount) from deal where {WON})) from worth",
    "opportunities_needed": "select ((select sum(amount) from quotas where period = $period) - "
    f"(select sum(amount) from deal where {WON})) / ((select avg(amount) from lately where status = 'won') * "
    "(select count(*) filter (status = 'won') / count(*) from lately where status <> 'open'))",
    "source_concentration": f"""select sum(share * share) from (
        select sum(amount) / sum(sum(amount)) over () as share from deal where {WON} group by lead_source)""",
    "largest_source_share": f"""select max(share) from (
        select sum(amount) / sum(sum(amount)) over () as share from deal where {WON} group by lead_source)""",
    "close_rate_meetings": f"""select (select count(*) from deal where {WON}) / (select count(*) from touches
        where kind = 'meeting_held' and "at" >= $first::timestamp and "at" < $last::timestamp + interval 1 day
        and "at" < $as_of::timestamp + interval 1 day)""",
    "lead_to_mql": f"select count(*) filter (mql_at {REACHED}) / count(*) from leads where {NEW_LEADS}",
    "qualified_leads": f"select count(*) filter (sql_at {REACHED}) from leads where {NEW_LEADS}",
    "sales_cycle_from_contact": f"""
        select avg(date_diff('day', least(created_at, d.earliest, l.earliest), closed_at)) from deal
        left join (select deal_id, min("at") as earliest from touches
                   where "at" < $as_of::timestamp + interval 1 day group by deal_id) d using (deal_id)
        left join (select lead_id, min("at") as earliest from touches
                   where "at" < $as_of::timestamp + interval 1 day group by lead_id) l using (lead_id)
        where {WON}""",
}  # fmt: skip


def _values(window: Period, as_of: pd.Timestamp) -> dict[str, Any]:
    evening = min(window.end, as_of)
    complete = QUARTERS.containing(evening + pd.Timedelta(days=1))
    past = QUARTERS.before(complete, 4)
    return {
        "as_of": as_of, "first": window.start, "last": window.end, "period": window.name,
        "four_ago": past[0].start, "just_before": past[-1].end, "marketing": list(MARKETING),
    }  # fmt: skip


@pytest.fixture(scope="module")
def windows(as_of: pd.Timestamp) -> list[Period]:
    now = QUARTERS.containing(as_of)
    return [QUARTERS.shift(now, -2), now]


@pytest.fixture(scope="module")
def table(company_history: DealHistory, as_of: pd.Timestamp, windows: list[Period]) -> pd.DataFrame:
    choices = Choices(marketing_sources=MARKETING, lifecycle=LifecycleSettings())
    asked = [Window(p.name, p.start, p.end) for p in windows]
    view = view_of(company_history, QUARTERS, as_of, asked, ("region",), choices)
    return told(view, metrics_named([*BY_REGION, *IN_TOTAL, "sales_velocity", "leads_by_source"]))


class Company:
    """The company's tables in DuckDB, and a query's answers for one window."""

    def __init__(self, history: DealHistory, as_of: pd.Timestamp) -> None:
        self.as_of, self.con = as_of, duckdb.connect()
        self.con.execute("set TimeZone = 'UTC'")
        names = ["created_at", "deal_id", "region", "lead_source", "account_id", "lead_id"]
        self._put("facts", history.deals[names].rename_axis("key").reset_index())
        self._put("states", history.states)
        self._put("stages", history.stages[["stage", "probability"]])
        for name in ("leads", "touches", "spend", "quotas"):
            self._put(name, history.tables[name])

    def _put(self, name: str, frame: pd.DataFrame) -> None:
        self.con.register(f"given_{name}", frame.astype({c: "object" for c in frame if frame[c].dtype == "string"}))
        self.con.execute(f"create table {name} as select * from given_{name}")

    def ask(self, sql: str, window: Period) -> list[tuple[Any, ...]]:
        given = _values(window, self.as_of)
        for statement in TABLES.split(";")[:-1]:
            self._run(statement, given)
        return list(self._run(sql, given).fetchall())

    def _run(self, sql: str, given: Mapping[str, Any]) -> Any:
        return self.con.execute(sql, {k: v for k, v in given.items() if f"${k}" in sql})


@pytest.fixture(scope="module")
def company(company_history: DealHistory, as_of: pd.Timestamp) -> Iterator[Company]:
    made = Company(company_history, as_of)
    yield made
    made.con.close()


def theirs(table: pd.DataFrame, metric: str, window: Period) -> dict[str, float]:
    rows = table[((table["metric"] == metric) & (table["period"] == window.name)).to_numpy()]
    return dict(zip(rows["group"], rows["value"], strict=True))


def beside(mine: Mapping[str, Any], other: Mapping[str, float]) -> None:
    """Equal to the cent; what is null in one is null in the other."""
    assert len(mine) > 0
    for name, value in mine.items():
        came = other.get(name, np.nan)
        expected = np.nan if value is None else float(value)
        if expected == 0 and np.isnan(came):
            continue  # a group of which nothing was counted in any window is not told
        np.testing.assert_allclose(came, expected, rtol=1e-12, atol=0.004, err_msg=name)


def test_enough_is_set_beside_sql() -> None:
    assert len({*BY_REGION, *IN_TOTAL, "sales_velocity", "leads_by_source"}) >= 40


@pytest.mark.parametrize("metric", BY_REGION)
def test_by_region_and_in_total(metric: str, company: Company, table: pd.DataFrame, windows: list[Period]) -> None:
    what, source = BY_REGION[metric]
    for window in windows:
        sql = f"select coalesce(region, 'total'), {what} from {source} group by grouping sets ((region), ())"
        beside(dict(company.ask(sql, window)), theirs(table, metric, window))


def test_velocity_by_region(company: Company, table: pd.DataFrame, windows: list[Period]) -> None:
    for window in windows:
        beside(dict(company.ask(VELOCITY, window)), theirs(table, "sales_velocity", window))


@pytest.mark.parametrize("metric", IN_TOTAL)
def test_in_total(metric: str, company: Company, table: pd.DataFrame, windows: list[Period]) -> None:
    told_ = 0
    for window in windows:
        rows = table[(table["metric"] == metric) & (table["period"] == window.name) & (table["group"] == "total")]
        if rows["status"].tolist() == ["reached"]:
            continue
        ((value,),) = company.ask(IN_TOTAL[metric], window)
        beside({"total": value}, {"total": float(rows["value"].iloc[0])})
        told_ += value is not None
    assert told_


def test_leads_by_source(company: Company, table: pd.DataFrame, windows: list[Period]) -> None:
    sql = f"select lead_source, count(*) from leads where {NEW_LEADS} group by 1"
    for window in windows:
        rows = table[
            (table["metric"] == "leads_by_source") & (table["period"] == window.name) & (table["by"] == "total")
        ]
        beside(dict(company.ask(sql, window)), dict(zip(rows["part"], rows["value"], strict=True)))
