"""Attribution: worked examples, and sums that are exact whatever the touches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast.metrics.attribution import MODELS, UNATTRIBUTED, attributed, shared_out, weights

CLOSE = pd.Timestamp("2024-03-29")


def deals(*amounts: float) -> pd.DataFrame:
    return pd.DataFrame({"deal": np.arange(len(amounts)), "amount": amounts})


def touches(*rows: tuple[int, float, str]) -> pd.DataFrame:
    """(deal, days before the close, source) of each touch; the campaign is the source in capitals."""
    return pd.DataFrame({
        "deal": np.array([r[0] for r in rows], dtype="int64"),
        "at": pd.to_datetime([CLOSE - pd.Timedelta(days=r[1]) for r in rows]).astype("datetime64[s]"),
        "source": pd.array([r[2] for r in rows], dtype="string"),
        "campaign": pd.array([r[2].upper() for r in rows], dtype="string"),
    })  # fmt: skip


def by_source(amount: float, rows: pd.DataFrame, model: str) -> dict[str, float]:
    out = attributed(deals(amount), rows).groupby("source")[model].sum() / 100
    return {str(k): float(v) for k, v in out.items()}


THREE = touches((0, 14, "web"), (0, 7, "event"), (0, 0, "mail"))


@pytest.mark.parametrize(
    ("model", "amount", "expected"),
    [
        ("first", 900, {"web": 900, "event": 0, "mail": 0}),
        ("last", 900, {"web": 0, "event": 0, "mail": 900}),
        ("linear", 900, {"web": 300, "event": 300, "mail": 300}),
        ("position", 900, {"web": 360, "event": 180, "mail": 360}),
        ("time_decay", 700, {"web": 100, "event": 200, "mail": 400}),
    ],
)
def test_worked_examples(model: str, amount: float, expected: dict[str, float]) -> None:
    assert by_source(amount, THREE, model) == expected


@pytest.mark.parametrize("model", MODELS)
def test_one_touch_has_all(model: str) -> None:
    assert by_source(123.45, touches((0, 3, "web")), model) == {"web": 123.45}


def test_two_touches_share_by_position_in_halves() -> None:
    assert by_source(900, touches((0, 9, "web"), (0, 1, "mail")), "position") == {"web": 450, "mail": 450}


def test_four_by_position() -> None:
    rows = touches((0, 9, "a"), (0, 8, "b"), (0, 7, "c"), (0, 1, "d"))
    assert by_source(1000, rows, "position") == {"a": 400, "b": 100, "c": 100, "d": 400}


def test_the_cents_that_are_left_go_to_the_earlier_of_equal_remainders() -> None:
    assert by_source(1.00, THREE, "linear") == {"web": 0.34, "event": 0.33, "mail": 0.33}
    assert by_source(-1.00, THREE, "linear") == {"web": -0.34, "event": -0.33, "mail": -0.33}


def test_the_cents_that_are_left_go_to_the_largest_remainders() -> None:
    cents = shared_out(np.array([10]), np.zeros(3, dtype="int64"), np.array([0.47, 0.24, 0.29]))
    assert cents.tolist() == [5, 2, 3]  # 4.7, 2.4, 2.9


@pytest.mark.parametrize("model", MODELS)
def test_without_touch_it_is_unattributed(model: str) -> None:
    out = attributed(deals(100, 50.55), touches((0, 1, "web")))
    assert out.loc[out["source"] == UNATTRIBUTED, ["deal", "campaign", model]].to_numpy().tolist() == [
        [1, UNATTRIBUTED, 5055]
    ]


@pytest.mark.parametrize("model", MODELS)
def test_nothing_won_or_nothing_touched_is_no_error(model: str) -> None:
    assert attributed(deals(), THREE).empty
    assert attributed(deals(10.0), touches())[model].tolist() == [1000]
    assert attributed(deals(), touches()).empty


def test_old_touches_do_not_drown() -> None:
    """Half-lives before the close are many; against the last touch they are what counts."""
    out = attributed(deals(300.0), touches((0, 90007, "a"), (0, 90000, "b")))
    assert out["time_decay"].tolist() == [10000, 20000]


def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="time_decay"):
        weights(np.array([0]), np.array([0]), "shapley")


amounts = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6)
some_touches = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 40), st.sampled_from(["web", "event", "mail"])), max_size=40
)


@given(amounts, some_touches)
def test_parts_add_up_to_the_cent_for_every_model(cents: list[int], rows: list[tuple[int, int, str]]) -> None:
    told = deals(*(c / 100 for c in cents))
    out = attributed(told, touches(*rows))
    for model in MODELS:
        sums = out.groupby("deal")[model].sum().reindex(range(len(cents)))
        assert sums.tolist() == cents


@given(amounts, some_touches, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(cents: list[int], rows: list, random) -> None:
    told = deals(*(c / 100 for c in cents))
    other = list(rows)
    random.shuffle(other)
    one, two = (
        attributed(told, touches(*r)).groupby(["deal", "source", "campaign"])[list(MODELS)].sum() for r in (rows, other)
    )
    pd.testing.assert_frame_equal(one, two)


@given(some_touches)
def test_shares_of_a_deal_add_up_to_one_and_none_is_negative(rows: list[tuple[int, int, str]]) -> None:
    told = sorted((d, t) for d, t, _ in rows)
    deal, at = (np.array([r[i] for r in told], dtype="int64") for i in (0, 1))
    for model in MODELS:
        share = weights(deal, at * 86400, model)
        assert (share >= 0).all()
        np.testing.assert_allclose([share[deal == d].sum() for d in np.unique(deal)], 1.0)


@given(some_touches, st.integers(1, 10**8))
def test_no_part_is_a_cent_away_from_its_exact_share(rows: list[tuple[int, int, str]], cents: int) -> None:
    deal = np.zeros(len(rows), dtype="int64")
    at = np.sort(np.array([r[1] for r in rows], dtype="int64")) * 86400
    for model in MODELS:
        share = weights(deal, at, model)
        parts = shared_out(np.array([cents]), deal, share)
        assert (np.abs(parts - share * cents) < 1 + 1e-5).all()
