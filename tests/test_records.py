"""What MLflow is told of a run: scores and settings, and neither places nor people."""

from __future__ import annotations

import pandas as pd

from pipeforecast import records
from pipeforecast.proof import Proof
from pipeforecast.run import prepared
from pipeforecast.settled import Settled


def proof_of(rows: list[dict[str, object]]) -> Proof:
    none = Settled(pd.DataFrame(), {}, pd.DataFrame())
    return Proof(pd.DataFrame(), pd.DataFrame(rows), "", None, [], none)


def test_scores_of_the_total_only_and_the_day_is_the_step():
    row = {
        "level": "total",
        "method": "stage_rate+new",
        "wape": 0.2,
        "crps": 5.0,
        "cover80": float("nan"),
        "skill": 0.1,
    }
    other = row | {"level": "owner", "day_of_period": 30}
    found = records.score_metrics(proof_of([row | {"day_of_period": -1}, row | {"day_of_period": 30}, other]))
    told = {(m.name, m.step): m.value for m in found}
    assert told[("stage_rate plus new.wape.all", 0)] == 0.2
    assert told[("stage_rate plus new.wape", 30)] == 0.2
    assert len(found) == 6  # two days, three known scores each


def test_a_record_says_neither_where_things_lie_nor_who_people_are(told, tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(records, "record", lambda run, **_: sent.append(run))
    settings = told("forecast")
    run = prepared(settings)
    records.track(settings, run, "forecast", [])
    (record,) = sent
    text = repr(record)
    assert str(tmp_path) not in text
    assert not any(owner in text for owner in ("'ann'", "'bob'"))
    assert record.tags["data"] == run.data
