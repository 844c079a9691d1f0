"""What the catalogue may be told of leads, touches and customers: where statuses live, and what counts as what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeforecast.kinds import Closed

Names = tuple[Annotated[str, Field(min_length=1)], ...]
#: Statuses in their order; every lead is one from its creation on.
STEPS = ("lead", "mql", "srl", "sql", "opportunity", "customer")


class StatusNames(Closed):
    """What statuses are called in a log of changes; capitals do not matter."""

    field: Names = Field(("status", "lifecycle stage"), description="the log's field that holds the status")
    mql: Names = ("mql", "marketing qualified", "marketing qualified lead")
    srl: Names = ("srl", "sales ready", "sales ready lead", "sales accepted lead")
    sql: Names = ("sql", "sales qualified", "sales qualified lead")
    opportunity: Names = ("opportunity", "converted")


class AttributionSettings(Closed):
    """Which touches share a won amount, and how fast they fade."""

    before: Literal["close", "creation"] = Field("close", description="touches up to that day of the deal count")
    half_life_days: float = Field(7.0, gt=0, description="days in which a touch's share halves (time_decay)")
    kinds: Names = Field((), description="kinds of touches that count; none named: all")


class CustomerSettings(Closed):
    """How recurring amounts and renewals are read."""

    recurring_months: float = Field(1.0, gt=0, description="months that a recurring amount is for (12: a year's)")
    gross_margin: float | None = Field(None, gt=0, le=1, description="share of revenue for the lifetime value")
    renewal_days: int = Field(30, ge=0, description="days after its end in which a subscription still is renewed")
    expansion: Names = Field(
        ("existing", "upsell", "cross-sell", "expansion"), description="deal types that add to what a customer pays"
    )


class LifecycleSettings(Closed):
    """Where the statuses of leads live, and what else is asked of leads, touches and customers."""

    source: Literal["auto", "days", "log", "stages"] = Field(
        "auto",
        description="days: columns mql_at, srl_at, sql_at of leads; log: lead_changes; stages: SRL and SQL are the "
        "first and second stage of the deal; auto: days, else log",
    )
    qualified: Literal["mql", "srl", "sql"] = Field("sql", description="the status from which a lead is qualified")
    mature: float = Field(
        0.9, gt=0, le=1, description="a cohort is immature while fewer of its conversions than this share are due"
    )
    statuses: StatusNames = Field(default_factory=StatusNames)
    attribution: AttributionSettings = Field(default_factory=AttributionSettings)
    customers: CustomerSettings = Field(default_factory=CustomerSettings)
