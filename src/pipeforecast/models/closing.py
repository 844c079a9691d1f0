"""Which shares of a chance to win give closing days that hold as often as they say, on past days that are all told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.models.deals import NOMINAL, FittedDeals
from pipeforecast.outcome import Lessons

#: Past days that are looked at, evenly, and the weight of the nominal shares in won deals.
_DAYS = 8
_PRIOR_WINS = 50.0


def closing_shares(fitted: FittedDeals, lessons: Lessons) -> tuple[float, float, float]:
    """Shares of the chance to win within the horizon whose days are P10, P50 and P90 of the winning day.

    A shrunk model spreads closings more evenly than they come. On lesson days a whole horizon before the cutoff the
    share that was used up on the evening of each winning day is known: its quantiles are the shares that hold (the
    probability integral transform; Dawid, "Statistical theory: the prequential approach", JRSS A 147, 1984). They are
    pulled towards the nominal ones where few deals were won.

    Returns
    -------
    (float, float, float)
        Rising, each between 0 and 1.
    """
    days = [pd.Timestamp(d) for d in lessons.snapshot.days]
    days = [d for d in days if d + pd.Timedelta(days=fitted.horizon) <= lessons.cutoff]
    found = [_used_up(fitted, lessons, day) for day in days[:: -max(1, len(days) // _DAYS)]]
    used = np.concatenate(found, axis=1) if found else np.zeros((2, 0))
    if not used.shape[1]:
        return NOMINAL
    # On the day itself for "not before P10", on the evening before for "not after P90": days are whole.
    low, high = np.quantile(used[0], NOMINAL[0]), np.quantile(used[1], NOMINAL[2])
    middle = np.quantile(used.mean(axis=0), NOMINAL[1])
    weight = used.shape[1] / (used.shape[1] + _PRIOR_WINS)
    pulled = weight * np.array([low, middle, high]) + (1.0 - weight) * np.array(NOMINAL)
    p10, p50, p90 = np.maximum.accumulate(np.clip(pulled, 0.001, 0.999))
    return float(p10), float(p50), float(p90)


def _used_up(fitted: FittedDeals, lessons: Lessons, day: pd.Timestamp) -> np.ndarray:
    """Share used up on the evening of each winning day, and on the evening before (2, wins)."""
    at = np.flatnonzero((lessons.snapshot.open["as_of"] == day).to_numpy())
    outcome = lessons.outcome.rows.iloc[at]
    won = ((outcome["status"] == WON) & (outcome["days"] <= fitted.horizon)).to_numpy()
    now = lessons.snapshot.take(at[won]).only([day])
    if not won.any():
        return np.zeros((2, 0))
    made = fitted.forecast(now, np.ones(int(won.sum())))
    came = (day + pd.to_timedelta(outcome["days"].to_numpy()[won], unit="D")).to_numpy().astype("datetime64[s]")
    whole = np.maximum(made.won_by(day + pd.Timedelta(days=fitted.horizon)), 1e-12)
    return np.stack([made.won_by(came) / whole, made.won_by(came - np.timedelta64(1, "D")) / whole])
