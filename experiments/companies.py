"""Made-up companies as experiments need them: read as a user's export is, taught by replicas, continued by forks."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeforecast.backtest import Origin
from pipeforecast.demo import Company, fork, replicate
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.ingest import read_export
from pipeforecast.lessonplan import Lessonplan, lessons_at, prepare
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons, Outcome
from pipeforecast.snapshot import Snapshot

CALENDAR = FiscalCalendar()
PLAN = Lessonplan()
APART = 100_000_000  # keys of one replica's deals never meet another's


def history_of(company: Company) -> DealHistory:
    """Write the raw export and read it as a user's is read."""
    mapping = yaml.safe_load((files("pipeforecast.configs") / "crm/salesforce.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        company.write(Path(folder))
        return read_export(CrmMapping.model_validate(mapping), Path(folder)).history


def pooled(lessons: Sequence[Lessons], now: Snapshot) -> tuple[Lessons, Snapshot]:
    """Teach one method by many companies: the same rules, other deals."""

    def moved(frame: pd.DataFrame, i: int) -> pd.DataFrame:
        return frame.assign(deal=frame["deal"] + i * APART)

    snapshots = [x.snapshot for x in lessons]
    closings = pd.concat([moved(s.closings, i) for i, s in enumerate(snapshots)], ignore_index=True)
    snapshot = dataclasses.replace(
        snapshots[0],
        open=pd.concat([moved(s.open, i) for i, s in enumerate(snapshots)], ignore_index=True),
        closings=closings,
    )
    outcome = Outcome(lessons[0].outcome.until, pd.concat([x.outcome.rows for x in lessons], ignore_index=True))
    deals = pd.concat([x.deals.set_axis(x.deals.index + i * APART) for i, x in enumerate(lessons)])
    entered = pd.concat([moved(x.entered, i) for i, x in enumerate(lessons)], ignore_index=True)
    taught = dataclasses.replace(lessons[0], snapshot=snapshot, outcome=outcome, deals=deals, entered=entered)
    return taught, dataclasses.replace(now, closings=closings)


def data_rich(
    company: Company, history: DealHistory, origins: Sequence[Origin], replicas: int, rows: int
) -> np.ndarray:
    """P(won in the period) by the model taught by replicas of the company; the same test deals."""
    days = [o.as_of for o in origins]
    taught = [thinned_lessons(replicate(company, seed=10_000 + i), origins, rows // replicas) for i in range(replicas)]
    snapshot, model = prepare(history, CALENDAR, PLAN, days), HazardModel(max_rows=rows)
    out = []
    for at, o in enumerate(origins):
        pool, now = pooled([each[at] for each in taught], snapshot.only([o.as_of]))
        fitted = model.fit(pool)
        out.append(fitted.won_between(now, o.period.start, o.period.end, 0, np.random.default_rng(0))[0])
    return np.concatenate(out)


def forked(
    company: Company, history: DealHistory, table: pd.DataFrame, origins: Sequence[Origin], n: int
) -> np.ndarray:
    """P(won in the period) by other futures of the same past: they see what no CRM records."""
    out = []
    for o in origins:
        futures = fork(company, o.as_of.date(), n=n, seed=1, until=o.period.end.date())
        in_period = (futures.won_day >= 0) & ~((futures.won_day == 0) & (o.day == 0))
        p = pd.Series((in_period.sum(axis=0) + 0.5) / (n + 1.0), index=futures.deal_ids)
        deals = table.loc[(table["as_of"] == o.as_of).to_numpy(), "deal"]
        out.append(p.reindex(history.deals.loc[deals, "deal_id"].to_numpy()).to_numpy())
    return np.concatenate(out)


def thinned_lessons(company: Company, origins: Sequence[Origin], rows: int) -> list[Lessons]:
    """Lessons of one replica at each origin, of at most about ``rows`` rows: fifty times all of them fit no memory."""
    history = history_of(company)
    snapshot = prepare(history, CALENDAR, PLAN, [o.as_of for o in origins])
    rng, out = np.random.default_rng(0), []
    for o in origins:
        lessons = lessons_at(history, CALENDAR, snapshot, o.as_of, PLAN)
        n = len(lessons.snapshot.open)
        keep = np.sort(rng.choice(n, min(n, max(rows, 1)), replace=False))
        outcome = dataclasses.replace(lessons.outcome, rows=lessons.outcome.rows.iloc[keep].reset_index(drop=True))
        part = dataclasses.replace(lessons.snapshot, open=lessons.snapshot.open.iloc[keep].reset_index(drop=True))
        out.append(dataclasses.replace(lessons, snapshot=part, outcome=outcome))
    return out
