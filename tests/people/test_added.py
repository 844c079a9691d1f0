"""What each layer adds: on the origins that all of them have, by hand, with intervals of whole periods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.people import value_added, value_sentence
from pipeforecast.people.added import COLUMNS, LAYERS

Calls = dict[str, float | None]


def replay(*origins: tuple[str, int, float, Calls]) -> pd.DataFrame:
    """Rows of backtest.csv from (period, day, actual, forecast by method)."""
    rows: list[dict[str, Any]] = []
    for i, (period, day, actual, said) in enumerate(origins):
        at = {"as_of": pd.Timestamp("2024-01-01") + pd.Timedelta(days=30 * i), "day_of_period": day, "period": period}
        rows += [
            {
                **at,
                "level": "total",
                "group": "total",
                "method": m,
                "mean": np.nan if x is None else x,
                "actual": actual,
            }
            for m, x in said.items()
        ]
    return pd.DataFrame(rows)


def said(rep: float | None, manager: float | None, model: float) -> Calls:
    return {"rep_call": rep, "manager_call": manager, "model": model, "stage_rate": 1e9}


#: By hand. Day 30: errors of reps 40 + 20, of managers 20 + 30, of the model 10 + 0, of 100 + 200 in all.
WORKED = replay(
    ("2024Q1", 30, 100.0, said(140.0, 120.0, 110.0)),
    ("2024Q1", 60, 100.0, said(100.0, 90.0, 100.0)),
    ("2024Q2", 0, 200.0, said(None, 150.0, 200.0)),
    ("2024Q2", 30, 200.0, said(220.0, 170.0, 200.0)),
)


def row(found: pd.DataFrame, layer: str, day: int) -> dict[str, Any]:
    (only,) = found[((found["layer"] == layer) & (found["day_of_period"] == day)).to_numpy()].to_dict("records")
    return only


def test_the_worked_example() -> None:
    found = value_added(WORKED)
    assert tuple(found.columns) == COLUMNS
    assert found["layer"].tolist() == ["rep", "manager", "model"] * 3
    assert found["day_of_period"].tolist() == [-1] * 3 + [30] * 3 + [60] * 3  # on day 0 reps had not called
    wape = {layer: row(found, layer, 30)["wape"] for layer in ("rep", "manager", "model")}
    assert wape == pytest.approx({"rep": 60 / 300, "manager": 50 / 300, "model": 10 / 300})
    assert [row(found, x, 30)["below"] for x in ("rep", "manager", "model")] == ["", "rep", "manager"]
    assert row(found, "manager", 30)["added"] == pytest.approx(10 / 300)
    assert row(found, "model", 30)["added"] == pytest.approx(40 / 300)
    assert np.isnan([row(found, "rep", 30)[c] for c in ("added", "lower", "upper")]).all()
    whole = row(found, "model", -1)
    assert (whole["n_origins"], whole["n_periods"]) == (3, 2)
    assert whole["wape"] == pytest.approx(10 / 400)
    assert whole["added"] == pytest.approx((60 - 10) / 400)


def test_the_interval_draws_whole_periods_again() -> None:
    """Two periods: a draw is one of them twice, or both; both origins of the first always come together."""
    whole = row(value_added(WORKED), "model", -1)
    one, other = (20 + 10 - 10) / 200, 30 / 200
    assert (whole["lower"], whole["upper"]) == pytest.approx((one, other))


def test_with_one_period_it_cannot_be_told() -> None:
    found = value_added(replay(("2024Q1", 30, 100.0, said(140.0, 120.0, 110.0))))
    assert found[["lower", "upper"]].isna().all(axis=None)
    words = value_sentence(found)
    assert words == (
        "Calls of reps missed by 40 % of revenue, managers' by 20 % (20 points better; cannot tell from luck), "
        "the model's by 10 % (10 points better; cannot tell from luck) (1 past period, 1 forecast of each)."
    )


def test_the_sentence_of_the_worked_example() -> None:
    words = value_sentence(value_added(WORKED))
    assert words.startswith("Calls of reps missed by 15 % of revenue, managers' by 15 % (0 points better; cannot tell")
    assert "the model's by 2 % (12 points better; 90 % interval 10 to 15)" in words
    assert words.endswith("(2 past periods, 3 forecasts of each).")


def test_a_loss_is_called_worse() -> None:
    rows = replay(*((f"2024Q{q}", 30, 100.0, said(110.0, 130.0, 120.0)) for q in (1, 2, 3)))
    assert "managers' by 30 % (20 points worse; 90 % interval 20 to 20)" in value_sentence(value_added(rows))


@pytest.mark.parametrize("silent", [("rep",), ("manager",), ("rep", "manager")])
def test_a_layer_that_never_calls_is_left_out(silent: tuple[str, ...]) -> None:
    methods = [LAYERS[layer] for layer in silent]
    absent = WORKED[~WORKED["method"].isin(methods).to_numpy()]
    empty = WORKED.assign(mean=WORKED["mean"].where(~WORKED["method"].isin(methods)))
    found = value_added(absent)
    pd.testing.assert_frame_equal(found, value_added(empty))
    layers = [x for x in ("rep", "manager", "model") if x not in silent]
    assert list(dict.fromkeys(found["layer"])) == ([] if len(silent) == 2 else layers)
    assert value_sentence(found).startswith(("Calls of managers", "Calls of reps") if len(silent) == 1 else "")


def test_layers_that_share_no_origin_cannot_be_compared() -> None:
    rows = replay(("2024Q1", 30, 100.0, said(140.0, None, 110.0)), ("2024Q2", 30, 100.0, said(None, 120.0, 110.0)))
    found = value_added(rows)
    assert found.empty
    assert tuple(found.columns) == COLUMNS
    assert value_sentence(found) == ""
    assert value_added(rows.iloc[:0]).empty


def test_the_executive_stands_between_managers_and_the_model() -> None:
    more = WORKED[(WORKED["method"] == "model").to_numpy()].assign(method="executive_call")
    found = value_added(pd.concat([WORKED, more]))
    assert row(found, "executive", -1)["below"] == "manager"
    assert row(found, "model", -1)["added"] == 0.0
    assert "the executive's by 2 %" in value_sentence(found)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 400), *[st.integers(0, 400)] * 3),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_gains_add_up_from_the_lowest_layer_to_the_model(rows: list[tuple[int, int, int, int, int]]) -> None:
    made = replay(*((f"2024Q{q}", 30, float(y), said(float(a), float(b), float(c))) for q, y, a, b, c in rows))
    found = value_added(made)
    lowest, model = row(found, "rep", -1), row(found, "model", -1)
    gains = found.loc[(found["day_of_period"] == -1).to_numpy(), "added"].sum()
    assert lowest["wape"] - gains == pytest.approx(model["wape"])
    assert (found["lower"].isna() | (found["lower"] <= found["upper"])).all()
    other = value_added(made.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(found, other)
