"""What planning backwards may be told: the target, and rates that are assumed instead of measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, model_validator

from pipeforecast.kinds import Closed


def _target(value: Any) -> Any:
    """Take an amount, amounts by period (a year's name may be a number), or the word for the export's own quotas."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError("expected amounts by period, came none")
        return {str(name): _amount(amount) for name, amount in value.items()}
    return value if value is None or value == "quota" else _amount(value)


def _amount(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected an amount, {{PERIOD: AMOUNT}} or quota, came {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"expected an amount above 0, came {value:g}")
    return float(value)


#: One amount, an amount by period, or the word for the export's own quotas; None: nothing was given.
Target = Annotated[float | str | dict[str, float] | None, PlainValidator(_target)]
Share = Annotated[float, Field(gt=0, le=1)]
Above = Annotated[float, Field(gt=0)]


_LEAD_SHARES = (
    "lead_to_mql", "lead_to_sql", "lead_to_opportunity", "mql_to_sql", "mql_to_opportunity", "sql_to_opportunity",
)  # fmt: skip


class AssumedRates(Closed):
    """Rates that are stated instead of measured; null: measured (``rates.win_rate=0.25``).

    Attributes
    ----------
    deal_size : float
        Mean amount of a won deal.
    win_rate : float
        Won ÷ closed deals.
    from_leads : float
        Share of opportunities that come from leads.
    sql_to_opportunity, mql_to_sql, lead_to_mql, mql_to_opportunity, lead_to_sql, lead_to_opportunity : float
        Shares of leads that go on; a chain of them names every step once.
    meeting_to_win, contact_to_meeting : float
        Won deals ÷ meetings, and meetings ÷ contacts.
    cycle_days : float
        Median days from creation to the win.
    """

    deal_size: Above | None = None
    win_rate: Share | None = None
    from_leads: Share | None = None
    sql_to_opportunity: Share | None = None
    mql_to_sql: Share | None = None
    lead_to_mql: Share | None = None
    mql_to_opportunity: Share | None = None
    lead_to_sql: Share | None = None
    lead_to_opportunity: Share | None = None
    meeting_to_win: Above | None = None
    contact_to_meeting: Above | None = None
    cycle_days: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _each_step_once(self) -> AssumedRates:
        steps = ("lead", "mql", "sql", "opportunity")
        pairs = [tuple(map(steps.index, n.split("_to_"))) for n in _LEAD_SHARES if getattr(self, n) is not None]
        spans = sorted(pairs)
        if any(late[0] < early[1] for early, late in pairwise(spans)):
            raise ValueError("expected each step of leads in one share, came overlapping ones")
        return self


class LookBack(Closed):
    """Which past the rates are measured on."""

    periods: int = Field(4, ge=1, description="complete periods, the newest")
    deal_type: Literal["all", "new", "existing"] = Field("all", description="deals that count")
