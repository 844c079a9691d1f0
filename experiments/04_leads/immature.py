"""What young leads do to a model: left out until their days are over, or taken for leads that did not convert."""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import parts

import demo
from pipeforecast.demo import make_company
from pipeforecast.leadmodels import Candidate, LeadRows, fit_plain
from pipeforecast.leadrun import LeadRun, cleaned
from pipeforecast.leads import decision_rows, describe_leads, lesson_rows, observe_leads, take_lead_snapshot


def young_as_negative(run: LeadRun) -> LeadRows:
    """Lessons of all evenings up to the cut-off; whoever has not converted by then counts as one that will not."""
    rows = lesson_rows(run.book, "converted", run.told.lesson_days, run.book.until)
    ahead = observe_leads(run.book, rows, "converted", run.told.days)["days_to_step"].to_numpy()
    y = (ahead <= run.told.days).astype("float64")
    lead = rows["lead"].to_numpy()
    time = rows["as_of"].to_numpy().astype("datetime64[D]").astype("float64")
    return LeadRows(run.features(rows), y, run.book.leads["person"].to_numpy()[lead], lead, time, 0.0)


def main(deals: int, seeds: list[int]) -> None:
    out = []
    for seed in seeds:
        company = make_company(n_deals=deals, seed=seed)
        whole = demo.run_of(company)
        last = whole.book.until - pd.Timedelta(days=91)
        for months in (3, 9, 15):
            cut = last - pd.DateOffset(months=months)
            run = demo.run_of(company, cut)
            rows = decision_rows(whole.book, "converted", 0, cut + pd.Timedelta(days=90))
            rows = rows[(rows["as_of"] > cut).to_numpy()].reset_index(drop=True)
            known = observe_leads(whole.book, rows, "converted", 90)["converted_within"].to_numpy(dtype="float64")
            asked = cleaned(describe_leads(take_lead_snapshot(whole.book, rows, False), "converted"), whole.audit)
            taught = {"left out": run.lessons[1], "taken for negative": young_as_negative(run)}
            for half_life in (np.inf, 0.25):
                for name, told in taught.items():
                    span = float(np.ptp(told.time))
                    p = fit_plain(told, Candidate("logistic", 0.3, half_life * span)).chance(asked)
                    out.append({"young leads": name, "half-life": half_life, "promised": p.mean() * len(p),
                                "came": known.sum(), **parts.scores(known, p)})  # fmt: skip
    table = pd.DataFrame(out).groupby(["half-life", "young leads"]).agg(
        promised=("promised", "sum"), came=("came", "sum"), auc=("auc", "mean"), log_loss=("log_loss", "mean"),
        calibration_error=("calibration_error", "mean"),
    )  # fmt: skip
    print(table.round(4).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--deals", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    told = parser.parse_args()
    main(told.deals, told.seeds)
