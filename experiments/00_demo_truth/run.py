"""How far are the chances to win from what could be known? Both demo companies, both limits. See README.md."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeforecast.backtest import Lessonplan, Origin, lessons_at, origins_of, prepare
from pipeforecast.demo import Company, fork, make_company, replicate
from pipeforecast.evaluate import BASELINES, LEAST, chances
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.ingest import read_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons, Outcome
from pipeforecast.scores import auc, log_loss
from pipeforecast.snapshot import Snapshot

CALENDAR = FiscalCalendar()
PLAN = Lessonplan()
APART = 10_000_000  # keys of one replica's deals never meet another's


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
    taught = [history_of(replicate(company, seed=10_000 + i)) for i in range(replicas)]
    days = [o.as_of for o in origins]
    snapshot, model = prepare(history, CALENDAR, PLAN, days), HazardModel(max_rows=rows)
    others = [prepare(h, CALENDAR, PLAN, days) for h in taught]
    out = []
    for o in origins:
        lessons = [lessons_at(h, CALENDAR, s, o.as_of, PLAN) for h, s in zip(taught, others, strict=True)]
        pool, now = pooled(lessons, snapshot.only([o.as_of]))
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


def one(kind: str, seed: int, told: argparse.Namespace, models: Sequence[HazardModel]) -> pd.DataFrame:
    """Score one company: a row per method and day of the quarter (−1: all days)."""
    company = make_company(kind, n_deals=told.deals, seed=seed)
    history = history_of(company)
    origins = origins_of(history, CALENDAR, (0, 30, 60), told.quarters, history.written_until)
    table = chances(history, CALENDAR, models, origins, PLAN)
    methods = [*(m.name for m in models), *BASELINES]
    if told.replicas:
        table["data-rich limit"] = data_rich(company, history, origins, told.replicas, told.rich_rows)
        methods.append("data-rich limit")
    if told.forks:
        table["forks"] = forked(company, history, table, origins, told.forks)
        methods.append("forks")
    rows = []
    known = table.dropna(subset=methods)
    for day in (-1, 0, 30, 60):
        part = known if day < 0 else known[(known["day_of_period"] == day).to_numpy()]
        for method in methods:
            p = np.clip(part[method].to_numpy(), LEAST, 1 - LEAST)
            rows.append({
                "company": kind, "seed": seed, "day": day, "method": method, "n": len(part),
                "log_loss": log_loss(part["won"], p), "auc": auc(part["won"], p),
            })  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Run the experiment and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", nargs="+", default=["standard", "other"])
    parser.add_argument("--quarters", type=int, default=6)
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--rich-rows", type=int, default=150_000)
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--penalties", type=float, nargs="*", default=[], help="further models of these penalties")
    parser.add_argument("--half-lives", type=float, nargs="*", default=[], help="further models whose lessons age")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--small", action="store_true", help="a quick form that only shows that the command works")
    told = parser.parse_args()
    if told.small:
        told.deals, told.seeds, told.quarters, told.replicas, told.forks = 800, [1], 1, 2, 20
        told.out = Path(tempfile.mkdtemp())
    models = [HazardModel()]
    models += [HazardModel(C=c, name=f"penalty {c:g}") for c in told.penalties]
    models += [HazardModel(half_life=days, name=f"half-life {days:g}") for days in told.half_lives]
    found = []
    for kind in told.kinds:
        for seed in told.seeds:
            began = time.monotonic()
            found.append(one(kind, seed, told, models))
            print(f"{kind} {seed}: {time.monotonic() - began:.0f} s", flush=True)
    rows = pd.concat(found, ignore_index=True)
    rows.to_csv(told.out / "scores.csv", index=False, float_format="%.5f")
    for score in ("log_loss", "auc"):
        print(f"\n{score} of P(won in the quarter), mean over seeds; day -1: all days together")
        wide = rows.pivot_table(index=["company", "method"], columns="day", values=score)
        print(wide.sort_values(["company", -1]).round(4).to_string())


if __name__ == "__main__":
    main()
