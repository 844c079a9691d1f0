"""Card, grades and thresholds of one step of a lead's life, studied on past leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.leads import ScoredLeads
from pipeforecast.points import CardRecipe, Grades, OutOfFold, PointsCard
from pipeforecast.thresholds.against import AgainstModel
from pipeforecast.thresholds.curve import Scale
from pipeforecast.thresholds.explore import ExploreLog
from pipeforecast.thresholds.judged import Judged
from pipeforecast.thresholds.stability import Inflation
from pipeforecast.thresholds.terms import Terms

ALL = "all"
SCALES: tuple[Scale, Scale] = ("p", "points")


@dataclass(frozen=True)
class Rule:
    """A rules card that somebody made by hand, and from how many points it hands a lead over.

    Attributes
    ----------
    name : str
    points : float (n,)
        Of each row of the scored leads.
    threshold : float
    """

    name: str
    points: np.ndarray
    threshold: float


@dataclass(frozen=True)
class Asked:
    """What a study is asked for.

    Attributes
    ----------
    terms : Terms
    scale : 'p' or 'points'
        By which leads are handed over.
    recipe : CardRecipe
    calendar : FiscalCalendar
    log : ExploreLog or None
    current : float or None
        Today's threshold, on the scale.
    rule : Rule or None
        Today's rules card.
    seed : int
    """

    terms: Terms
    scale: Scale = "p"
    recipe: CardRecipe = field(default_factory=CardRecipe)
    calendar: FiscalCalendar = field(default_factory=FiscalCalendar)
    log: ExploreLog | None = None
    current: float | None = None
    rule: Rule | None = None
    seed: int = 0


@dataclass(frozen=True)
class Study:
    """What was found of one step.

    Attributes
    ----------
    scored : ScoredLeads
    asked : Asked
    card, grades : PointsCard, Grades
    oof : OutOfFold
        The card's refits, for every row of ``scored``.
    against : AgainstModel
    grade_rows, calibration : DataFrame
    leads : mapping of scale to mapping of segment (``all`` first) to Judged
    table : DataFrame
        Rows of ``thresholds.csv`` but for the step; ``leads_per_week`` is the mean of the last weeks, young leads
        included: what comes in now has to be turned to.
    rule : DataFrame
        One row like those of ``table`` for each segment, by today's rules card; without rows where there is none.
    threshold : mapping of segment to float
        Best thresholds on the scale asked for.
    past : DataFrame
        Threshold by past period.
    weeks : mapping of (scale, segment) to counts
        As ``stability.weekly`` gives them.
    explored : bool
        Whether explored leads were used.
    alarm : Inflation or None
    pooled : tuple of str
        Segments too small for a threshold of their own.
    """

    scored: ScoredLeads
    asked: Asked
    card: PointsCard
    grades: Grades
    oof: OutOfFold
    against: AgainstModel
    grade_rows: pd.DataFrame
    calibration: pd.DataFrame
    leads: Mapping[Scale, Mapping[str, Judged]]
    table: pd.DataFrame
    rule: pd.DataFrame
    threshold: Mapping[str, float]
    past: pd.DataFrame
    weeks: Mapping[tuple[Scale, str], tuple[np.ndarray, np.ndarray]]
    explored: bool
    alarm: Inflation | None
    pooled: tuple[str, ...]
