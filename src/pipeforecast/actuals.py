"""What periods brought, in total and by group: as known today, and as was known on their last evening."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from pipeforecast.contract import WON
from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL, group_names
from pipeforecast.history import DealHistory
from pipeforecast.reporting import credited

_DAY = np.timedelta64(1, "D")
_EVER = np.datetime64("9999-12-31", "s")


def actuals(
    history: DealHistory, origins: Iterable[tuple[pd.Timestamp, Period]], levels: Sequence[str]
) -> pd.DataFrame:
    """Give what the period of each origin brought; each period is looked up once.

    Parameters
    ----------
    origins : (as_of, period) each

    Returns
    -------
    DataFrame
        ``as_of``, ``period``, ``level``, ``group``, ``actual`` and ``actual_as_first_known``.
    """
    asked = list(origins)
    won = (history.states["status"] == WON).fillna(False).to_numpy(dtype=bool)
    brought = {period: _brought(history, won, period, levels) for period in {p for _, p in asked}}
    return pd.concat([brought[p].assign(as_of=as_of, period=p.name) for as_of, p in asked], ignore_index=True)


def _brought(history: DealHistory, won: np.ndarray, period: Period, levels: Sequence[str]) -> pd.DataFrame:
    held, closed = history.held, history.states["closed_at"].to_numpy().astype("datetime64[s]")
    start, end = (np.datetime64(day, "s") for day in (period.start, period.end))
    inside = won & (closed >= start) & (closed < end + _DAY)
    evening = _EVER if period.end >= history.written_until else np.datetime64(period.end.normalize(), "s") + _DAY
    now, then = (
        _revenue(history, np.flatnonzero(inside & (held.recorded < e) & (held.until >= e)), levels)
        for e in (_EVER, evening)
    )
    out = now.rename("actual").to_frame().join(then.rename("actual_as_first_known"), how="outer").fillna(0.0)
    return out.reset_index()


def _revenue(history: DealHistory, rows: np.ndarray, levels: Sequence[str]) -> pd.Series:
    """Sum the amounts of deals that are won in the states at ``rows``, for whom each counted when it was closed."""
    won = credited(history.states, history.tables.get("reporting_line"), history.written_until, rows)
    birth = [c for c in levels if c in history.deals and c not in won]
    won = won.join(history.deals[birth])
    values = {(TOTAL, TOTAL): float(won["amount"].sum())}
    for level in levels:
        sums = won["amount"].fillna(0.0).groupby(group_names(won, level)).sum()
        values |= {(level, str(group)): float(v) for group, v in sums.items()}
    index = pd.MultiIndex.from_tuples(list(values), names=["level", "group"])
    return pd.Series(list(values.values()), index=index, dtype="float64")
