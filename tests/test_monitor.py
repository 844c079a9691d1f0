"""What is planted is found, dated and named; where nothing is planted nothing is called odd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeforecast import workflow
from pipeforecast.features import Features
from pipeforecast.monitor import (
    FINE,
    MONITOR_COLUMNS,
    by_period,
    calibration_rows,
    change_row,
    drift_rows,
    in_words,
    period_rows,
)

PERIODS = [f"{2021 + i // 4}Q{1 + i % 4}" for i in range(12)]


def described(rng: np.random.Generator, days: int, shift: float = 0.0, fresh: float = 0.0) -> Features:
    n = 120 * days
    numbers = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(12)})
    numbers["x3"] += shift
    source = rng.choice(["web", "fair", "call"], n).astype(object)
    source[: int(fresh * n)] = "podcast"
    as_of = np.repeat(np.arange(days), 120).astype("datetime64[D]").astype("datetime64[s]")
    return Features(numbers, pd.DataFrame({"source": source}), as_of, as_of)


def test_a_planted_drift_and_a_new_level_are_named_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    rows = list(drift_rows(described(rng, 8), described(rng, 1, shift=0.9, fresh=0.1)))
    odd = {(r["check"], r["name"]) for r in rows if r["verdict"] not in FINE}
    assert odd == {("drift", "x3"), ("drift", "source"), ("new_levels", "source")}
    (new,) = [r for r in rows if r["check"] == "new_levels"]
    assert "podcast" in new["advice"]
    assert new["value"] == pytest.approx(0.1)


def test_without_a_planted_drift_none_is_flagged() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert {r["verdict"] for r in drift_rows(described(rng, 8), described(rng, 1))} == {"steady"}


def test_a_number_of_the_day_is_not_judged_as_one_of_deals() -> None:
    rng = np.random.default_rng(4)
    then, now = described(rng, 8), described(rng, 1)
    then.numbers["x1"] = (then.as_of.astype("int64") // 86400 * 0.1) + 1
    now.numbers["x1"] = 7.0
    rows = {r["name"]: r["verdict"] for r in drift_rows(then, now)}
    assert rows.pop("x1") == "cannot tell"
    assert set(rows.values()) == {"steady"}


def test_few_deals_cannot_tell() -> None:
    rng = np.random.default_rng(2)
    few = described(rng, 1, shift=3.0).rows(np.arange(10))
    assert {r["verdict"] for r in drift_rows(described(rng, 8), few)} == {"cannot tell"}


def replayed(wrong_from: int | None, n: int = 300, seed: int = 3) -> pd.DataFrame:
    """Deals of twelve periods; from one period on a third of the wins that were said come."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, period in enumerate(PERIODS):
        said = rng.beta(1, 3, n)
        truth = said / 3 if wrong_from is not None and i >= wrong_from else said
        parts.append(pd.DataFrame({
            "period": period, "deal": np.arange(n) + i * n, "said": said,
            "won": (rng.random(n) < truth).astype("float64"),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_wins_said_and_their_spread_by_hand() -> None:
    table = pd.DataFrame({
        "period": ["a", "a", "a"], "deal": [1, 1, 2], "said": [0.5, 0.5, 0.2], "won": [1.0, 1.0, 0.0],
    })  # fmt: skip
    found = by_period(table, 0.0).loc["a"]
    assert found[["won", "said", "n"]].tolist() == [2.0, 1.2, 3.0]
    assert found["sd"] == pytest.approx(np.sqrt(1.0 + 0.16))  # both rows of deal 1 together: (0.5 + 0.5)²
    assert by_period(table, 0.5).loc["a", "sd"] == pytest.approx(np.sqrt(1.16 + (0.5 * 0.66) ** 2))


@pytest.mark.parametrize("at", [5, 8])
def test_a_known_change_is_found_dated_and_shows_in_its_periods(at: int) -> None:
    table = replayed(at)
    row = change_row(table, 0.15)
    assert (row["verdict"], row["period"]) == ("changed", PERIODS[at])
    assert row["value"] < 0
    verdicts = [r["verdict"] for r in period_rows(table, 0.15)]
    assert verdicts == ["as said"] * at + ["too few won"] * (12 - at)
    assert "off" in {r["verdict"] for r in calibration_rows(table)}


def test_chances_that_come_true_are_left_in_peace() -> None:
    table = replayed(None)
    rows = [*calibration_rows(table), *period_rows(table, 0.15), change_row(table, 0.15)]
    assert {r["verdict"] for r in rows} <= set(FINE)
    found = pd.DataFrame(rows, columns=list(MONITOR_COLUMNS))
    assert in_words(found, "it").splitlines()[0] == f"watched it: 0 of {len(rows)} checks ask for a look"


def test_the_verb_writes_every_check_and_says_which_model(told, tmp_path: Path) -> None:
    said = workflow.monitor(told("monitor"))
    found = pd.read_csv(tmp_path / "out" / "monitor.csv")
    assert list(found) == list(MONITOR_COLUMNS)
    assert {"drift", "calibration", "change", "retraining"} <= set(found["check"])
    assert "model: fitted now" in said
    assert not found["name"].isin(["ann", "bob"]).any()
