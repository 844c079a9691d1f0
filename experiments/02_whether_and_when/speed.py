"""How long do training and scoring take, with the history read and rewound? Seconds on this machine; parts by name."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from parts import CALENDAR, PLAN, company_of, options, past_days, shown, told_by

from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.models.amount import AmountModel
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.prior import WithPrior


def main() -> None:
    told = told_by(options(__doc__, deals=[20_000], seeds=[61], quarters=1), {})
    rows = []
    for deals in told.deals:
        for kind in told.kinds:
            _, history = company_of(kind, deals, told.seeds[0])
            origin = past_days(history, 1, (30,))[-1]
            clock = [time.monotonic()]
            snapshot = prepare(history, CALENDAR, PLAN, [origin.as_of])
            clock.append(time.monotonic())
            lessons = lessons_at(history, CALENDAR, snapshot, origin.as_of, PLAN)
            clock.append(time.monotonic())
            fitted, amounts = WithPrior(ChosenHazard()).fit(lessons), AmountModel().fit(lessons)
            clock.append(time.monotonic())
            now = snapshot.only([origin.as_of])
            fitted.forecast(now, amounts.expected(now))
            clock.append(time.monotonic())
            took = dict(zip(("rewind", "observe", "fit", "score"), np.diff(clock), strict=True))
            rows.append({"company": kind, "deals": deals, **took, "all": clock[-1] - clock[0]})
    shown(pd.DataFrame(rows), told.out / "speed.csv")


if __name__ == "__main__":
    main()
