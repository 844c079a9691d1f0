"""Findings about a history as it was read: what it can and cannot teach."""

from pipeforecast.findings import Finding
from pipeforecast.history import DealHistory
from pipeforecast.quality.deals import CHECKS as _OF_DEALS
from pipeforecast.quality.past import CHECKS as _OF_THE_PAST

__all__ = ["check_history"]


def check_history(history: DealHistory) -> list[Finding]:
    """Find what is odd in a history, or limits what can be learned from it.

    Returns
    -------
    list of Finding
        In the order of the checks; examples are deal ids, column names or levels of categories.
    """
    return [finding for check in (*_OF_DEALS, *_OF_THE_PAST) for finding in check(history)]
