"""The audit of a small company that can be reckoned by hand, and the laws that hold for every company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_pipeline import AS_OF, ASKED, CALENDAR, OPEN, audited, company, small_audit, talk

from pipeforecast.audit import Audit
from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.looks import past_evenings
from pipeforecast.audit.owners import heaped
from pipeforecast.history import DealHistory
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings
from stories import day as day_of
from stories import deal, tell


@pytest.fixture(scope="module")
def made() -> Audit:
    return small_audit()


def flags_by_deal(audit: Audit) -> dict[str, set[str]]:
    told = audit.deals.set_index("deal_id")["flags"].fillna("")
    return {str(d): {f for f in str(flags).split("; ") if f} for d, flags in told.items()}


def test_each_flag_is_raised_where_it_should_be_and_nowhere_else(made: Audit) -> None:
    said = flags_by_deal(made)
    assert said == {
        "clean": set(), "passed": {"close_date_past"}, "today": set(), "pushed": {"pushed"}, "pulled": set(),
        "poor": {"no_amount"}, "nought": {"no_amount"}, "back": {"moved_back"}, "jumped": {"stages_skipped"},
        "visited": {"moved_back"}, "late start": set(),
    }  # fmt: skip


def test_a_flags_win_rate_is_that_of_past_deals_with_it_each_once(made: Audit) -> None:
    """Three deals were past their date on some evening: one was won. Six were open without it: three were won."""
    flag = made.flags.set_index("flag").loc["close_date_past"]
    assert (flag["n"], flag["win_rate"], flag["still_open"]) == (3, pytest.approx(1 / 3), 0)
    # Wilson's interval of 1 of 3: (1/3 + z²/6 ± z √(2/27 + z²/36)) / (1 + z²/3), z = 1.96.
    z = 1.959964
    middle, half, below = 1 / 3 + z**2 / 6, z * np.sqrt(2 / 27 + z**2 / 36), 1 + z**2 / 3
    assert (flag["lower"], flag["upper"]) == (
        pytest.approx((middle - half) / below),
        pytest.approx((middle + half) / below),
    )
    assert (flag["n_without"], flag["win_rate_without"]) == (6, pytest.approx(1 / 2))
    row = made.deals.set_index("deal_id").loc["passed"]
    assert (row["flag"], row["flag_win_rate"], row["n"]) == ("close_date_past", pytest.approx(1 / 3), 3)
    # (1/2 − 1/3) × 3 ÷ (3 + 10) of 500.
    assert row["expected_loss"] == pytest.approx(500 / 6 * 3 / 13)


def test_the_rate_of_deals_without_the_flag_is_told_stage_by_stage() -> None:
    """Late stages win more: among deals in Offer half are won with the flag and all without it."""
    offer = {"stage": "Offer"}
    past = [
        talk("a", ("2024-01-05", offer), ("2024-02-20", {"status": "won"}), due="2024-01-03"),
        talk("b", ("2024-01-05", offer), ("2024-02-20", {"status": "lost"}), due="2024-01-03"),
        talk("c", ("2024-01-05", offer), ("2024-02-20", {"status": "won"})),
        *(talk(f"d{i}", ("2024-02-20", {"status": "lost"})) for i in range(4)),
    ]
    flag = audited(tell([*past, talk("open")], until="2024-04-30")).flags.set_index("flag").loc["close_date_past"]
    assert flag["win_rate"] == 0.5
    assert flag["win_rate_without"] == pytest.approx(1 / 5)
    assert flag["win_rate_same_stage"] == 1.0
    assert flag["cost"] == pytest.approx(0.5 * 2 / 12)


def test_deals_open_with_a_flag_a_year_ago_are_followed_whether_or_not_they_closed() -> None:
    """Four deals were past their date on 1 May 2023: one was won since, one lost, two are open for ever."""
    old = {"stage": "Talk", "amount": 1.0, "expected_close": "2023-03-01"}
    ended = [[("2023-09-01", {"status": "won"})], [("2023-09-01", {"status": "lost"})], [], []]
    deals = [deal(f"d{i}", ("2023-01-02", old), *more) for i, more in enumerate(ended)]
    asked = replace(ASKED, past=PastSettings(days=400, every=73))
    flag = audited(tell(deals, until="2024-04-30"), asked).flags.set_index("flag").loc["close_date_past"]
    assert (flag["year_n"], flag["year_share"], flag["year_still_open"]) == (4, 0.25, 2)
    assert (flag["n"], flag["win_rate"], flag["still_open"]) == (2, 0.5, 2)
    young = audited(tell(deals, until="2024-04-30"), replace(ASKED, past=PastSettings(days=300, every=73)))
    assert young.flags.set_index("flag").loc["close_date_past", ["year_n", "year_still_open"]].tolist() == [0, 0]
    assert young.flags["year_share"].isna().all()


def test_a_stay_is_long_beyond_the_share_of_stays_that_end_sooner_with_open_ones_censored() -> None:
    """Stays in Talk end after 5, 10 and 40 days, two are still open: half have ended after 40 days (Kaplan–Meier)."""
    begun = pd.Timestamp("2024-03-01")

    def stay(name, days, first=begun):
        moved = str((first + pd.Timedelta(days=days)).date())
        return deal(name, (str(first.date()), {"stage": "Talk", "amount": 1.0, "expected_close": "2024-09-01"}),
                    *([(moved, {"stage": "Offer"})] if days else []))  # fmt: skip

    deals = [stay("5", 5), stay("10", 10), stay("40", 40),
             stay("8", 0, AS_OF - pd.Timedelta(days=7)), stay("30", 0, AS_OF - pd.Timedelta(days=29))]  # fmt: skip
    asked = replace(ASKED, flags=FlagSettings(stage_share=0.5, least_stays=3))
    history = tell(deals, until="2024-04-30")
    assert "long_in_stage" not in set(audited(history, asked).deals["flag"])
    older = tell([*deals[:-1], stay("50", 0, AS_OF - pd.Timedelta(days=49))], until="2024-04-30")
    said = flags_by_deal(audited(older, asked))
    assert {d for d, f in said.items() if "long_in_stage" in f} == {"50"}
    few = audited(older, replace(ASKED, flags=FlagSettings(stage_share=0.5, least_stays=4))).flags.set_index("flag")
    assert few.loc["long_in_stage", "status"] == "not available"


def with_touches(history: DealHistory, *touches: tuple[str, str]) -> DealHistory:
    at = pd.to_datetime([t[0] for t in touches], format="mixed").astype("datetime64[s]")
    ids = pd.array([t[1] for t in touches], dtype="string")
    table = pd.DataFrame({"at": at, "kind": "called", "deal_id": ids})
    return replace(history, tables={"touches": table})


def test_silence_counts_from_the_last_touch_or_else_from_creation() -> None:
    history = with_touches(
        tell([*company(), talk("called"), talk("never")], until="2024-04-30"),
        ("2024-03-31 12:00", "called"), ("2024-01-05", "fine0"), ("2024-01-05", "late1"), ("2024-04-30 18:00", "gone"),
    )  # fmt: skip
    made = audited(history)
    deals = made.deals.set_index("deal_id")
    assert deals["days_silent"].to_dict() == {"called": 30, "never": 119}
    assert (deals.loc["called", "last_contact"], pd.isna(deals.loc["never", "last_contact"])) == (
        day_of("2024-03-31"),
        True,
    )
    assert flags_by_deal(made) == {"called": set(), "never": {"no_activity"}}


def test_the_crms_own_day_of_last_activity_serves_today_only() -> None:
    deals = [*company(), talk("quiet", last_activity_at=pd.Timestamp("2024-02-01"), next_step="call", qualified=False),
             talk("recent", last_activity_at=pd.Timestamp("2024-04-20"), next_step=" ", qualified=True)]  # fmt: skip
    history = tell(
        deals, until="2024-04-30", roles=dict.fromkeys(("last_activity_at", "next_step", "qualified"), "today")
    )
    made = audited(history)
    table = made.deals.set_index("deal_id")
    assert flags_by_deal(made) == {"quiet": {"no_activity"}, "recent": {"no_next_step"}}
    assert table["qualified"].to_dict() == {"quiet": "no", "recent": "yes"}
    assert table["next_step"].dropna().to_dict() == {"quiet": "call"}
    status = made.flags.set_index("flag")["status"]
    assert (status["no_activity"], status["no_next_step"]) == ("today only", "today only")
    assert made.flags.set_index("flag").loc[["no_activity", "no_next_step"], "win_rate"].isna().all()
    assert {"FLAG-NOT-MEASURED"} == {f.code for f in made.findings} - {"FLAG-NOT-AVAILABLE"}
    # On an earlier evening today's values were not known: they judge nobody then.
    before = audited(history, as_of=pd.Timestamp("2024-04-29"))
    assert before.flags.set_index("flag").loc["no_next_step", "status"] == "not available"
    assert before.deals["next_step"].isna().all()


def test_deals_beyond_a_stage_without_its_answers_are_flagged_and_measured() -> None:
    """Past deals beyond Talk: with a segment one of one was won, without one none of two."""
    offer = ("2024-01-05", {"stage": "Offer"})
    past = [
        talk("told", offer, ("2024-02-20", {"status": "won"}), segment="smb"),
        talk("mute1", offer, ("2024-02-20", {"status": "lost"})),
        talk("mute2", offer, ("2024-02-20", {"status": "lost"})),
        talk("early", ("2024-02-20", {"status": "won"})),
    ]
    now = [talk("ready", offer, segment="ent", champion="yes"), talk("bare", offer), talk("still in Talk"),
           talk("half", offer, segment="ent", champion="no")]  # fmt: skip
    told = CriteriaSettings.model_validate({
        "questions": {"segment": "segment", "champion": {"column": "champion", "filled": "yes"}, "pain": "pain"},
        "stages": {"1": ["segment", "pain"], "Talk": ["champion"]},
    })  # fmt: skip
    history = tell([*past, *now], until="2024-04-30", roles={"champion": "today"})
    made = audited(history, replace(ASKED, criteria=told))
    table = made.deals.set_index("deal_id")
    assert table["missing"].dropna().to_dict() == {"bare": "segment; champion", "half": "champion"}
    assert flags_by_deal(made) == {"ready": set(), "bare": {"criteria_missing"}, "still in Talk": set(),
                                   "half": {"criteria_missing"}}  # fmt: skip
    flag = made.flags.set_index("flag").loc["criteria_missing"]
    assert (flag["n"], flag["win_rate"], flag["n_without"], flag["win_rate_without"]) == (2, 0.0, 1, 1.0)
    asked = made.criteria.set_index("question")
    assert asked["open_deals"].to_dict() == {"segment": 1, "champion": 2}
    assert asked["status"].to_dict() == {"segment": "measured", "champion": "today only"}
    assert table["qualified"].dropna().to_dict() == {"ready": "yes", "bare": "no", "half": "no"}
    assert [f.examples for f in made.findings if f.code == "CRITERIA-NO-COLUMN"] == [("pain",)]


def test_fields_that_the_crms_stages_require_are_asked_for() -> None:
    history = tell([*company(), talk("bare", ("2024-02-01", {"stage": "Offer"}))], until="2024-04-30")
    stages = history.stages.assign(
        required_fields=pd.array(["segment, amount; expected_close", None, None, None, None], dtype="string")
    )
    made = audited(replace(history, stages=stages))
    assert made.deals["missing"].to_list() == ["segment"]
    assert made.criteria["question"].to_list() == ["segment", "amount", "expected_close"]
    off = audited(replace(history, stages=stages), replace(ASKED, criteria=CriteriaSettings(required_fields=False)))
    assert off.criteria.empty
    assert off.deals["flag"].isna().all()


def test_what_a_stage_that_is_not_there_asks_for_is_not_asked_and_that_is_said() -> None:
    told = CriteriaSettings.model_validate({"questions": {"segment": "segment"}, "stages": {"4": ["segment"]}})
    made = audited(tell([*company(), talk("bare")], until="2024-04-30"), replace(ASKED, criteria=told))
    assert made.criteria.empty
    assert [f.examples for f in made.findings if f.code == "CRITERIA-NO-STAGE"] == [("4",)]


def test_every_open_deal_is_a_row_clean_ones_too_and_a_pair_of_deal_and_flag_a_row_of_its_own(made: Audit) -> None:
    assert sorted(made.deals["deal_id"]) == sorted(d.name for d in OPEN)
    assert made.deals["flag"].isna().sum() == 4
    assert made.deals["n_flags"].sum() == len(made.deal_flags)
    assert made.flags["open_deals"].sum() == len(made.deal_flags)
    money = made.deal_flags.groupby("flag")["at_stake"].sum()
    for row in made.flags.to_dict("records"):
        assert row["at_stake"] == pytest.approx(money.get(row["flag"], 0.0))
    # Without an amount: the median of what was won.
    poor = made.deals.set_index("deal_id").loc[["poor", "nought"]]
    assert poor["at_stake"].tolist() == [100.0, 100.0]
    assert poor["at_stake_assumed"].all()
    assert poor["amount"].fillna(0).eq(0).all()


def test_the_review_names_few_deals_per_owner_most_to_lose_first_with_a_question(made: Audit) -> None:
    review = made.review
    assert review.groupby("owner").size().max() <= 2
    assert review[review["owner"] == "ann"].iloc[0]["deal_id"] == "passed"
    for _, own in review.groupby("owner"):
        assert own["expected_loss"].is_monotonic_decreasing
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
    assert review["question"].tolist() == [FLAGS[f].question for f in review["flag"]]
    assert set(review["deal_id"]) <= set(made.deals.loc[made.deals["flag"].notna(), "deal_id"])


def test_owners_add_up_and_heaped_dates_stand_beside_their_chance(made: Audit) -> None:
    owners = made.owners.set_index("owner")
    others = owners.drop("(all)")
    for column in ("open_deals", "open_amount", "flagged_deals", "flagged_amount", "close_dates", "on_last_day"):
        assert others[column].sum() == pytest.approx(owners.loc["(all)", column])
    dates = pd.Series(pd.to_datetime(["2024-06-30", "2024-06-29", "2024-12-31", None]))
    last, even = heaped(dates, CALENDAR)
    assert last.tolist() == [True, False, True]
    assert even.tolist() == pytest.approx([1 / 91, 1 / 91, 1 / 92])


def test_what_is_written_later_changes_nothing(made: Audit) -> None:
    import stories

    history = tell([*company(), *OPEN], until="2024-04-30")
    rng = np.random.default_rng(0)
    for later in (stories.wins_all, stories.loses_all, stories.back_dates, stories.reopens, stories.reverses,
                  stories.rewrites_facts):  # fmt: skip
        again = audited(later(history, AS_OF, rng))
        pd.testing.assert_frame_equal(again.deals, made.deals)
        pd.testing.assert_frame_equal(again.flags, made.flags)
        pd.testing.assert_frame_equal(again.owners, made.owners)


@pytest.mark.parametrize("deals", [[], [talk("one")], company()], ids=["nothing", "one deal", "nothing open"])
def test_few_or_no_deals_are_an_answer(deals: list) -> None:
    made = audited(tell(deals, until="2024-04-30"))
    assert len(made.deals) == sum(d.name == "one" for d in deals)
    assert made.flags["open_deals"].sum() == 0
    assert made.owners["owner"].iloc[0] == "(all)"
    assert made.review.empty


def test_evenings_lie_before_today_and_not_before_the_first_row() -> None:
    days = past_evenings(AS_OF, pd.Timestamp("2024-04-05 09:00"), 730, 10)
    assert [str(d.date()) for d in days] == ["2024-04-10", "2024-04-20"]
