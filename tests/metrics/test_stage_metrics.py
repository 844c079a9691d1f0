"""Stages: cohorts that skip and stay open, Kaplan–Meier beside statsmodels, and where money is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from deal_stories import at, lost, opened, seen, won
from hypothesis import given, settings
from hypothesis import strategies as st
from lead_stories import history, reason, status, table, value
from statsmodels.duration.survfunc import SurvfuncRight

from pipeforecast.metrics.choices import Choices
from pipeforecast.metrics.stages import cohorts_of, stays_of
from pipeforecast.metrics.survival import survival_quantile
from stories import Deal, deal


def story(name: str, *steps: tuple[str, str], amount: float = 100) -> Deal:
    """A deal by its days and stages; ``won`` and ``lost`` close it."""
    states = [(day, {"status": s} if s in ("won", "lost") else {"stage": s, "amount": amount}) for day, s in steps]
    return deal(name, *states)


def test_fifty_entered_thirty_got_further() -> None:
    further = [story(f"f{i}", ("2024-04-01", "Talk"), ("2024-04-11", "Offer")) for i in range(30)]
    view = seen(further + [lost(f"l{i}", "2024-04-01", "2024-05-01", 1) for i in range(20)])
    assert value(view, "stage_conversion", "Talk") == 0.6
    assert status(view, "stage_conversion", "Talk") == "ok"
    assert value(view, "stage_days_to_pass", "Talk") == 10
    row = table(view, "stage_conversion").iloc[0]
    assert (row["n"], row["lower"] < 0.6 < row["upper"]) == (50, True)


def test_a_skipped_stage_counts_as_passed_and_those_before_the_first_do_not_count() -> None:
    view = seen([
        story("jumps", ("2024-04-01", "Talk"), ("2024-04-05", "Deal"), ("2024-05-01", "lost")),
        story("starts late", ("2024-04-01", "Deal"), ("2024-05-01", "won")),
        story("wins at once", ("2024-04-01", "Talk"), ("2024-04-08", "won")),
        story("back", ("2024-04-01", "Talk"), ("2024-04-02", "Offer"), ("2024-04-03", "Talk"), ("2024-05-01", "lost")),
    ])  # fmt: skip
    rows = cohorts_of(view).rows
    told = {(d, s): bool(p) for d, s, p in zip(rows["deal"], rows["stage"], rows["passed"], strict=True)}
    assert told == {
        (0, "Talk"): True, (0, "Offer"): True, (0, "Deal"): False,
        (1, "Deal"): True,
        (2, "Talk"): True, (2, "Offer"): True, (2, "Deal"): True,
        (3, "Talk"): True, (3, "Offer"): False,
    }  # fmt: skip
    assert value(view, "stage_conversion", "Offer") == 2 / 3
    assert value(view, "stage_conversion", "Deal") == 2 / 3


def test_open_deals_are_censored_and_make_the_cohort_immature() -> None:
    deals = [story("a", ("2024-04-01", "Talk"), ("2024-04-05", "Offer")), lost("b", "2024-04-01", "2024-04-10", 1)]
    deals += [opened(f"o{i}", "2024-04-01", 1) for i in range(2)]
    view = seen(deals)
    assert value(view, "stage_conversion", "Talk") == 0.5
    assert status(view, "stage_conversion", "Talk") == "immature"
    assert value(view, "stage_still_open", "Talk") == 0.5


def test_days_to_pass() -> None:
    days = ("2024-04-05", "2024-04-11", "2024-04-13")
    view = seen([story(d, ("2024-04-01", "Talk"), (d, "Offer")) for d in days])
    assert value(view, "stage_days_to_pass", "Talk") == 10


def test_median_days_in_stage_with_two_that_go_on() -> None:
    # Exits after 5, 10 and 40 days; seen at the end of 30 June, 8 and 30 days into it.
    ended = [story(f"e{n}", ("2024-04-01", "Talk"), (d, "lost")) for n, d in ((5, "2024-04-06"), (10, "2024-04-11"),
             (40, "2024-05-11"))]  # fmt: skip
    view = seen([*ended, story("o8", ("2024-06-23", "Talk")), story("o30", ("2024-06-01", "Talk"))])
    assert value(view, "stage_duration", "Talk") == 40
    assert table(view, "stage_duration").iloc[0]["n"] == 5


def test_a_stay_ends_on_the_true_day_of_closing() -> None:
    late = deal("a", ("2024-04-01", {"stage": "Talk"}), ("2024-04-20", {"status": "won", "closed_at": "2024-04-11"}))
    assert stays_of(seen([late])).rows["days"].tolist() == [10]


def test_without_a_history_of_stages_nothing_is_said_of_them() -> None:
    from dataclasses import replace

    from deal_stories import at
    from lead_stories import history

    made = history([won("a", "2024-04-01", "2024-05-01", 1)])
    view = at(replace(made, roles={**made.roles, "stage": "today"}))
    for name in ("stage_conversion", "stage_duration", "bottleneck"):
        assert "history of stages" in reason(view, name)


def shortfall() -> list[Deal]:
    """A year before half of Talk got further and half of their money was won; now a quarter of four does."""
    then = [
        story("p1", ("2024-01-02", "Talk"), ("2024-01-12", "Offer"), ("2024-02-01", "won"), amount=365.25),
        story("p2", ("2024-01-02", "Talk"), ("2024-01-12", "Offer"), ("2024-02-01", "lost"), amount=365.25),
        story("p3", ("2024-01-02", "Talk"), ("2024-01-12", "lost")),
        story("p4", ("2024-01-02", "Talk"), ("2024-01-12", "lost")),
    ]
    now = [story("n1", ("2024-04-01", "Talk"), ("2024-04-21", "Offer"), ("2024-05-01", "lost"), amount=250)]
    return then + now + [
        story(f"n{i}", ("2024-04-01", "Talk"), ("2024-04-21", "lost"), amount=250) for i in (2, 3, 4)
    ]  # fmt: skip


def test_the_bottleneck_is_told_in_money() -> None:
    view = seen(shortfall())
    assert value(view, "bottleneck_conversion", "Talk") == pytest.approx((0.5 - 0.25) * 1000 * 0.5)
    # Ten days more than before, of a stage whose deals brought 365.25 in the year.
    assert value(view, "bottleneck_time", "Talk") == pytest.approx(10)
    assert value(view, "bottleneck", "Talk") == pytest.approx(125)
    # A year that nobody saw says nothing.
    assert status(seen(shortfall()[4:]), "bottleneck", "Talk") == "undefined"


samples = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.booleans()), min_size=1, max_size=60)


@given(samples)
@settings(max_examples=60, deadline=None)
def test_kaplan_meier_is_that_of_statsmodels(rows: list[tuple[int, int, bool]]) -> None:
    cell, days, ended = (np.array(v) for v in zip(*rows, strict=True))
    value_, lower, upper = survival_quantile(cell, days.astype(float), ended, 4)
    assert np.isnan([value_[3], lower[3], upper[3]]).all()
    for i in range(3):
        mine = cell == i
        if not ended[mine].any():
            assert np.isnan(value_[i])
            continue
        theirs = SurvfuncRight(days[mine].astype(float), ended[mine].astype(int))
        near = np.abs(theirs.surv_prob - 0.5).min() < 1e-9  # at 0.5 itself rounding decides
        if not near:
            np.testing.assert_allclose(value_[i], theirs.quantile(0.5))
        with np.errstate(all="ignore"):
            low, high = theirs.quantile_ci(0.5)
        if not near:
            np.testing.assert_allclose(lower[i], low)
            np.testing.assert_allclose(upper[i], high if np.isfinite(high) else np.nan)


def test_one_name_for_stages_of_two_pipelines_is_each_pipelines_own() -> None:
    """Proposal is the last stage of new business and the first of renewals, where it is far surer."""
    names, lines = ["Demo", "Proposal", "Proposal", "Contract"], ["new", "new", "renewal", "renewal"]
    stages = pd.DataFrame({
        "pipeline": pd.array(lines, dtype="string"), "stage": pd.array(names, dtype="string"),
        "position": [1.0, 2.0, 1.0, 2.0], "kind": pd.array(["open"] * 4, dtype="string"),
        "probability": [0.1, 0.2, 0.8, 0.9],
    })  # fmt: skip
    sold = deal("n", ("2024-04-01", {"stage": "Demo", "amount": 100}), ("2024-04-11", {"stage": "Proposal"}),
                pipeline="new")  # fmt: skip
    kept = deal("r", ("2024-04-01", {"stage": "Proposal", "amount": 100}), pipeline="renewal")
    view = at(replace(history([sold, kept]), stages=stages), choices=Choices("Contract"))
    assert (value(view, "stage_conversion", "Demo"), status(view, "stage_conversion", "Proposal")) == (1, "undefined")
    assert value(view, "weighted_pipeline") == pytest.approx(20 + 80)
    assert value(view, "qualified_pipeline") == 100  # as far as Contract: the last stage of new business
