"""The intervals in which a deal may close: cut where fiscal periods end, finer before the end of a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar

#: Cuts, in days before the end of a quarter of 91 days; other lengths scale. Deals crowd before the end.
_CUTS_NEAR = (68, 45, 26, 12, 5, 0)
_CUTS_FAR = (26, 0)
_NEAR_PERIODS = 2
_QUARTER_DAYS = 91.0


@dataclass(frozen=True)
class Grid:
    """Intervals after one ``as_of``: interval 0 is ``as_of`` itself, interval j ends on the evening ``ends[j]``.

    Attributes
    ----------
    as_of : Timestamp
    ends : datetime64[s] array (m,)
        Rising; ``ends[0]`` is ``as_of``: closed on or before it, but not yet written.
    lengths : float array (m,)
        Days in each interval (1 for interval 0).
    ahead : float array (m,)
        Days from ``as_of`` to the middle of the interval.
    slot : int array (m,)
        Place in the period (0 is the last cut before the period's end; −1 for interval 0).
    period : int array (m,)
        Periods ahead of the one that holds the day after ``as_of``, at most 2.
    season : int array (m,)
        Month of the interval's end, 0 … 11.
    """

    as_of: pd.Timestamp
    ends: np.ndarray
    lengths: np.ndarray
    ahead: np.ndarray
    slot: np.ndarray
    period: np.ndarray
    season: np.ndarray

    @property
    def gone(self) -> np.ndarray:
        """Days from ``as_of`` to the end of each interval (m,)."""
        return np.asarray((self.ends - self.ends[0]).astype("float64") / 86400)


def make_grid(as_of: pd.Timestamp, calendar: FiscalCalendar, horizon: int = 365) -> Grid:
    """Cut the days after ``as_of`` up to at least ``horizon`` days ahead; the last cut is a period's end."""
    rows: list[tuple[pd.Timestamp, int, int]] = [(as_of, -1, 0)]
    period = calendar.containing(as_of + pd.Timedelta(days=1))
    ahead = 0
    while True:
        scale = period.days / _QUARTER_DAYS
        cuts = _CUTS_NEAR if ahead < _NEAR_PERIODS else _CUTS_FAR
        for cut in cuts:
            end = period.end - pd.Timedelta(days=round(cut * scale))
            if end > rows[-1][0]:
                rows.append((end, _CUTS_NEAR[::-1].index(cut), min(ahead, 2)))
        if (period.end - as_of).days >= horizon:
            break
        period, ahead = calendar.shift(period, 1), ahead + 1
    ends = np.array([r[0].to_datetime64() for r in rows], dtype="datetime64[s]")
    gone = (ends - np.datetime64(as_of, "s")).astype("float64") / 86400
    starts = np.concatenate([[gone[0] - 1], gone[:-1]])
    return Grid(
        as_of=as_of,
        ends=ends,
        lengths=gone - starts,
        ahead=np.concatenate([[0.0], (gone[1:] + starts[1:]) / 2]),
        slot=np.array([r[1] for r in rows]),
        period=np.array([r[2] for r in rows]),
        season=np.array([r[0].month - 1 for r in rows]),
    )
