"""Leads, marketing and accounts of a demo company, counted again by plain SQL that knows nothing of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.lifecycle import LifecycleSettings
from pipeforecast.metrics import View, Window, metrics_named, told, view_of
from pipeforecast.metrics.choices import Choices

MARKETING = ("Website", "Webinar", "Paid Search")

KNOWN = """
create table latest as select * exclude (place) from (
    select *, row_number() over (partition by deal order by recorded_at desc, seq desc) as place
    from states where recorded_at < $evening) where place = 1;
create table d as select s.deal, b.deal_id, b.lead_id, b.account_id, b.lead_source, b.campaign, b.created_at, s.amount,
    s.status = 'won' as won, s.status = 'lost' as lost, s.closed_at
    from latest s join deals b using (deal);
create table l as select lead_id, lead_source, campaign, created_at, created_time,
    case when mql_at < $evening then mql_at end as mql, case when srl_at < $evening then srl_at end as srl,
    case when sql_at < $evening then sql_at end as sql, case when converted_at < $evening then converted_at end as opp,
    case when first_response_time < $evening then first_response_time end as answered
    from leads where created_at < $evening;
create table t as select distinct * from touches where happened < $evening;
create table c as select period, lead_source, lead_id, amount, won, opp,
    least(mql, srl, sql, opp, closed) as mql, least(srl, sql, opp, closed) as srl, least(sql, opp, closed) as sql,
    created_at, epoch(answered - created_time) / 3600 as hours, epoch($evening - created_time) / 3600 as waited
    from (select l.*, d.amount, coalesce(d.won, false) as won, case when d.won then d.closed_at end as closed
          from l left join d on d.lead_id = l.lead_id)
    join periods on created_at >= start and created_at < finish;
create table w as select period, d.* from d join periods on closed_at >= start and closed_at < finish;
create table s as select period, lead_source, amount from spend join periods on day >= start and day < finish
    where day < $evening;
create table firsts as select account_id, min(closed_at) as since
    from d where won and account_id is not null group by account_id;
"""

#: Metric and part: a query of period and value (and group, the lead source, where it has three columns).
QUERIES: dict[tuple[str, str], str] = {
    ("lead_to_mql", ""): "select period, avg((mql is not null)::int) from c group by 1",
    ("mql_to_srl", ""): "select period, avg((srl is not null)::int) from c where mql is not null group by 1",
    ("srl_to_sql", ""): "select period, avg((sql is not null)::int) from c where srl is not null group by 1",
    (
        "mql_to_sql",
        "",
    ): "select period, lead_source, avg((sql is not null)::int) from c where mql is not null group by 1, 2",
    ("sql_to_opportunity", ""): "select period, avg((opp is not null)::int) from c where sql is not null group by 1",
    ("lead_step_days", "lead_to_mql"): "select period, median(date_diff('day', created_at, mql)) from c group by 1",
    (
        "lead_step_days",
        "mql_to_sql",
    ): "select period, lead_source, median(date_diff('day', mql, sql)) from c group by 1, 2",
    ("leads_by_source", "Webinar"): "select period, count(*) from c where lead_source = 'Webinar' group by 1",
    ("converted_by_source", "Event"): "select period, count(opp) from c where lead_source = 'Event' group by 1",
    ("won_from_leads_by_source", "Website"): "select period, coalesce(sum(amount) filter (won), 0) from c "
    "where lead_source = 'Website' group by 1",
    ("qualified_leads", ""): "select period, lead_source, count(sql) from c group by 1, 2",
    ("qualified_leads_share", ""): "select period, count(sql) / count(*) from c group by 1",
    ("speed_to_lead", "median"): "select period, lead_source, median(hours) from c group by 1, 2",
    ("speed_to_lead", "90th percentile"): "select period, quantile_cont(hours, 0.9) from c group by 1",
    ("speed_to_lead_share", "within 24 h"): "select period, count(*) filter (hours <= 24) / "
    "count(*) filter (hours <= 24 or waited >= 24) from c group by 1",
    ("speed_to_lead_conversion", "1 to 24 h"): "select period, count(opp) / count(*) from c "
    "where hours > 1 and hours <= 24 group by 1",
    ("marketing_sourced_revenue", ""): "select period, coalesce(sum(amount) filter (lead_source in "
    "('Website', 'Webinar', 'Paid Search')), 0) from w where won group by 1",
    ("marketing_sourced_share", ""): "select period, coalesce(sum(amount) filter (lead_source in "
    "('Website', 'Webinar', 'Paid Search')), 0) / sum(amount) from w where won group by 1",
    ("roi", ""): "select period, (select sum(amount) from w where won and w.period = s.period) / sum(amount) - 1 "
    "from s group by 1",
    ("lead_source_roi", "Website"): "select period, coalesce((select sum(amount) from w where won and lead_source = "
    "'Website' and w.period = s.period), 0) / sum(amount) - 1 from s where lead_source = 'Website' group by 1",
    ("cost_per_lead", ""): "select a.period, a.lead_source, spent / n from (select period, lead_source, sum(amount) as "
    "spent from s group by 1, 2) a join (select period, lead_source, count(*) as n from c group by 1, 2) b "
    "on a.period = b.period and a.lead_source = b.lead_source",
    (
        "customer_acquisition_cost",
        "",
    ): "select period, (select sum(amount) from s where s.period = p.period) / count(*) "
    "from firsts join periods p on since >= start and since < finish group by 1",
    ("customer_value_observed", ""): "select period, sum(amount) / count(distinct account_id) from d join periods "
    "on closed_at < finish where won and account_id is not null group by 1",
    ("account_engagement", ""): """
        select p.period, (select count(*) from t left join d on d.deal_id = t.deal_id or d.lead_id = t.lead_id
            join firsts f on f.account_id = coalesce(t.account_id, d.account_id)
            where since < start and happened >= start and happened < finish)
            / (select count(*) from firsts where since < start) / 3 / share from periods p""",
    ("account_days_since_touch", ""): """
        select period, median(days) from (
            select period, f.account_id, min(date_diff('day', happened::date, evening::date)) as days
            from periods join firsts f on since < finish
            join (select coalesce(t.account_id, d.account_id) as account_id, happened
                  from t left join d on d.deal_id = t.deal_id or d.lead_id = t.lead_id) x
                on x.account_id = f.account_id and happened < finish
            group by 1, 2) group by 1""",
    ("attribution", "position: Event"): """
        select period, coalesce(sum(amount) filter (won and lead_source = 'Event' and exists (
            select 1 from t where (t.deal_id = w.deal_id or t.lead_id = w.lead_id)
            and happened < closed_at + interval 1 day)), 0) from w group by 1""",
}


@pytest.fixture(scope="module")
def view(company_history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp) -> View:
    last = calendar.containing(as_of)
    windows = [Window(p.name, p.start, p.end) for p in [*calendar.before(last, 5), last]]
    return view_of(company_history, calendar, as_of, windows, ["lead_source"], Choices(marketing_sources=MARKETING))


@pytest.fixture(scope="module")
def sql(company_history: DealHistory, view: View, as_of: pd.Timestamp) -> Any:
    con = duckdb.connect()
    evening = as_of + pd.Timedelta(days=1)
    periods = pd.DataFrame({
        "period": view.windows.names, "start": [w.start for w in view.windows.items],
        "finish": [min(w.end, as_of) + pd.Timedelta(days=1) for w in view.windows.items],
        "evening": [min(w.end, as_of) for w in view.windows.items],
        "share": [(min(w.end, as_of) - w.start).days / w.days + 1 / w.days for w in view.windows.items],
    })  # fmt: skip
    frames = {"states": company_history.states, "deals": company_history.deals.rename_axis("deal").reset_index(),
              "periods": periods, **company_history.tables}  # fmt: skip
    for name, frame in frames.items():
        plain = frame.astype({c: "object" for c in frame if pd.api.types.is_string_dtype(frame[c].dtype)})
        con.register(name, plain.rename(columns={"at": "happened"}))  # a word of DuckDB's own
    for statement in KNOWN.split(";")[:-1]:
        con.execute(statement.replace("$evening", f"timestamp '{evening}'"))
    return con, f"timestamp '{evening}'"


@pytest.mark.parametrize(("metric", "part"), QUERIES, ids=lambda x: str(x))
def test_sql_tells_the_same(view: View, sql: Any, metric: str, part: str) -> None:
    con, evening = sql
    found = con.execute(QUERIES[(metric, part)].replace("$evening", evening)).df()
    grouped = found.shape[1] == 3
    found.columns = ["period", "group", "value"] if grouped else ["period", "value"]
    rows = told(view, metrics_named([metric]))
    mine = rows[((rows["part"] == part) & (rows["by"] == ("lead_source" if grouped else "total"))).to_numpy()]
    keys = ["period", "group"] if grouped else ["period"]
    both = mine.merge(found, on=keys, how="outer", suffixes=("", "_sql"))
    assert len(both) >= 5
    assert both["value"].notna().sum() >= 4
    nothing = both["value_sql"].isna() & ((both["value"] == 0) | both["value"].isna() | (both["n"] == 0))
    known = both[~nothing.to_numpy()]
    np.testing.assert_allclose(known["value"].astype(float), known["value_sql"].astype(float), rtol=0, atol=0.005)
    shares = known["unit"].isin(["share", "ratio"])
    np.testing.assert_allclose(
        known["value"][shares].astype(float), known["value_sql"][shares].astype(float), rtol=1e-9
    )


def test_statuses_that_are_stages_of_the_deal(view: View, sql: Any) -> None:
    """SRL: the lead has a deal; SQL: the deal was in its second stage or a later one, or was won."""
    con, evening = sql
    stages = view.known.stages
    later = stages.loc[(stages["kind"] == "open").to_numpy() & (stages["position"] > 1).to_numpy(), "stage"]
    con.register("later", pd.DataFrame({"stage": later.astype("object")}))
    found = con.execute(f"""
        select period, count(*) filter (won or second) / count(*) from (
            select c.period, d.won, exists (select 1 from states s where s.deal = d.deal and recorded_at < {evening}
                                            and s.stage in (select stage from later)) as second
            from c join d using (lead_id)) group by 1""").df()  # noqa: S608
    found.columns = ["period", "sql"]
    settings = LifecycleSettings(source="stages")
    told_by_stages = replace(view, choices=Choices(lifecycle=settings), _made={})
    rows = told(told_by_stages, metrics_named(["srl_to_sql"]))
    both = rows[(rows["by"] == "total").to_numpy()].merge(found, on="period")
    assert len(both) >= 5
    np.testing.assert_allclose(both["value"].astype(float), both["sql"].astype(float), rtol=1e-9)
