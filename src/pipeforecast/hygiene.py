"""What an audit may be told: when a deal is flagged, and what each stage asks for before a deal moves on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeforecast.errors import some
from pipeforecast.kinds import Closed

Name = Annotated[str, Field(min_length=1)]


class FlagSettings(Closed):
    """From where on a deal is flagged."""

    pushes: int = Field(3, ge=1, description="times that the close date was moved to a later day")
    silent_days: int = Field(30, ge=1, description="days without any activity")
    stage_share: float = Field(0.9, gt=0, lt=1, description="share of stays in a stage that end sooner (Kaplan–Meier)")
    least_stays: int = Field(10, ge=1, description="completed stays in a stage below which no stay is called long")


class PastSettings(Closed):
    """On which past evenings deals are looked at, to say how often those with a flag were won."""

    days: int = Field(730, ge=1, description="how far back")
    every: int = Field(14, ge=1, description="days from one evening to the next")


class ReviewSettings(Closed):
    """How long the list for the weekly review is."""

    deals: int = Field(5, ge=1, description="deals per owner at most")


def _question(value: Any) -> Any:
    """Take a column's name alone for a question that any answer in that column answers."""
    return {"column": value} if isinstance(value, str) else value


class Question(Closed):
    """What a deal must answer: a mapped column, and what counts as an answer.

    Attributes
    ----------
    column : str
        Of deals, by its canonical name.
    filled : str
        ``any``: something is there; ``positive``: a number above 0; ``yes``: yes, true, y or 1.
    values : tuple of str
        If given, only these count, whatever ``filled`` says.
    """

    column: Name
    filled: Literal["any", "positive", "yes"] = "any"
    values: tuple[Name, ...] = ()


class CriteriaSettings(Closed):
    """What each stage asks for before a deal moves on (``configs/criteria``).

    Attributes
    ----------
    questions : mapping of name to Question
    stages : mapping of stage to names of questions
        A stage by its name, or by its number among the open stages ("2": the second).
    required_fields : bool
        Whether the fields that the CRM's own table of stages requires count too.
    """

    questions: dict[Name, Annotated[Question, BeforeValidator(_question)]] = Field(default_factory=dict)
    stages: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    required_fields: bool = True

    @model_validator(mode="after")
    def _known(self) -> CriteriaSettings:
        unknown = sorted({q for needs in self.stages.values() for q in needs} - set(self.questions))
        if unknown:
            raise ValueError(
                f"stages ask for {some(unknown)}, which questions do not define; defined are {some(self.questions, 12)}"
            )
        return self
