"""What planning backwards may be told: the target, and rates that are assumed instead of measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeforecast.kinds import Closed


def _above_nought(value: float) -> float:
    if value <= 0:
        raise ValueError(f"expected an amount above 0, came {value:g}")
    return value


Target = Annotated[float, AfterValidator(_above_nought)]
Share = Annotated[float, Field(gt=0, le=1)]
Amount = Annotated[float, Field(gt=0)]
Days = Annotated[float, Field(ge=0)]


class AssumedRates(Closed):
    """Rates that are stated instead of measured; null: measured (``rates={win_rate: 0.25}``).

    Attributes
    ----------
    deal_size : float
        Mean amount of a won deal.
    win_rate : float
        Won ÷ closed deals.
    sql_to_opportunity, mql_to_sql, lead_to_mql : float
        Shares of leads that go on.
    contact_to_meeting : float
        Meetings ÷ contacts.
    meeting_to_win : float
        Won deals ÷ meetings.
    cycle_days : float
        Median days from creation to the win.
    """

    deal_size: Amount | None = None
    win_rate: Share | None = None
    sql_to_opportunity: Share | None = None
    mql_to_sql: Share | None = None
    lead_to_mql: Share | None = None
    meeting_to_win: Share | None = None
    contact_to_meeting: Share | None = None
    cycle_days: Days | None = None


class LookBack(Closed):
    """Which past the rates are measured on."""

    periods: int = Field(4, ge=1, description="complete periods")
    where: Literal["all", "new", "existing"] = Field("all", description="customers whose deals count")
