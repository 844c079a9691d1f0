"""Quotas of every window and group at once."""

from __future__ import annotations

import numpy as np

from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.periods import of_length
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.metrics.view import View
from pipeforecast.quota import targets_of
from pipeforecast.wording import pnoop

#: Said of every call whose groupings are fewer than the quotas' levels.
_EXPECTED = ("QUOTA-UNKNOWN-LEVEL", "QUOTA-UNKNOWN-GROUP")


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
        # Not view.frame: a quota's first day may lie ahead, as those of a running quarter's later months.
        table = view.known.tables["quotas"]
        for i, (window, length) in enumerate(zip(view.windows.items, view.lengths, strict=True)):
            if length is None:
                continue
            period = Period(window.start, window.end, window.name)
            told = targets_of(table, period, of_length(view.calendar, length), known)
            for finding in (f for f in told.findings if f.code not in _EXPECTED):
                view.note(finding)
            labels = view.groups.labels.merge(
                told.rows, left_on=["by", "group"], right_on=["level", "group"], how="left"
            )
            out[i] = labels["quota"].to_numpy(dtype="float64")
        return out

    quotas: np.ndarray = view.once("quotas of groups", make)
    if np.isnan(quotas).all():
        raise NotAvailable(pnoop("reason", "quotas has none for these periods and groups"))
    return quotas
