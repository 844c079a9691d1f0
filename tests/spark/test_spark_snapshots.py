"""Snapshots that are taken on Spark are DuckDB's, row for row: values, kinds, order, and what they do not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeforecast.engine.spark import Spark
from pipeforecast.history import DealHistory
from pipeforecast.sections import EmbeddedSettings, SparkSettings
from pipeforecast.settings import AuditSettings
from pipeforecast.snapshot import take_snapshots
from pipeforecast.workflow import audit, score
from stories import MUTATIONS, Deal, day, deal, seen, tell

pytestmark = pytest.mark.usefixtures("spark")
ON_SPARK = Spark()


def assert_same_on_spark(history: DealHistory, days: list[pd.Timestamp]) -> pd.DataFrame:
    """Give the open rows, which both engines agree on to the last bit."""
    here, there = (take_snapshots(h, days) for h in (history, replace(history, engine=ON_SPARK)))
    pd.testing.assert_frame_equal(there.open, here.open, check_exact=True)
    pd.testing.assert_frame_equal(there.closings, here.closings, check_exact=True)
    return there.open


def test_a_company_is_seen_alike_on_many_days_with_its_touches(
    company_history: DealHistory, as_of: pd.Timestamp, spark: Any
) -> None:
    days, zone = [as_of - pd.Timedelta(days=31 * i) for i in range(12)], spark.conf.get("spark.sql.session.timeZone")
    assert zone != "UTC"
    rows = assert_same_on_spark(company_history, days)
    assert rows["as_of"].nunique() == 12
    assert rows["n_touches"].sum() > 0
    assert rows["first_amount"].isna().any()
    # Somebody else's session stays as it was.
    assert spark.conf.get("spark.sql.session.timeZone") == zone
    assert not spark.catalog.listTables()


#: Values in which engines are known to differ: NULL, signs of nought, capitals, blanks, other scripts, old days.
STAGES = ["Talk", "talk", "Talk ", "Offer", "Ünterschrift", "提案", "", None]
AMOUNTS = [0.0, -0.0, 10.0, 10.0, 1e-300, 1e15, 0.1 + 0.2, 0.3, None]
CLOSES = ["2024-02-29", "2024-03-31 01:30:00", "2024-11-03", "1899-12-30", "1582-10-10", "2262-04-12", None, None]
#: Evenings end between these; clocks change in Europe and America; several are one second.
MOMENTS = ["2024-03-09 23:59:59", "2024-03-10 00:00:00", "2024-03-10 02:30:00", "2024-03-31 02:30:00",
           "2024-03-31 23:59:59", "2024-04-01 00:00:00", "2024-04-01 00:00:00"]  # fmt: skip


def odd_deals(seed: int, n: int = 60) -> list[Deal]:
    rng = np.random.default_rng(seed)

    def change() -> dict[str, Any]:
        told = {"stage": STAGES, "amount": AMOUNTS, "expected_close": CLOSES, "probability": [0.1, None],
                "owner": ["ann", "Ann", None], "status": ["open", "open", "open", "won", "lost"]}  # fmt: skip
        return {name: values[rng.integers(len(values))] for name, values in told.items() if rng.random() < 0.7}

    return [
        deal(f"d{i}", *((m, change()) for m in sorted(rng.choice(MOMENTS, rng.integers(1, 12)))), created="2024-03-01")
        for i in range(n)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_odd_values_and_rows_of_one_second_are_seen_alike(seed: int) -> None:
    history = tell(odd_deals(seed))
    ties = history.states.duplicated(["deal", "recorded_at"]).sum()
    assert ties > 100
    shuffled = replace(history, states=history.states.sample(frac=1, random_state=seed))
    days = [day(d) for d in ("2024-03-08", "2024-03-09", "2024-03-10", "2024-03-31", "2024-04-01")]
    rows = assert_same_on_spark(shuffled, days)
    pd.testing.assert_frame_equal(rows, take_snapshots(history, days).open, check_exact=True)
    assert rows[["stage", "amount", "expected_close", "first_amount", "first_expected_close"]].isna().any().all()


def test_a_worked_example() -> None:
    """Of three rows of one second the last in the source counts, and the moves between them do too."""
    at = "2024-03-10 09:00"
    told = deal("a", (at, {"stage": "Talk", "expected_close": "2024-05-01"}), (at, {"stage": "Deal", "amount": 7.0}),
                (at, {"stage": "Offer", "expected_close": "2024-05-11"}))  # fmt: skip
    history = replace(tell([told]), engine=ON_SPARK)
    (row,) = take_snapshots(history, [day("2024-03-10")]).open.to_dict("records")
    assert (row["stage"], row["amount"], row["n_moves"], row["n_back"]) == ("Offer", 7.0, 2.0, 1.0)
    assert (row["n_pushes"], row["push_days"], row["n_amount_changes"]) == (1.0, 10.0, 0.0)
    assert np.isnan(row["first_amount"])
    assert row["first_expected_close"] == day("2024-05-01")
    assert take_snapshots(history, [day("2024-03-09")]).open.empty


def test_later_days_cannot_rewrite_what_spark_sees(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    """Everything that a later day may do, one upon the other."""
    history = replace(company_history, engine=ON_SPARK)
    rewritten, rng = history, np.random.default_rng(3)
    for name, mutate in MUTATIONS.items():
        if name != "forgets":  # which undoes the others
            rewritten = mutate(rewritten, as_of, rng)
    assert len(rewritten.states) > len(history.states) + 100
    for one, other in zip(seen(take_snapshots(history, [as_of]), as_of),
                          seen(take_snapshots(rewritten, [as_of]), as_of), strict=True):  # fmt: skip
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(("verb", "file"), [(score, "deal_scores.csv"), (audit, "audit.csv")])
def test_a_verb_writes_the_same_file(verb: Any, file: str, told: Any, tmp_path: Path) -> None:
    own = told("score", "version=fit")
    written = []
    for engine in (EmbeddedSettings(), SparkSettings()):
        named = {"source": own.source, "out": own.out, "tracking": own.tracking, "crm": own.crm}
        verb(AuditSettings(**named, engine=engine) if verb is audit else own.model_copy(update={"engine": engine}))
        written.append((tmp_path / "out" / file).read_bytes())
    assert written[0] == written[1]
    assert len(written[0].splitlines()) > 1
