"""A person is only told to close above or below own calls where chance and the number of people do not explain it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from pipeforecast.people import judged, without_names
from pipeforecast.people.bias import COLUMNS, FEWEST_PERIODS

PERIODS = 12


def called(call: np.ndarray, actual: np.ndarray, layer: str = "rep", n_calls: int = 3) -> pd.DataFrame:
    """Give calls and what came true, (people, periods) each; the people are p00, p01, …"""
    who, when = np.indices(call.shape)
    return pd.DataFrame({
        "layer": layer, "person": [f"p{i:02d}" for i in who.ravel()], "period": [f"Q{i:02d}" for i in when.ravel()],
        "n_calls": n_calls, "call": call.ravel(), "actual": actual.ravel(),
    })  # fmt: skip


def noisy(
    rng: np.random.Generator, people: int, periods: int, sd: float, bias: np.ndarray | float = 0.0
) -> pd.DataFrame:
    """Calls that come true on average (but for ``bias``), times lognormal noise; people are of different size."""
    call = 1e5 * np.exp(rng.normal(0, 0.5, people))[:, None] * np.exp(rng.normal(0, 0.2, (people, periods)))
    luck = np.exp(sd * rng.standard_normal((people, periods)) - sd**2 / 2)
    return called(call, call * luck * (1 + np.broadcast_to(bias, people))[:, None])


def test_one_person_by_hand() -> None:
    """Calls of 100 each; closed 50 and 150 in turn, twelve periods, and 40 more in each: a ratio of 1.4.

    With half a period at the call the ratio is (1680 + 50) ÷ (1200 + 50) = 1.384; alone in a layer nothing is shrunk.
    """
    actual = np.tile([90.0, 190.0], PERIODS // 2)
    found = judged(called(np.full((1, PERIODS), 100.0), actual[None, :])).iloc[0]
    ratio = 1730 / 1250
    off = actual - ratio * 100.0
    sd = np.sqrt((off**2).sum() / (ratio**2 * PERIODS * 100.0**2) * PERIODS / (PERIODS - 1) / PERIODS)
    reach = t.ppf(0.95, PERIODS - 1) * sd
    assert found["bias"] == pytest.approx(ratio - 1)
    assert (found["lower"], found["upper"]) == pytest.approx((ratio * np.exp(-reach) - 1, ratio * np.exp(reach) - 1))
    assert (found["n_periods"], found["n_calls"]) == (12, 36)
    assert found["flagged"]
    assert found["words"] == "closed 38 % above own calls (12 periods, 90 % interval: 14 % to 68 %)"


def test_the_words_say_how_many_people_the_interval_is_corrected_for() -> None:
    low, high = noisy(np.random.default_rng(0), 5, 20, 0.1, -0.4), noisy(np.random.default_rng(0), 5, 20, 0.1)
    down, fair = judged(low), judged(high)
    assert down["flagged"].all()
    words = down["words"].iloc[0]
    assert words.startswith("closed 4")
    assert "% below own calls (20 periods, 90 % interval corrected for 5 people: " in words
    near, far = (abs(down[c].iloc[0]) for c in ("upper", "lower"))
    assert words.endswith(f"{100 * near:.0f} % to {100 * far:.0f} %)")
    assert not fair["flagged"].any()
    assert fair["words"].str.startswith("cannot tell whether above or below own calls: closed ").all()
    ends = r"\(20 periods, 90 % interval corrected for 5 people: \d+ % below to \d+ % above\)"
    assert fair["words"].str.contains(ends).all()


def test_many_people_are_judged_more_strictly_than_one() -> None:
    one = noisy(np.random.default_rng(1), 1, PERIODS, 0.3, -0.3)
    widths = []
    for people in (2, 40):
        others = noisy(np.random.default_rng(2), people - 1, PERIODS, 0.3).assign(person=lambda x: "o" + x["person"])
        found = judged(pd.concat([one, others])).set_index("person").loc["p00"]
        widths.append(np.log1p(found["upper"]) - np.log1p(found["lower"]))
    assert widths[1] > 1.15 * widths[0]


@pytest.mark.parametrize(("people", "sd"), [(12, 0.4), (5, 0.6)])
def test_without_bias_hardly_any_company_has_anyone_flagged(people: int, sd: float) -> None:
    """Of 200 companies whose people all call fairly, at most about a tenth (the nominal share) flags anyone."""
    rng = np.random.default_rng(people)
    flagged = [bool(judged(noisy(rng, people, PERIODS, sd))["flagged"].any()) for _ in range(200)]
    assert np.mean(flagged) <= 0.10


def test_deals_that_come_or_do_not_flag_hardly_anyone() -> None:
    """Two deals a period on average, of very different size: one period in seven brings nothing."""
    rng, flagged = np.random.default_rng(5), 0
    for _ in range(100):
        n = rng.poisson(2.0, (8, PERIODS))
        actual = np.array([[np.exp(rng.normal(-0.5, 1.0, k)).sum() for k in row] for row in n]) / 2.0
        flagged += bool(judged(called(np.ones((8, PERIODS)), actual))["flagged"].any())
    assert (n == 0).any()
    assert flagged <= 13


def test_a_planted_bias_is_found() -> None:
    """One of twelve people closes 30 % below: named in nearly every company, and hardly anyone else is."""
    rng, found, wrong = np.random.default_rng(7), 0, 0
    for _ in range(40):
        rows = judged(noisy(rng, 12, 16, 0.25, np.where(np.arange(12) == 4, -0.3, 0.0))).set_index("person")
        hit = rows.loc["p04"]
        found += bool(hit["flagged"] and hit["upper"] < 0 and "below own calls" in hit["words"])
        wrong += bool(rows["flagged"].drop("p04").any())
    assert found >= 36
    assert wrong <= 8


def test_a_layer_that_is_off_as_a_whole_is_found_in_all_of_it() -> None:
    rows = judged(noisy(np.random.default_rng(3), 10, PERIODS, 0.25, -0.3))
    assert rows["flagged"].mean() > 0.8
    assert rows["bias"].mean() == pytest.approx(-0.3, abs=0.08)


def test_people_are_drawn_towards_their_layer_and_the_less_known_the_more() -> None:
    rng = np.random.default_rng(11)
    layer = noisy(rng, 9, 24, 0.2)
    short = noisy(rng, 1, FEWEST_PERIODS, 0.2, 0.5).assign(person="short")
    long = noisy(rng, 1, 40, 0.2, 0.5).assign(person="long")
    rows = judged(pd.concat([layer, short, long])).set_index("person")
    for name, table in (("short", short), ("long", long)):
        raw = table["actual"].sum() / table["call"].sum() - 1
        assert 0 < rows.loc[name, "bias"] < raw
    kept = rows["bias"] / [pd.concat([short, long]).query("person == @n")[["actual", "call"]].sum().pipe(
        lambda s: s["actual"] / s["call"] - 1) if n in ("short", "long") else np.nan for n in rows.index]  # fmt: skip
    assert kept["short"] < kept["long"]


def test_few_periods_say_nothing() -> None:
    few, enough = (noisy(np.random.default_rng(0), 1, n, 0.1, -0.5) for n in (FEWEST_PERIODS - 1, FEWEST_PERIODS))
    found = judged(few).iloc[0]
    assert found[["bias", "lower", "upper"]].isna().all()
    assert not found["flagged"]
    assert found["words"] == "cannot tell: 7 periods, expected 8 or more"
    assert judged(enough).iloc[0]["flagged"]


def test_what_is_not_known_is_worded_so() -> None:
    lost = called(np.ones((1, 12)), np.full((1, 12), np.nan))
    nothing = called(np.zeros((1, 12)), np.ones((1, 12)), layer="manager")
    assert judged(lost)["words"].tolist() == [
        "cannot tell: no complete period with a call and a deal that is known to be theirs"
    ]
    assert judged(nothing)["words"].tolist() == ["cannot tell: 12 periods with calls of nothing"]
    assert not judged(pd.concat([lost, nothing]))["flagged"].any()


def test_nothing_closed_is_far_below_and_finite() -> None:
    found = judged(called(np.ones((1, 12)), np.zeros((1, 12)))).iloc[0]
    assert -1 < found["lower"] <= found["bias"] <= found["upper"] < 0
    assert found["flagged"]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5), st.integers(2, 14), st.integers(0, 10**6), st.floats(1e-3, 1e6), st.floats(0.0, 2.0)
)  # fmt: skip
def test_laws(people: int, periods: int, seed: int, unit: float, zeros: float) -> None:
    """One row a person; ends around the bias; the unit of money and the order of rows change nothing."""
    rng = np.random.default_rng(seed)
    table = noisy(rng, people, periods, 0.7)
    table["actual"] *= rng.random(len(table)) > zeros / 2
    found = judged(table)
    assert tuple(found.columns) == COLUMNS
    assert sorted(found["person"]) == sorted(set(table["person"]))
    known = found[found["bias"].notna().to_numpy()]
    assert len(known) == (people if periods >= FEWEST_PERIODS else 0)
    assert ((known["lower"] <= known["bias"]) & (known["bias"] <= known["upper"]) & (known["lower"] > -1)).all()
    assert (known["flagged"] == ((known["lower"] > 0) | (known["upper"] < 0))).all()
    scaled = table.assign(call=table["call"] * unit, actual=table["actual"] * unit)
    pd.testing.assert_frame_equal(judged(scaled), found, rtol=1e-6)
    pd.testing.assert_frame_equal(judged(table.sample(frac=1.0, random_state=0)), found, rtol=1e-6)


def test_layers_are_judged_apart() -> None:
    reps, managers = (noisy(np.random.default_rng(i), n, PERIODS, 0.3) for i, n in ((0, 6), (1, 2)))
    both = judged(pd.concat([reps, managers.assign(layer="manager")]))
    assert both["layer"].tolist() == ["rep"] * 6 + ["manager"] * 2
    alone = pd.concat([judged(reps), judged(managers).assign(layer="manager")], ignore_index=True)
    pd.testing.assert_frame_equal(both, alone)


# Names


def test_numbers_stand_for_names() -> None:
    table = pd.DataFrame({"person": ["cyd", "ann", "cyd", "bob"], "layer": ["rep", "rep", "manager", "rep"]})
    assert without_names(table)["person"].tolist() == ["Person 1", "Person 2", "Person 1", "Person 3"]
    assert without_names(table, {"ann": 4, "dan": 2})["person"].tolist() == [
        "Person 5", "Person 4", "Person 5", "Person 6",
    ]  # fmt: skip
    assert without_names(table.iloc[:0]).empty


def test_the_order_says_nothing_about_names() -> None:
    """People of whom nothing can be told stand in no alphabetical order, and in the same one each time."""
    few = noisy(np.random.default_rng(0), 12, 2, 0.3)
    order = judged(few)["person"].tolist()
    assert order == judged(few.iloc[::-1])["person"].tolist()
    assert order not in (sorted(order), sorted(order, reverse=True))
