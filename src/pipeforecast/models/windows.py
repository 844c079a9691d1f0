"""Reading past windows: each reading of them is judged by leaving windows out, and counts as it foretells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

READINGS = ("cohorts", "always", "lately", "pace")
_PRIOR_SD = 0.15
#: Relative spread of windows beyond the luck of single deals: at the same time of the year, and at other times.
_SAME_SEASON_SD = 0.1
_OTHER_SEASON_SD = 0.3
_SEASON_DAYS = 30.0
_PRIOR_WINDOWS = 4.0
_PRIOR_ERROR = 0.15
#: Readings count as this power of one over their error.
_SHARPNESS = 4.0
_FEWEST_ALIGNED, _MOST_ALIGNED = 4, 12


def luck_of_one(amounts: np.ndarray) -> float:
    """Relative variance that one deal brings to a sum of randomly many: 1 + CV² of the amounts."""
    return float(1.0 + (amounts.std() / amounts.mean()) ** 2) if len(amounts) and amounts.mean() > 0 else 1.0


def read_windows(
    windows: pd.DataFrame, now: Mapping[str, float], day: pd.Timestamp, luck: float
) -> tuple[float, float]:
    """Foretell the window ahead from past ones.

    Parameters
    ----------
    windows : DataFrame
        ``day``, ``end``, ``aligned`` (at the same place of a period), ``new`` (what it brought), ``wins``, and a
        column for each reading.
    now : mapping of reading to float
        What each reading sees of the window ahead.
    day : Timestamp
        Evening from which it lies ahead.
    luck : float
        Relative variance that one deal brings.

    Returns
    -------
    mean, sd : float
        Expected amount, and the spread of its logarithm beyond the luck of single deals.
    """
    aligned = windows[windows["aligned"].to_numpy()]
    used = aligned.tail(_MOST_ALIGNED) if len(aligned) >= _FEWEST_ALIGNED else windows
    logs, errors, judged = [], [], []
    for base in READINGS:
        if now[base] > 0 and len(used) > 1 and (used[base] > 0).all() and used["new"].sum() > 0:
            seen = {name: used[name].to_numpy() for name in ("day", "new", "wins", base)}
            logs.append(np.log(_foretell(seen, now[base], base, np.datetime64(day, "s"), luck)))
            found = _left_out_errors(used, base, luck)
            errors.append(found.mean() if len(found) else _PRIOR_ERROR)
            # A few windows' worth of prior error keep luck from ruling where few windows can be judged.
            judged.append((found.sum() + _PRIOR_WINDOWS * _PRIOR_ERROR) / (len(found) + _PRIOR_WINDOWS))
    if not logs:
        mean, mse = float(windows["new"].mean()), 1.0
    else:
        weight = 1.0 / np.array(judged) ** _SHARPNESS
        mean, mse = float(np.exp(np.average(logs, weights=weight))), float(np.average(errors, weights=weight))
    per_win = windows["new"].sum() / max(float(windows["wins"].sum()), 1.0)
    beyond = max(mse - luck * per_win / mean, 0.0) if mean > 0 else 0.0
    n = float(len(aligned))
    return mean, float(np.sqrt((n * beyond + _PRIOR_WINDOWS * _PRIOR_SD**2) / (n + _PRIOR_WINDOWS)))


def _left_out_errors(used: pd.DataFrame, base: str, luck: float) -> np.ndarray:
    """Squared log error of each window, foretold from the windows that do not overlap with it."""
    floor = 0.05 * float(used["new"].mean())
    windows = {name: used[name].to_numpy() for name in ("day", "end", "new", "wins", base)}
    day, end, new, size = (windows[name] for name in ("day", "end", "new", base))
    errors = []
    for i in range(len(used)):
        apart = (end <= day[i]) | (day >= end[i])
        if apart.sum() >= 2 and size[i] > 0:
            others = {name: values[apart] for name, values in windows.items()}
            foretold = _foretell(others, size[i], base, day[i], luck)
            errors.append(float(np.log((new[i] + floor) / (foretold + floor)) ** 2))
    return np.array(errors)


def _foretell(used: Mapping[str, np.ndarray], now: float, base: str, day: np.datetime64, luck: float) -> float:
    """In proportion to ``base``, each past window weighed by what it can tell.

    A window of few wins says little because of luck, one of another season because of the season: many wins make the
    same season of last year count most, few wins make all windows count by their size.
    """
    size, wins = used[base], used["wins"]
    expected_wins = np.maximum(wins.sum() * size / size.sum(), 1e-9)
    apart = np.abs((used["day"] - day) // np.timedelta64(1, "D")) % 365.25
    apart = np.minimum(apart, 365.25 - apart)
    near = np.exp(-((apart / _SEASON_DAYS) ** 2))
    weight = 1.0 / (luck / expected_wins + near * _SAME_SEASON_SD**2 + (1 - near) * _OTHER_SEASON_SD**2)
    return max(float((weight * used["new"] / size).sum() / weight.sum()) * now, 1e-9)
