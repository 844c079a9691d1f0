"""Is a planted shock that all deals of a quarter share found, and is none found where there is none?

Deals with known chances; the only thing to be learned is how far whole quarters move together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from parts import CALENDAR, options, shown, told_by

from pipeforecast.models.shock import shock_sd
from pipeforecast.outcome import Lessons, Outcome
from pipeforecast.snapshot import Snapshot

CUTOFF = pd.Timestamp("2024-03-31")
PRIOR = 0.15


class Known:
    """A deal model that knows every chance."""

    def won_between(self, snapshot, start, end, n, rng):  # type: ignore[no-untyped-def]
        return snapshot.open["p"].to_numpy()[None, :]


def main() -> None:
    parser = options(__doc__, deals=[60, 600, 2500], seeds=(0, 200))
    told = told_by(parser, {"deals": [60], "seeds": (0, 5)})
    rows = []
    for deals in told.deals:
        for planted in (0.0, 0.1, 0.25):
            found = np.array([shock_sd(Known(), lessons(planted, deals, seed), PRIOR) for seed in range(*told.seeds)])
            spread = np.array([lessons_spread(deals, sd) for sd in (planted, float(np.sqrt((found**2).mean())))])
            rows.append({
                "open_deals": deals, "planted": planted, "found_mean": found.mean(),
                "found_rms": np.sqrt((found**2).mean()), "p10": np.quantile(found, 0.1), "p90": np.quantile(found, 0.9),
                "range_over_true_range": spread[1] / spread[0], "seeds": len(found),
            })  # fmt: skip
    shown(pd.DataFrame(rows), told.out / "shocks.csv")


def chances(deals: int, rng: np.random.Generator) -> np.ndarray:
    return rng.beta(0.6, 2.4, deals)


def lessons_spread(deals: int, sd: float) -> float:
    """Sd of the number of wins among as many deals, under luck and a shock of ``sd``."""
    p = chances(deals, np.random.default_rng(1))
    information = (p * (1 - p)).sum()
    return float(np.sqrt(information + (information * sd) ** 2))


def lessons(planted: float, deals: int, seed: int, periods: int = 12) -> Lessons:
    rng = np.random.default_rng([seed, deals, int(1000 * planted)])
    rows, outcomes = [], []
    for period in CALENDAR.before(CALENDAR.containing(CUTOFF + pd.Timedelta(days=1)), periods):
        p = chances(deals, rng)
        moved = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + planted * rng.standard_normal())))
        rows.append(pd.DataFrame({"as_of": period.evening(0), "deal": np.arange(deals), "p": p}))
        status = np.where(rng.random(deals) < moved, "won", "open")
        outcomes.append(pd.DataFrame({"status": status, "closed_at": period.start + pd.Timedelta(days=20)}))
    opened, outcome = pd.concat(rows, ignore_index=True), pd.concat(outcomes, ignore_index=True)
    days = np.unique(opened["as_of"].to_numpy().astype("datetime64[s]"))
    empty = pd.DataFrame()
    known = pd.DataFrame({"status": ["won"], "closed_at": [pd.Timestamp("2015-01-01")]})
    return Lessons(
        CUTOFF, CALENDAR, Snapshot(days, opened, empty, empty, {}, empty), Outcome(CUTOFF, outcome), known, empty
    )


if __name__ == "__main__":
    main()
