"""What people say of a period: the latest call of each layer, person and group."""

from __future__ import annotations

import pandas as pd

from pipeforecast.fiscal import Period
from pipeforecast.history import DealHistory
from pipeforecast.rules.people import CALLS

LATEST_COLUMNS = ("layer", "level", "group", "person", "made_at", "amount")


def latest_calls(history: DealHistory, period: Period, as_of: pd.Timestamp) -> pd.DataFrame | None:
    """Give the latest calls of a period, layer by layer, as the rules of the same names add them up.

    Parameters
    ----------
    history : DealHistory
        May know more: no call made after the evening of ``as_of`` is told.
    period : Period
    as_of : Timestamp

    Returns
    -------
    DataFrame or None
        ``layer``, ``level``, ``group``, ``person``, ``made_at``, ``amount``; without rows where nobody has called the
        period, None where the export has no calls at all.
    """
    calls = history.tables.get("calls")
    if calls is None:
        return None
    found = [call.latest(calls, as_of, period).assign(layer=call.layer) for call in CALLS]
    told = [f for f in found if len(f)]
    if not told:
        return pd.DataFrame(columns=list(LATEST_COLUMNS))
    return pd.concat(told, ignore_index=True)[list(LATEST_COLUMNS)]
