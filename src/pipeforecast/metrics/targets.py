"""Quotas of every window and group at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeforecast.fiscal import Length, Period
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.metrics.view import View
from pipeforecast.metrics.windows import Window
from pipeforecast.quota import targets_of

_LENGTHS: Sequence[Length] = ("month", "quarter", "year")
#: Said of every call whose groupings are fewer than the quotas' levels.
_EXPECTED = ("QUOTA-UNKNOWN-LEVEL", "QUOTA-UNKNOWN-GROUP")


def length_of(view: View, window: Window) -> Length | None:
    """Tell which length of fiscal period a window is; None: of a campaign, no period."""
    if window.name.startswith("campaign:"):
        return None
    for length in _LENGTHS:
        period = replace(view.calendar, length=length).containing(window.start)
        if (period.start, period.end) == (window.start, window.end):
            return length
    return None


def quotas_of(view: View) -> np.ndarray:
    """Quota of each window and group (P, G): NaN where there is none; as the table said by the evening.

    Raises
    ------
    NotAvailable
        If no window and group has a quota.
    """

    def make() -> np.ndarray:
        out = np.full(view.shape, np.nan)
        known = {by: set(groups) for by, groups in view.groups.names.items() if by != TOTAL}
        known.setdefault("owner", set())
        for i, window in enumerate(view.windows.items):
            length = length_of(view, window)
            if length is None:
                continue
            period = Period(window.start, window.end, window.name)
            told = targets_of(view.frame("quotas"), period, replace(view.calendar, length=length), known)
            for finding in (f for f in told.findings if f.code not in _EXPECTED):
                view.note(finding)
            labels = view.groups.labels.merge(
                told.rows, left_on=["by", "group"], right_on=["level", "group"], how="left"
            )
            out[i] = labels["quota"].to_numpy(dtype="float64")
        return out

    quotas: np.ndarray = view.once("quotas of groups", make)
    if np.isnan(quotas).all():
        raise NotAvailable("quotas has none for these periods and groups")
    return quotas
