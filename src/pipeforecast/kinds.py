"""What each kind of model and of scenario may be told: one closed class a kind, chosen by ``kind``.

``configs/model`` and ``configs/scenario`` hold their files.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeforecast.errors import some


class Closed(BaseModel):
    """Frozen, and an unknown key is an error: a misspelt setting must never be ignored.

    Nested defaults come from factories: made at import, their paths would count from where the import happened.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a value that is named twice: it would be counted twice."""
    twice = sorted({v for v in values if values.count(v) > 1})
    if twice:
        raise ValueError(f"expected each value once, came {some(twice)} more than once")
    return values


def _day(value: object) -> object:
    """Let only written days through: pydantic alone would read 20170331 as seconds since 1970."""
    if isinstance(value, dt.date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return value
    raise ValueError("expected a day written YYYY-MM-DD")


Day = Annotated[dt.date, BeforeValidator(_day)]
DaysOfPeriod = Annotated[tuple[Annotated[int, Field(ge=0, le=366)], ...], Field(min_length=1), AfterValidator(distinct)]
HalfLife = Annotated[float | None, Field(gt=0, description="days after which a lesson counts half; null: never")]
Rows = Annotated[int, Field(ge=100, description="most lesson rows to learn from; more are thinned by deal")]
Bags = Annotated[int, Field(ge=0, le=100, description="refits on resampled deals, for the spread; 0: no spread")]


class DealModelSettings(Closed):
    """What every model of deals is told: its lessons, and how its forecast is drawn."""

    periods: int = Field(12, ge=1, description="periods before the cut-off that lessons are taken from")
    lesson_days: DaysOfPeriod = Field((0, 15, 30, 45, 60, 75), description="days of each period with a lesson")
    max_deals: int = Field(
        50_000, ge=100, description="about how many deals teach; of more a share, chosen by their ids"
    )
    draws: int = Field(2000, ge=100, description="draws of a forecast; configs tie it to the run's draws")
    coefficient_draws: int = Field(40, ge=1, description="draws of the coefficients that the draws share")
    shock_prior_sd: float = Field(0.15, gt=0, description="prior scale of a period's common shock, log-odds")


class HazardSettings(DealModelSettings):
    """The hazard model (``configs/model/hazard.yaml``)."""

    kind: Literal["hazard"] = "hazard"
    penalty: float = Field(0.01, gt=0, description="scikit-learn's C: the smaller, the stronger the penalty")
    bends: int = Field(2, ge=0, le=10, description="knots of each number's effect; 0: straight lines")
    form: Literal["auto", "pooled", "stage", "segment"] = Field(
        "auto", description="one model for all, or effects by stage or segment; auto: chosen on the last periods"
    )
    max_rows: Rows = 30_000
    half_life: HalfLife = None


class _TreeSettings(DealModelSettings):
    learning_rate: float = Field(0.05, gt=0, le=1, description="share of each tree that is believed")
    leaves: int = Field(12, ge=2, description="leaves of a tree, at most")
    least_leaf: int = Field(60, ge=1, description="rows of a leaf, at least")
    l2: float = Field(10.0, ge=0, description="ridge penalty on the values of leaves")
    half_life: HalfLife = None
    bags: Bags = 4


class BoostingSettings(_TreeSettings):
    """Hazards by gradient boosting (``configs/model/boosting.yaml``)."""

    kind: Literal["boosting"] = "boosting"
    rounds: int = Field(60, ge=1, description="trees a class, at most; fewer where few deals have closed")
    max_rows: Rows = 30_000


class IncidenceSettings(_TreeSettings):
    """Cumulative incidence learned directly (``configs/model/incidence.yaml``)."""

    kind: Literal["incidence"] = "incidence"
    questions: int = Field(3, ge=1, description="horizons asked of each lesson row")
    rounds: int = Field(80, ge=1, description="trees a cause, at most; fewer where few deals have closed")
    learning_rate: float = Field(0.06, gt=0, le=1, description="share of each tree that is believed")
    max_rows: Rows = 20_000


class StagesSettings(DealModelSettings):
    """The chain of stages (``configs/model/stages.yaml``)."""

    kind: Literal["stages"] = "stages"
    max_rows: Rows = 200_000
    bags: Bags = 6


class CoxSettings(DealModelSettings):
    """Proportional hazards of winning and of losing (``configs/model/cox.yaml``)."""

    kind: Literal["cox"] = "cox"
    max_rows: Rows = 4_000
    half_life: HalfLife = None


class AalenJohansenSettings(DealModelSettings):
    """Cumulative incidence by stage alone (``configs/model/aalen_johansen.yaml``)."""

    kind: Literal["aalen_johansen"] = "aalen_johansen"
    least_closings: int = Field(30, ge=1, description="closings without which a stage has all stages' incidence")
    max_rows: Rows = 30_000
    half_life: HalfLife = None
    bags: Bags = 6


Member = Literal["hazard", "boosting", "incidence", "stages", "cox", "aalen_johansen"]


class BlendSettings(DealModelSettings):
    """An average of kinds, each with its defaults (``configs/model/blend.yaml``)."""

    kind: Literal["blend"] = "blend"
    members: Annotated[tuple[Member, ...], Field(min_length=1), AfterValidator(distinct)] = ("hazard", "incidence")
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = Field(
        None, description="one a member; null: chosen at each fit on the last periods known then"
    )
    weight_periods: int = Field(3, ge=1, description="last complete periods on which weights are chosen")

    @model_validator(mode="after")
    def _one_weight_a_member(self) -> BlendSettings:
        if self.weights is not None and (len(self.weights) != len(self.members) or sum(self.weights) <= 0):
            raise ValueError(
                f"weights: expected one for each of {len(self.members)} members, not all 0, came {list(self.weights)}"
            )
        return self


class PluginSettings(DealModelSettings):
    """A kind that another package offers under the entry-point group ``pipeforecast.models``."""

    kind: Literal["plugin"] = "plugin"
    name: str = Field(min_length=1, description="name of the entry point")
    options: dict[str, Any] = Field(default_factory=dict, description="what it is called with")


class RuleSettings(Closed):
    """A rule in the model's place (``configs/model/rule.yaml``)."""

    kind: Literal["rule"] = "rule"
    name: str = Field(min_length=1)


ModelSettings = Annotated[
    HazardSettings
    | BoostingSettings
    | IncidenceSettings
    | StagesSettings
    | CoxSettings
    | AalenJohansenSettings
    | BlendSettings
    | PluginSettings
    | RuleSettings,
    Field(discriminator="kind"),
]


def _several(value: object) -> object:
    """Take one value for a list of one; numbers stand for how they are written."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(v) if isinstance(v, int | float) and not isinstance(v, bool) else v for v in values]


def _not_none(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("expected at least one, came none")
    return values


Values = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_several), AfterValidator(distinct),
    AfterValidator(_not_none),
]  # fmt: skip


class _Named(Closed):
    name: str | None = Field(None, pattern=r"^[\w-]{1,40}$", description="how outputs call it; null: as its kind")

    @property
    def title(self) -> str:
        """How outputs call the scenario."""
        return self.name or str(getattr(self, "kind", ""))


class NoScenario(_Named):
    """Nothing is assumed but what is forecast (``configs/scenario/none.yaml``)."""

    kind: Literal["none"] = "none"


class _Limited(_Named):
    where: Annotated[dict[str, Values], BeforeValidator(lambda told: {} if told is None else told)] = Field(
        default_factory=dict, description="only deals with these values, by column of the open deals; null: all"
    )


class WinRateScenario(_Limited):
    """Deals are won more or less often."""

    kind: Literal["win_rate"] = "win_rate"
    factor: float | None = Field(None, gt=0, description="on the odds of being won in the period")
    points: float | None = Field(None, gt=-100, lt=100, description="percentage points on the past year's win rate")

    @model_validator(mode="after")
    def _one_of_both(self) -> WinRateScenario:
        if (self.factor is None) == (self.points is None):
            raise ValueError(f"expected one of factor and points, came factor={self.factor}, points={self.points}")
        return self


class SlipScenario(_Limited):
    """Wins come later, or (below 0) earlier."""

    kind: Literal["slip"] = "slip"
    days: int = Field(ge=-365, le=365, description="by which every win comes later; below 0: earlier")


class CapacityScenario(_Limited):
    """Somebody leaves, or has less time."""

    kind: Literal["capacity"] = "capacity"
    owner: Values | None = Field(None, description="one or several; null: whoever is named by where")
    day: Day | None = Field(None, description="from which on; null: tomorrow")
    factor: float = Field(0.0, ge=0, le=1, description="share of the capacity that is left; 0: they leave")
    kept: float = Field(0.5, ge=0, le=1, description="factor on the chance of a deal that goes to somebody else")

    @model_validator(mode="after")
    def _somebody(self) -> CapacityScenario:
        if self.owner is None and not self.where:
            raise ValueError("expected owner or where, came neither")
        return self


class PriceScenario(_Limited):
    """Amounts change, and with them perhaps the odds."""

    kind: Literal["price"] = "price"
    factor: float = Field(gt=0, description="on what each deal brings")
    elasticity: float = Field(0.0, ge=0, le=20, description="the odds of winning move by factor^(−elasticity)")


class ExtraPipelineScenario(_Limited):
    """Deals come in that nobody has today; ``where`` says of what kind they are."""

    kind: Literal["extra_pipeline"] = "extra_pipeline"
    amount: float = Field(ge=0, description="of all of them, as they would be listed")
    deals: int | None = Field(None, ge=1, le=5000, description="how many; null: amount ÷ average_amount")
    average_amount: float | None = Field(None, gt=0, description="of one; null: as of the past year's deals")
    day: Day | None = Field(None, description="on which they come in; null: tomorrow")
    stage: str | None = Field(
        None, min_length=1, description="as likely won as today's deals in this stage; null: as past new deals"
    )

    @model_validator(mode="after")
    def _not_both(self) -> ExtraPipelineScenario:
        if self.deals is not None and self.average_amount is not None:
            raise ValueError("expected deals or average_amount, came both")
        return self


class DownturnScenario(_Limited):
    """Fewer deals are won, fewer come in, and all take longer."""

    kind: Literal["downturn"] = "downturn"
    odds: float = Field(1.0, gt=0, description="factor on the odds of being won")
    arrivals: float = Field(1.0, ge=0, le=10, description="factor on how many deals come in")
    days: int = Field(0, ge=-365, le=365, description="by which every win comes later")


OneScenario = Annotated[
    WinRateScenario | SlipScenario | CapacityScenario | PriceScenario | ExtraPipelineScenario | DownturnScenario,
    Field(discriminator="kind"),
]


class CombineScenario(_Named):
    """Several scenarios at once, applied in their order."""

    kind: Literal["combine"] = "combine"
    parts: Annotated[tuple[OneScenario, ...], AfterValidator(_not_none)]


ScenarioSettings = Annotated[
    NoScenario
    | WinRateScenario
    | SlipScenario
    | CapacityScenario
    | PriceScenario
    | ExtraPipelineScenario
    | DownturnScenario
    | CombineScenario,
    Field(discriminator="kind"),
]
