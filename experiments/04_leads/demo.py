"""Demo companies: the model of one company beside the same model taught by replicas with a million leads."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import parts

from pipeforecast.demo import make_company, replicate
from pipeforecast.leadmodels import Candidate, LeadRows, fit_plain
from pipeforecast.leadrun import LeadRun, cleaned, prepared_leads
from pipeforecast.leads import LeadFeatures, decision_rows, describe_leads, observe_leads, take_lead_snapshot
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.settings import TrainSettings

ACCEPTED = ("pages_viewed", "webinar_attended", "demo_requested")
#: Without an end of the past: the newest part is foretold.
TESTED = 0.3


def run_of(company, as_of: pd.Timestamp | None = None) -> LeadRun:
    """Write the raw export and read it as a user's is read."""
    told = LeadSettings(accept_todays_values=ACCEPTED)
    with tempfile.TemporaryDirectory() as place:
        company.write(Path(place))
        day = None if as_of is None else as_of.date()
        settings = TrainSettings(
            crm=parts.mapping("salesforce"), source=Path(place), target="lead", lead=told, as_of=day
        )
        return prepared_leads(settings, told)


def one_evening_each(run: LeadRun, seed: int) -> LeadRows:
    """Keep one evening of each lead, at random: so many leads in full fit no memory."""
    rows = run.lessons[1]
    order = np.random.default_rng(seed).permutation(len(rows))
    first = order[~pd.Series(rows.lead[order]).duplicated().to_numpy()]
    return rows.rows(np.sort(first))


def pooled(parts_: list[LeadRows]) -> LeadRows:
    """Put the leads of many companies into one table."""
    features = [p.features for p in parts_]
    frames = [pd.concat([getattr(f, name) for f in features], ignore_index=True) for name in
              ("numbers", "categories", "flags")]  # fmt: skip
    apart = np.repeat(np.arange(len(parts_)) * 10**8, [len(p) for p in parts_])
    joined = {n: np.concatenate([getattr(p, n) for p in parts_]) for n in ("y", "person", "lead", "time")}
    joined["person"], joined["lead"] = joined["person"] + apart, joined["lead"] + apart
    return LeadRows(LeadFeatures(*frames, features[0].engagement), **joined, lag=parts_[0].lag)


def main(deals: int, seeds: list[int], leads: int) -> None:
    out = []
    for seed in seeds:
        company = make_company(n_deals=deals, seed=seed)
        whole = run_of(company)
        created = whole.book.leads["created_at"]
        cut = pd.Timestamp(created.quantile(1 - TESTED)).normalize()
        run = run_of(company, cut)
        rows = decision_rows(whole.book, "converted", 0, whole.book.until - pd.Timedelta(days=90))
        rows = rows[(rows["as_of"] > cut).to_numpy()].reset_index(drop=True)
        known = observe_leads(whole.book, rows, "converted", 90)["converted_within"].to_numpy(dtype="float64")
        asked = cleaned(describe_leads(take_lead_snapshot(whole.book, rows, False), "converted"), whole.audit)
        chances = {"pipeforecast": run.model.chance(asked)}
        n = len(np.unique(run.lessons[1].lead))
        candidate = Candidate("logistic", 0.3)
        taught, total, i = [], 0, 0
        while total < leads:
            taught.append(one_evening_each(run_of(replicate(company, seed=10_000 + i), cut), i))
            total, i = total + len(taught[-1]), i + 1
        name = f"taught by {total:,} leads"
        chances[name] = fit_plain(pooled(taught), candidate).chance(asked)
        for method, p in chances.items():
            told = {"seed": seed, "taught": n if method == "pipeforecast" else total, "tested": len(known)}
            out.append({"method": method, **told, **parts.scores(known, p)})
        print(pd.DataFrame(out).round(4).to_string(index=False), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--deals", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--leads", type=int, default=1_000_000)
    told = parser.parse_args()
    main(told.deals, told.seeds, told.leads)
