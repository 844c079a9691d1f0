"""What was chosen on the hotels before 2016-07: should lessons age? Prints a row a half-life. See README.md."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.ingest import read_export
from pipeforecast.lessonplan import Lessonplan, lessons_at, prepare
from pipeforecast.mapping import CrmMapping
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import observe
from pipeforecast.scores import LEAST, log_loss

DAYS = ["2015-12-31", "2016-01-30", "2016-02-29", "2016-03-31", "2016-04-30", "2016-05-30"]
LAST = pd.Timestamp("2016-06-30")


def main() -> None:
    """Score the open bookings of six days on what was known by the last of June 2016."""
    where = os.environ.get("PIPEFORECAST_REAL_DATA")
    if not where:
        print("skipped: PIPEFORECAST_REAL_DATA names no folder with the data")
        return
    mapping = yaml.safe_load((files("pipeforecast.configs") / "crm/hotel_bookings.yaml").read_text())
    history = read_export(CrmMapping.model_validate(mapping), Path(where) / "hotel").history.known_by(LAST)
    calendar, plan, days = FiscalCalendar(), Lessonplan(), [pd.Timestamp(d) for d in DAYS]
    snapshot = prepare(history, calendar, plan, days)
    for half_life in (np.inf, 120.0, 90.0, 60.0):
        losses, errors = [], []
        for day in days:
            period, now = calendar.containing(day + pd.Timedelta(days=1)), snapshot.only([day])
            fitted = HazardModel(half_life=half_life).fit(lessons_at(history, calendar, snapshot, day, plan))
            p = fitted.won_between(now, period.start, period.end, 0, np.random.default_rng(0))[0]
            outcome, amount = observe(history, now, LAST).rows, now.open["amount"].fillna(0.0).to_numpy()
            won = ((outcome["status"] == "won") & (outcome["closed_at"] <= period.end)).to_numpy(dtype="float64")
            due = (now.open["expected_close"] <= period.end).to_numpy()
            losses.append(log_loss(won[due], np.clip(p[due], LEAST, 1 - LEAST)))
            errors.append(abs((p * amount).sum() / (won * amount).sum() - 1))
        said = f"log loss of due deals {np.mean(losses):.4f}, error of open money {np.mean(errors):.1%}"
        print(f"half-life {half_life:>5g}: {said}", flush=True)


if __name__ == "__main__":
    main()
