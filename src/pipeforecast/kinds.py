"""What each kind of model may be told: one closed class a kind, chosen by ``kind`` (``configs/model``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

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


DaysOfPeriod = Annotated[tuple[Annotated[int, Field(ge=0, le=366)], ...], Field(min_length=1), AfterValidator(distinct)]
HalfLife = Annotated[float | None, Field(gt=0, description="days after which a lesson counts half; null: never")]
Rows = Annotated[int, Field(ge=100, description="most lesson rows to learn from; more are thinned by deal")]
Bags = Annotated[int, Field(ge=0, le=100, description="refits on resampled deals, for the spread; 0: no spread")]


class DealModelSettings(Closed):
    """What every model of deals is told: its lessons, and how its forecast is drawn."""

    periods: int = Field(12, ge=1, description="periods before the cut-off that lessons are taken from")
    lesson_days: DaysOfPeriod = Field((0, 15, 30, 45, 60, 75), description="days of each period with a lesson")
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
