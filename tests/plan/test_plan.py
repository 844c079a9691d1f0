"""Plans whose numbers stand on paper, and the laws of planning backwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeforecast.aims import AssumedRates
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.plan import Goal, Rate, latest_day, past_of, plan_rows, rates_of
from pipeforecast.settings import PlanSettings, settings_for
from pipeforecast.workflow.plan import targets
from stories import deal, tell

CALENDAR = FiscalCalendar()
AS_OF = pd.Timestamp("2024-03-31")
#: A perfect chain: every rate is one, and a deal brings 1.
PERFECT = {
    "deal_size": 1.0, "win_rate": 1.0, "from_leads": 1.0, "sql_to_opportunity": 1.0, "mql_to_sql": 1.0,
    "lead_to_mql": 1.0, "meeting_to_win": 1.0, "contact_to_meeting": 1.0, "cycle_days": 0.0,
}  # fmt: skip


def goal(target: float = 40_000.0, won: float = 0.0, reps: int = 2, period: str = "2024Q2") -> Goal:
    return Goal(CALENDAR.named(period), target, won, reps, AS_OF)


def measured(
    history: DealHistory, draws: int = 500, seed: int = 0, periods: int = 1, **assumed: float
) -> dict[str, Rate]:
    past = past_of(history.known_by(AS_OF), CALENDAR, history.written_until <= AS_OF, periods)
    return rates_of(past, AssumedRates(**assumed), draws, seed)


def by_step(rates: dict[str, Rate], asked: Goal | None = None) -> pd.DataFrame:
    return plan_rows(asked or goal(), rates).set_index("step")


def quarter() -> DealHistory:
    """Make a quarter of 13 weeks with 100 contacts and 5 meetings a week that brought 20,000: 4 won of 8 closed deals.

    40 leads: 20 became MQL, 10 of these SQL, 8 of these opportunities.
    """
    ended = [("won", 5000.0)] * 4 + [("lost", 9000.0)] * 4
    deals = [
        deal(f"d{i}", (f"2024-01-{2 + i:02d}", {"stage": "Talk", "amount": amount, "owner": "ann"}),
             (f"2024-02-{1 + i:02d}", {"status": how}), lead_id=f"L{i}")
        for i, (how, amount) in enumerate(ended)
    ]  # fmt: skip
    # A win of the quarter before, so that the quarter is one that the records hold whole.
    before = deal("old", ("2023-12-01", {"stage": "Talk", "amount": 1.0}), ("2023-12-30", {"status": "won"}))
    at = [pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=w) for w in range(13)]
    touches = pd.DataFrame({
        "at": pd.Series([t + pd.Timedelta(minutes=i) for t in at for i in range(105)]).astype("datetime64[s]"),
        "kind": (["sent"] * 60 + ["called"] * 40 + ["meeting_held"] * 5) * 13,
    })  # fmt: skip
    day = pd.Series([pd.Timestamp("2024-01-02")] * 40).astype("datetime64[s]")
    leads = pd.DataFrame({
        "lead_id": [f"L{i}" for i in range(40)], "created_at": day,
        **{f"{s}_at": day.where(pd.Series(range(40)) < n) for s, n in (("mql", 20), ("sql", 10), ("converted", 8))},
    })  # fmt: skip
    history = tell([before, *deals], until="2024-03-31", roles={"lead_id": "birth"})
    return replace(history, tables={"touches": touches, "leads": leads})


@pytest.fixture(scope="module")
def rates() -> dict[str, Rate]:
    return measured(quarter())


def test_twice_the_revenue_at_the_same_rates_asks_for_twice_the_contacts_and_meetings(rates: dict[str, Rate]) -> None:
    """100 contacts and 5 meetings a week gave 20,000 in a quarter: 40,000 asks for 200 and 10."""
    plan = by_step(rates)
    assert plan.loc["contacts", "per_week"] == pytest.approx(200)
    assert plan.loc["meetings", "per_week"] == pytest.approx(10)
    assert plan.loc["contacts", "per_period"] == pytest.approx(2600)
    assert plan.loc["contacts", "per_rep"] == pytest.approx(1300)


def test_each_step_is_the_one_before_divided_by_its_rate(rates: dict[str, Rate]) -> None:
    """40,000 ÷ 5,000 = 8 wins; ÷ 4/8 = 16 opportunities, all from leads; ÷ 8/10 = 20 SQL; ÷ 1/2 = 40; ÷ 1/2 = 80."""
    plan = by_step(rates)["per_period"]
    assert plan[["won_deals", "opportunities", "opportunities_from_leads", "sql", "mql", "leads"]].tolist() == (
        pytest.approx([8, 16, 16, 20, 40, 80])
    )
    # Every deal took 30 days: of 91 days the last 30 are too late.
    assert rates["cycle_days"].value == 30
    assert plan["opportunities_too_late"] == pytest.approx(16 * 30 / 91)
    assert latest_day(goal(), rates) == pd.Timestamp("2024-05-31")


def test_what_is_won_is_taken_off_and_weeks_are_those_that_are_left() -> None:
    asked = Goal(CALENDAR.named("2024Q2"), 40_000.0, 30_000.0, 2, pd.Timestamp("2024-06-16"))
    plan = by_step(measured(quarter()), asked)
    assert plan.loc["to_go", "per_period"] == 10_000
    assert plan.loc["won_deals", ["per_period", "per_week"]].tolist() == pytest.approx([2, 1])
    assert plan.loc["opportunities_too_late", "per_period"] == plan.loc["opportunities", "per_period"]
    reached = by_step(measured(quarter()), replace(asked, won=50_000.0))
    assert reached.loc["won_deals":, "per_period"].eq(0).all()
    assert set(reached.loc["won_deals":, "status"]) == {"reached"}


@settings(max_examples=20, deadline=None)
@given(st.floats(1, 1e9), st.floats(1.5, 50))
def test_a_multiple_of_the_target_multiplies_every_need(target: float, factor: float) -> None:
    rates = measured(quarter(), draws=100)
    once, more = by_step(rates, goal(target)), by_step(rates, goal(target * factor))
    needs = ["per_period", "per_rep", "per_week", "mean", "p10", "p90"]
    steps = [s for s in once.index if s != "won_so_far"]
    np.testing.assert_allclose(more.loc[steps, needs], once.loc[steps, needs] * factor, rtol=1e-9)


def test_perfect_rates_change_nothing_and_are_sure() -> None:
    plan = by_step(measured(quarter(), **PERFECT), goal(40.0))
    needs = plan.drop(index=["won_so_far", "opportunities_too_late"])[["per_period", "mean", "p10", "p90"]]
    assert (needs == 40.0).all().all()
    assert plan.loc["opportunities_too_late", "per_period"] == 0
    assert set(plan["rate_source"].dropna()) == {"assumed"}


def test_uncertainty_grows_along_the_chain_and_shrinks_with_more_past(rates: dict[str, Rate]) -> None:
    plan = by_step(rates)
    width = plan["p90"] / plan["p10"]
    assert width["won_deals"] == pytest.approx(1.0)  # every won deal brought the same
    assert width["won_deals"] < width["opportunities"] < width["sql"] < width["leads"]
    assert ((plan["p10"] <= plan["mean"]) & (plan["mean"] <= plan["p90"])).loc["won_deals":].all()
    once = quarter()
    states = [once.states.assign(deal=once.states["deal"] + i * len(once.deals)) for i in range(10)]
    deals = pd.concat([once.deals] * 10, ignore_index=True)
    ten = replace(once, deals=deals, states=pd.concat(states, ignore_index=True))
    less = by_step(measured(ten))
    assert less.loc["opportunities", "p90"] / less.loc["opportunities", "p10"] < width["opportunities"] ** 0.6


def test_the_range_of_a_share_is_that_of_its_beta(rates: dict[str, Rate]) -> None:
    from scipy.stats import beta

    many = measured(quarter(), draws=20_000)
    for name, (k, n) in {"win_rate": (4, 8), "sql_to_opportunity": (8, 10), "mql_to_sql": (10, 20)}.items():
        low, high = np.quantile(many[name].draws, [0.1, 0.9])
        assert (low, high) == pytest.approx(tuple(beta.ppf([0.1, 0.9], k, n - k)), abs=0.01)
        assert many[name].value == k / n


def test_a_rate_without_data_leaves_what_hangs_on_it_open_and_says_why() -> None:
    bare = replace(quarter(), tables={})
    plan = by_step(measured(bare))
    assert plan.loc[["won_deals", "opportunities"], "status"].eq("ok").all()
    for step, why in {
        "leads": "no table leads",
        "meetings": "no table touches",
        "contacts": "no table touches",
    }.items():
        assert plan.loc[step, "status"] == "undefined"
        assert why in plan.loc[step, "reason"]
        assert plan.loc[step, ["per_period", "per_rep", "per_week", "mean", "p10", "p90"]].isna().all()
    assert not np.isinf(plan.select_dtypes("number").to_numpy()).any()


@pytest.mark.parametrize(
    ("deals", "why"),
    [
        ([], "no deal with an amount was won"),
        ([deal("o", ("2024-01-02", {"stage": "Talk", "amount": 5.0}))], "no deal with an amount was won"),
    ],
    ids=["nothing", "one open deal"],
)
def test_a_company_without_a_past_gets_an_answer_without_numbers(deals: list, why: str) -> None:
    plan = by_step(measured(tell(deals, until="2024-03-31")))
    assert plan.loc["target", "per_period"] == 40_000
    assert plan.loc["won_deals":, "status"].eq("undefined").all()
    assert why in plan.loc["won_deals", "reason"]
    stated = by_step(measured(tell(deals, until="2024-03-31"), **PERFECT))
    assert stated.loc["won_deals":, "status"].eq("ok").all()


def test_leads_and_touches_that_are_there_twice_count_once_and_are_told() -> None:
    company = quarter()
    twice = {name: pd.concat([rows, rows], ignore_index=True) for name, rows in company.tables.items()}
    plain, doubled = (past_of(replace(company, tables=t), CALENDAR, True, 1) for t in (company.tables, twice))
    assert (doubled.contacts, doubled.meetings) == (plain.contacts, plain.meetings) == (1300, 65)
    assert {s: hit.sum() for s, hit in doubled.reached.items()} == {s: hit.sum() for s, hit in plain.reached.items()}
    assert [f.code for f in doubled.findings] == ["LEADS-REPEATED", "TOUCHES-REPEATED"]
    assert not plain.findings


def test_where_no_deal_names_its_lead_no_leads_are_planned() -> None:
    history = quarter()
    plan = by_step(measured(replace(history, deals=history.deals.drop(columns="lead_id"))))
    assert plan.loc[["opportunities_from_leads", "leads"], "status"].eq("undefined").all()
    assert "no deal names its lead" in plan.loc["leads", "reason"]


def test_nothing_won_is_no_rate_to_plan_with() -> None:
    lost = [deal(f"l{i}", ("2024-01-02", {"amount": 5.0}), ("2024-02-01", {"status": "lost"})) for i in range(3)]
    old = deal("old", ("2023-12-01", {"amount": 1.0}), ("2023-12-30", {"status": "won"}))
    rates = measured(tell([old, *lost], until="2024-03-31"), deal_size=100.0)
    plan = by_step(rates)
    assert plan.loc["won_deals", "per_period"] == 400
    assert plan.loc["opportunities", "status"] == "undefined"
    assert "none of 3 did" in plan.loc["opportunities", "reason"]


def test_one_win_has_a_range_and_no_mean() -> None:
    one = [deal(f"l{i}", ("2024-01-02", {"amount": 5.0}), ("2024-02-01", {"status": how}))
           for i, how in enumerate(["won", "lost", "lost"])]  # fmt: skip
    old = deal("old", ("2023-12-01", {"amount": 1.0}), ("2023-12-30", {"status": "won"}))
    row = by_step(measured(tell([old, *one], until="2024-03-31"))).loc["opportunities"]
    assert row["per_period"] == pytest.approx(40_000 / 5 * 3)
    assert pd.isna(row["mean"])
    assert 0 < row["p10"] < row["p90"]


def test_steps_that_an_export_does_not_know_are_left_out_of_the_chain() -> None:
    history = quarter()
    leads = history.tables["leads"].drop(columns=["mql_at", "sql_at"])
    plan = by_step(measured(replace(history, tables={"leads": leads})))
    assert not {"mql", "sql"} & set(plan.index)
    assert plan.loc["leads", ["per_period", "rate"]].tolist() == [pytest.approx(16 / (8 / 40)), "lead_to_opportunity"]
    stated = by_step(measured(history, lead_to_opportunity=0.5))
    assert not {"mql", "sql"} & set(stated.index)
    assert stated.loc["leads", "per_period"] == 32


def test_what_is_written_later_changes_nothing(rates: dict[str, Rate]) -> None:
    import stories

    rng = np.random.default_rng(0)
    for later in (stories.reverses, stories.reopens, stories.rewrites_facts):
        told = later(quarter(), AS_OF, rng)
        more = pd.DataFrame({"at": pd.Series([pd.Timestamp("2024-04-05")]).astype("datetime64[s]"), "kind": ["sent"]})
        touches = pd.concat([told.tables["touches"], more], ignore_index=True)
        again = measured(replace(told, tables={**told.tables, "touches": touches}))
        pd.testing.assert_frame_equal(by_step(again), by_step(rates))


def asked(**told: object) -> PlanSettings:
    settings = settings_for("plan", {"crm": {}, "source": "x", **told})
    assert isinstance(settings, PlanSettings)
    return settings


def test_targets_are_of_the_next_period_of_named_ones_or_the_exports_quota() -> None:
    history = quarter()
    quotas = pd.DataFrame({"period": ["2024Q2", "2024Q2", "2024Q3"], "level": "owner", "group": ["ann", "bob", "ann"],
                           "amount": [100.0, 50.0, 70.0]})  # fmt: skip
    known = replace(
        history, tables={"quotas": quotas.astype({"period": "string", "level": "string", "group": "string"})}
    )

    def told(**words: object) -> dict[str, float]:
        return {p.name: amount for p, amount in targets(asked(**words), known, CALENDAR, AS_OF)}

    assert told(target=9) == {"2024Q2": 9.0}
    assert told(target=9, period="2024Q4") == {"2024Q4": 9.0}
    assert told(target={"2024Q2": 9, "2024Q3": 10}) == {"2024Q2": 9.0, "2024Q3": 10.0}
    assert told(target="quota") == {"2024Q2": 150.0}
    assert told(target="quota", period="2024Q3") == {"2024Q3": 70.0}
    for wrong in ({"target": 9, "period": "2024Q1"}, {"target": {"2023Q1": 9}}, {"target": {"x": 9}}):
        with pytest.raises(SettingsError):
            told(**wrong)
    with pytest.raises(DataError, match="no quota above 0"):
        told(target="quota", period="2025Q1")


def test_only_deals_of_the_type_that_counts_are_measured() -> None:
    history = quarter()
    kinds = ["new"] * 3 + ["existing"] * 6
    typed = replace(history, deals=history.deals.assign(deal_type=pd.array(kinds, dtype="string")),
                    roles={**history.roles, "deal_type": "birth"})  # fmt: skip
    new = rates_of(past_of(typed, CALENDAR, True, 1, "new"), AssumedRates(), 100, 0)
    assert (new["win_rate"].value, new["win_rate"].n) == (1.0, 2)  # d0 and d1; the older win lies before
    assert "not told apart" in new["meeting_to_win"].reason
    every = rates_of(past_of(typed, CALENDAR, True, 1), AssumedRates(), 100, 0)
    assert (every["win_rate"].value, every["win_rate"].n) == (0.5, 8)


@pytest.mark.parametrize("target", [0, -5, {"2025Q1": 100, "2025Q2": 0}, "a lot", float("nan")])
def test_a_target_is_an_amount_above_nought(target: object) -> None:
    with pytest.raises(ValueError, match="target"):
        settings_for("plan", {"crm": {}, "source": "x", "target": target})


def test_stated_rates_are_shares_and_name_each_step_once() -> None:
    for wrong in ({"win_rate": 0.0}, {"win_rate": 1.5}, {"lead_to_opportunity": 0.1, "mql_to_sql": 0.5}, {"wins": 1}):
        with pytest.raises(ValidationError):
            AssumedRates.model_validate(wrong)
