"""Replay the past with the model and every rule, and say which was better."""

from __future__ import annotations

import pandas as pd

from pipeforecast.outbox import whole_folder
from pipeforecast.proof import Proof, prove, table_of
from pipeforecast.records import score_metrics, track
from pipeforecast.replay import replayed, scored_origins
from pipeforecast.results import write_csv
from pipeforecast.run import prepared
from pipeforecast.settings import ReplaySettings
from pipeforecast.workflow.people import write_people


def backtest(settings: ReplaySettings) -> str:
    """Replay the past from the chosen days, the model and every rule, at every level."""
    run = prepared(settings)
    origins, warm = scored_origins(settings, run)
    found = replayed(run, [*warm, *origins], run.levels, settings.origins.jobs, frozenset(warm))
    proof = prove(found, since=origins[0].as_of)
    with whole_folder(settings.out) as out:
        write_csv(proof.rows, out / "backtest.csv")
        write_csv(proof.scores, out / "backtest_scores.csv")
        gained = write_people(run, proof, settings.report, out)
    track(settings, run, "backtest", score_metrics(proof))
    return "\n".join([
        proof.sentence, "", "Error (share of revenue), by day of the period:", readable(proof), *gained, "",
        f"written: {settings.out}",
    ])  # fmt: skip


def readable(proof: Proof) -> str:
    """One table that a person can read: error by method and day of the period."""
    return table_of(proof.scores).map(lambda v: "" if pd.isna(v) else f"{v:.1%}").to_string()
