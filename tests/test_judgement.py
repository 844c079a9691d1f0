"""A table of chances judged: scores by hand, groups that are large enough, money, and no names of people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeforecast.judgement import (
    CALIBRATION_COLUMNS,
    EVALUATION_COLUMNS,
    OTHER,
    TOTAL,
    calibrated,
    evaluated,
    in_words,
    scored,
    splits_of,
)
from pipeforecast.scores import LEAST

TABLE = pd.DataFrame({
    "period": ["Q1", "Q1", "Q2", "Q2"], "won": [1.0, 0.0, 1.0, 0.0], "m": [0.8, 0.4, 0.5, 0.0], "sure": [1, 0, 1, 0],
})  # fmt: skip


def value(found: pd.DataFrame, model: str, score: str, split: str = TOTAL, column: str = "value") -> float:
    return float(found.set_index(["model", "split", "score"]).loc[(model, split, score), column])


def company(n: int = 1200, seed: int = 0) -> pd.DataFrame:
    """A table whose chances ``m`` are true, ``high`` are not, and the deals of one owner are won more often."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    owner = np.array(["ann@example.com", "Bob Brown", "carl"])[rng.integers(0, 3, n)]
    odds = p / (1 - p) * np.where(owner == "carl", 3.0, 1.0)
    won = (rng.random(n) < odds / (1 + odds)).astype(float)
    listed = rng.lognormal(9, 1, n)
    listed[: n // 20] = np.nan
    final = np.nan_to_num(listed, nan=8000.0) * 1.1
    return pd.DataFrame({
        "period": np.array(["Q1", "Q2", "Q3", "Q4"])[np.arange(n) % 4], "deal": np.arange(n), "owner": owner,
        "day_of_period": np.array([0, 30, 60])[np.arange(n) % 3], "stage": np.where(np.arange(n) < 900, "Talk", "Deal"),
        "segment": np.where(np.arange(n) < 1100, "large", "small"), "listed_amount": listed, "expected_amount": final,
        "won": won, "won_amount": final * won, "m": p, "high": np.sqrt(p),
    })  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return company()


@pytest.fixture(scope="module")
def judged(table: pd.DataFrame) -> pd.DataFrame:
    return evaluated(table, ["m", "high"], by_hand=["high"])


def test_scores_of_four_deals_by_hand() -> None:
    found = scored(TABLE, ["m"])
    p = np.array([0.8, 0.6, 0.5, 1 - LEAST])  # given to what happened
    assert value(found, "m", "log_loss") == pytest.approx(-np.log(p).mean())
    assert value(found, "m", "brier") == pytest.approx(((1 - p) ** 2).mean())
    assert value(found, "m", "auc") == 1.0
    assert value(found, "m", "average_precision") == 1.0
    assert (found["n"] == 4).all()
    assert list(found.columns) == list(EVALUATION_COLUMNS)


def test_nobody_is_ever_sure() -> None:
    """A chance of 0 or 1 costs as much as one a little inside, and no more."""
    found = scored(TABLE.assign(wrong=1 - TABLE["won"]), ["sure", "wrong"])
    assert value(found, "sure", "log_loss") == pytest.approx(-np.log(1 - LEAST))
    assert value(found, "wrong", "log_loss") == pytest.approx(-np.log(LEAST))


def test_where_all_end_alike_nothing_is_ranked() -> None:
    assert np.isnan(value(scored(TABLE.assign(won=1.0), ["m"]), "m", "auc"))


def test_one_period_has_scores_and_no_ranges() -> None:
    found = scored(TABLE.assign(period="Q1"), ["m"])
    assert found["lower"].isna().all()
    assert np.isfinite(value(found, "m", "log_loss"))


def test_money_is_what_was_promised_over_what_came(table: pd.DataFrame, judged: pd.DataFrame) -> None:
    """A model promises its expected amounts, a rule of thumb the listed ones."""
    brought = table["won_amount"].sum()
    assert value(judged, "m", "money_ratio") == pytest.approx((table["m"] * table["expected_amount"]).sum() / brought)
    by_hand = (table["high"] * table["listed_amount"].fillna(0)).sum() / brought
    assert value(judged, "high", "money_ratio") == pytest.approx(by_hand)
    assert value(judged, "m", "money_ratio", column="lower") < value(judged, "m", "money_ratio", column="upper")


def test_small_groups_are_judged_together_and_groups_are_all_rows(table: pd.DataFrame) -> None:
    parts = dict(splits_of(table.assign(stage=np.repeat(["a", "b", "c"], [1000, 150, 50]))))
    assert set(parts) == {
        "stage=a", f"stage={OTHER}", "segment=large", f"segment={OTHER}", "day=0", "day=30", "day=60",
    }  # fmt: skip
    assert len(parts[f"stage={OTHER}"]) == 200
    assert sum(len(p) for name, p in parts.items() if name.startswith("day")) == len(table)
    assert not list(splits_of(TABLE.assign(stage="Talk")))  # one group is the total again


def test_tenths_of_the_amount_and_deals_without_any(table: pd.DataFrame, judged: pd.DataFrame) -> None:
    told = judged[(judged["score"] == "money_ratio") & (judged["model"] == "m")].set_index("split")["n"]
    tenths = [f"listed amount=decile {i}" for i in range(1, 11)]
    assert told[tenths].sum() == table["listed_amount"].notna().sum()
    assert told[tenths].max() - told[tenths].min() <= 1


def test_owners_are_told_without_their_names(judged: pd.DataFrame) -> None:
    """The one who wins three times the odds stands out beyond a range for three, and nobody is named."""
    text = judged.to_csv()
    assert not any(name in text for name in ("ann", "Bob", "carl", "example"))
    worst = judged.set_index(["model", "split"]).loc[("m", "owner=worst of 3")]
    assert worst["lower"] > 0.4
    assert worst["value"] == pytest.approx(np.log(3), abs=0.5)
    assert value(judged, "m", "calibration_intercept", "owner=spread of 3") == pytest.approx(0.63, abs=0.3)


def test_the_worst_of_many_equal_owners_is_not_called_off() -> None:
    """With a range for one owner, one of twelve would be off in almost every second company."""
    off = 0
    for seed in range(20):
        table = company(3600, seed)
        won = (np.random.default_rng(seed).random(len(table)) < table["m"]).astype(float)
        table = table.assign(owner=np.random.default_rng(50 + seed).integers(0, 12, 3600), won=won)
        found = evaluated(table[["period", "deal", "owner", "won", "m"]], ["m"])
        worst = found[found["split"] == "owner=worst of 12"].iloc[0]
        off += not worst["lower"] <= 0 <= worst["upper"]
    assert off <= 5


def test_calibration_is_told_beyond_chance(judged: pd.DataFrame, table: pd.DataFrame) -> None:
    true = company(4000, 3)
    true["won"] = (np.random.default_rng(9).random(4000) < true["m"]).astype(float)
    found = scored(true, ["m", "high"])
    assert value(found, "m", "calibration_error") == pytest.approx(0, abs=0.01)
    assert value(found, "m", "calibration_error_by_chance") > 0.005
    assert value(found, "high", "calibration_error", column="lower") > 0.15
    assert value(found, "m", "calibration_slope") == pytest.approx(1, abs=0.1)
    assert value(found, "m", "calibration_intercept") == pytest.approx(0, abs=0.1)
    parts = {n: value(judged, "m", f"brier_{n}") for n in ("reliability", "resolution", "uncertainty", "within")}
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert total == pytest.approx(value(judged, "m", "brier"))


def test_bins_of_every_split_hold_all_its_rows(table: pd.DataFrame) -> None:
    found = calibrated(table, ["m", "high"])
    assert list(found.columns) == list(CALIBRATION_COLUMNS)
    rows = found.groupby(["model", "split"])["n"].sum()
    assert (rows.xs(TOTAL, level="split") == len(table)).all()
    assert rows["m"].filter(like="day=").sum() == len(table)
    assert ((found["lower"] <= found["observed"]) & (found["observed"] <= found["upper"])).all()
    total = found[(found["split"] == TOTAL) & (found["model"] == "m")]
    assert (total["forecast"] * total["n"]).sum() == pytest.approx(table["m"].sum())


def test_periods_that_differ_widen_the_bins() -> None:
    """Two good and two bad years tell less of a share than as many separate deals would."""
    rng = np.random.default_rng(0)
    period = np.repeat(["Q1", "Q2", "Q3", "Q4"], 300)
    p = rng.uniform(0.3, 0.5, 1200)
    calm = (rng.random(1200) < p).astype(float)
    wild = (rng.random(1200) < np.where(np.isin(period, ["Q1", "Q3"]), p - 0.25, p + 0.25)).astype(float)
    widths = []
    for won in (calm, wild):
        found = calibrated(pd.DataFrame({"period": period, "won": won, "m": p}), ["m"])
        widths.append((found["upper"] - found["lower"]).mean())
    assert widths[1] > 1.5 * widths[0]


def test_words_name_the_groups_that_are_off(judged: pd.DataFrame) -> None:
    told = in_words(judged, ["m", "high"])
    assert "high: slope" in told
    assert "owner=worst of 3" in told
    assert "ranges of the intercept leave out 0" in told
    assert "unknown" in in_words(scored(TABLE.assign(won=1.0), ["m"]), ["m"])
