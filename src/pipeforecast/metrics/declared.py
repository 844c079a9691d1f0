"""The declaration of a metric: all that the catalogue, the manual and the table say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pipeforecast.metrics.values import Answer

if TYPE_CHECKING:
    from pipeforecast.metrics.view import View

Unit = Literal["currency", "currency a day", "count", "share", "ratio", "days", "hours", "index", "by part"]
Clock = Literal["created", "closed", "as of", "day", "entered"]
Good = Literal["up", "down", "neither"]
Family = Literal["pipeline", "deals", "stages", "forecast", "life cycle", "marketing", "attribution", "customers"]


@dataclass(frozen=True)
class Metric:
    """One row of the catalogue.

    Parameters
    ----------
    name : str
        Stable: other programs rely on it.
    title : str
        As a person says it.
    formula : str
        In words and signs, as in the page of definitions.
    unit : Unit
    counts : str
        What a unit of ``n`` is: deals, leads, touches, …
    clock : Clock
        Which date decides the period: ``created``, ``closed``, ``entered`` (a stage or a status) or ``day`` (of a
        touch, an order, spend) lie in it; ``as of``: what was known on its last evening.
    good : Good
        Which direction is good.
    family : Family
    compute : callable
        From a ``View`` to ``Values`` (or to several by part), for all windows and groups at once.
    needs : mapping of table to columns
        Without one of them the metric is not available.
    additive : bool
        Whether groups add up to the total, and parts of a period to the period (not of what is seen on one evening).
    grows : bool
        Whether the value of a running period still grows with its days (as sums do): not to be set beside a whole one.
    parts : str
        What the parts are (stage, band, source, …); empty where there are none. A part's row has it in ``part``.
    example : str
        A worked example, as a test reproduces it.
    """

    name: str
    title: str
    formula: str
    unit: Unit
    counts: str
    clock: Clock
    good: Good
    family: Family
    compute: Callable[[View], Answer]
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"deals": ()})
    additive: bool = False
    grows: bool = False
    parts: str = ""
    example: str = ""
