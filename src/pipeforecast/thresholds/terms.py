"""What a contact costs, what a conversion brings, how many leads a week can be turned to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeforecast.errors import SettingsError


@dataclass(frozen=True)
class Terms:
    """The user's money and hands.

    Attributes
    ----------
    cost : float
        Of turning to one lead, in the same money as ``value``; 0 or more.
    value : float
        Of one conversion; 0 or more.
    capacity : float or None
        Leads a week that can be turned to; None: as many as come.
    """

    cost: float
    value: float
    capacity: float | None = None

    def __post_init__(self) -> None:
        for name in ("cost", "value", "capacity"):
            given = getattr(self, name)
            if given is not None and not (math.isfinite(given) and given >= 0):
                raise SettingsError(f"{name}: expected a number of 0 or more, came {given}")

    def of_share(self, share: float) -> Terms:
        """Give a segment its share of the capacity."""
        return Terms(self.cost, self.value, None if self.capacity is None else self.capacity * share)
