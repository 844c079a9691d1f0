"""Replay the past with the model and every rule, and say which was better."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.digests import digests_of
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.proof import Proof, prove, table_of
from pipeforecast.records import score_metrics, track
from pipeforecast.replay import replayed, scored_origins
from pipeforecast.results import write_csv
from pipeforecast.run import prepared
from pipeforecast.settings import ReplaySettings
from pipeforecast.settled import AUTO, BEST_RULE, MODEL
from pipeforecast.workflow.people import people_told, shown_people, write_people

#: Methods that are always shown, and how many rows beside them.
_ALWAYS = (MODEL, BEST_RULE, AUTO)
_SHOWN = 10


def backtest(settings: ReplaySettings) -> str:
    """Replay the past from the chosen days, the model and every rule, at every level."""
    run = prepared(settings)
    origins, warm = scored_origins(settings, run)
    found = replayed(run, [*warm, *origins], run.levels, settings.origins.jobs, frozenset(warm))
    proof = prove(found, since=origins[0].as_of)
    with whole_folder(settings.out) as out:
        write_csv(proof.rows, out / "backtest.csv")
        write_csv(proof.scores, out / "backtest_scores.csv")
        gained = write_people(people_told(run, proof), shown_people(run.known, settings.report, run.as_of), out)
        wrote = Wrote(digests_of(out))
    track(settings, run, "backtest", score_metrics(proof), wrote=wrote)
    return "\n".join([
        proof.sentence, "", "Error (share of revenue), by day of the period:", readable(proof), *gained, "",
        f"written: {settings.out}",
    ])  # fmt: skip


def readable(proof: Proof) -> str:
    """One table that a person can read: error by method and day of the period, the worst rules left to the file."""
    table = table_of(proof.scores)
    shown = table[(table.index.isin(_ALWAYS) | (np.arange(len(table)) < _SHOWN)).tolist()]
    lines = shown.map(lambda v: "" if pd.isna(v) else f"{v:.1%}").to_string()
    left = len(table) - len(shown)
    return f"{lines}\n({left} rules with larger errors are in backtest_scores.csv)" if left else lines
