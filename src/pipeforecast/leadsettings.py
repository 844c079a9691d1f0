"""What a run on leads may be told (``configs/lead``, ``configs/lead_card``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeforecast.kinds import Closed, distinct

Step = Literal["mql", "srl", "sql", "converted", "won"]
Kind = Literal["logistic", "boosting"]
Tool = Literal["salesforce", "hubspot", "dynamics"]
Money = Annotated[float, Field(ge=0)]
Columns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(distinct)]


def _texts(value: object) -> object:
    """Read YAML scalars as the text that stands in the file."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in values)


class CardRuleSettings(Closed):
    """One row of a card that somebody made by hand: a condition on a column, and its points, plus or minus."""

    column: str = Field(min_length=1)
    points: int = Field(ge=-1000, le=1000)
    at_least: float | None = None
    below: float | None = None
    is_: Annotated[tuple[str, ...], BeforeValidator(_texts)] | None = Field(None, alias="is")
    missing: bool = False
    axis: Literal["fit", "engagement", "bant"] = "fit"

    @model_validator(mode="after")
    def _one_condition(self) -> CardRuleSettings:
        numbers = self.at_least is not None or self.below is not None
        if numbers + (self.is_ is not None) + self.missing != 1:
            raise ValueError("expected one condition: at_least and below, or is, or missing: true")
        return self


class LeadCardSettings(Closed):
    """A rules card: points add up; below ``disqualify_below`` a lead is disqualified, at ``mql`` it is handed over."""

    name: str = "rules_card"
    rules: tuple[CardRuleSettings, ...] = Field(min_length=1)
    disqualify_below: int | None = None
    mql: int | None = Field(None, description="points from which the card hands a lead over")


class LeadSettings(Closed):
    """How leads are learned and scored (``configs/lead/default.yaml``).

    Attributes
    ----------
    step, days
        What is foretold: that a lead reaches the step within the days.
    kinds : tuple of str
        Among which kinds of models is chosen; the first wins a tie.
    decide_after : int
        Days after creation on whose evening a lead is decided on: what evaluation and thresholds look at.
    lesson_days : tuple of int
        Days after creation on which lessons are taken, besides the days of the steps.
    """

    step: Step = "converted"
    days: int = Field(90, ge=1, le=1000)
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1), AfterValidator(distinct)] = ("logistic", "boosting")
    decide_after: int = Field(0, ge=0, le=365)
    lesson_days: Annotated[tuple[Annotated[int, Field(ge=0, le=366)], ...], AfterValidator(distinct)] = (
        0, 1, 3, 7, 14, 30,
    )  # fmt: skip
    blocks: int = Field(10, ge=2, le=200, description="blocks of equal count into which past leads are cut by time")
    tested: int = Field(6, ge=1, le=199, description="newest blocks that are foretold, each by what was known then")
    max_rows: int = Field(15_000, ge=200, description="most rows that teach a fit of the past; today's takes 4 times")
    accept_todays_values: Columns = Field((), description="columns taken as they are today for every past day")
    allow_leaks: Columns = Field((), description="columns that the leakage audit would refuse")
    rows_in_order: bool = Field(False, description="without dates: whether the file's rows are in the order of time")
    random_split: bool = Field(True, description="say what a random split would have claimed; false saves its time")
    card: LeadCardSettings | None = Field(None, description="a card made by hand, scored beside the models")
    threshold: str | None = Field(None, description="settings that thresholds saved, which mark leads")
    payloads: Annotated[tuple[Tool, ...], AfterValidator(distinct)] = ("salesforce", "hubspot", "dynamics")
    chunk: int = Field(200_000, ge=1000, description="leads that are scored at once")
    model: str = Field("pipeforecast-leads", min_length=1, description="registered model whose versions train makes")

    @model_validator(mode="after")
    def _tested_are_blocks(self) -> LeadSettings:
        if self.tested >= self.blocks:
            raise ValueError(f"tested: expected fewer than the {self.blocks} blocks, came {self.tested}")
        return self


class ThresholdChoices(Closed):
    """Cost, value, capacity and how a threshold is set from them.

    Attributes
    ----------
    cost_per_contact, value_per_conversion : float or None
        In one money. None: what was won on average by a conversion, and two percent of the value for a contact; both
        are said to be assumed.
    capacity_per_week : float or None
        Leads that can be turned to; None: as many as come.
    by : 'p' or 'points'
        What the threshold that ``score`` uses is of; both are written.
    current : float or None
        Today's threshold, of what ``by`` names, to stand beside.
    steps : tuple of str
        Further steps of the life cycle for which thresholds are set too.
    save : str or None
        Name of the settings file that ``score`` uses.
    """

    lead: LeadSettings = Field(default_factory=LeadSettings)
    cost_per_contact: Money | None = None
    value_per_conversion: Money | None = None
    capacity_per_week: Money | None = None
    by: Literal["p", "points"] = "p"
    current: float | None = None
    steps: Annotated[tuple[Step, ...], AfterValidator(distinct)] = ()
    card_rows: int = Field(15, ge=1, le=15, description="most rows of the points card")
    monotone: Mapping[str, Literal["rising", "falling"]] = Field(
        default_factory=dict, description="numbers whose points may only rise, or only fall, with the number"
    )
    explore_share: float = Field(0.03, ge=0, le=1, description="share of the leads below that are handed over too")
    save: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)] | None = None
    force: bool = Field(False, description="replace a settings file of that name")
