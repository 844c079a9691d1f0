"""What the verb ``metrics`` may be asked: which metrics, of which periods and groups, and a company's choices."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pipeforecast.benchmarks import BenchmarkSettings
from pipeforecast.kinds import Closed, distinct
from pipeforecast.lifecycle import LifecycleSettings

#: A first screen with more than these confuses.
MOST_AT_FIRST = 9

#: What a first screen shows unless a set is chosen.
AT_FIRST = (
    "won_amount", "quota_attainment", "pipeline_value", "weighted_pipeline", "pipeline_coverage", "win_rate",
    "average_deal_size", "sales_cycle_length", "sales_velocity",
)  # fmt: skip


def _names(value: Any) -> Any:
    """Let one name stand for a list of one, and a year be written as a number."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in value)
    return value


def _rising(value: tuple[float, ...]) -> tuple[float, ...]:
    if any(b <= a for a, b in pairwise(value)):
        raise ValueError(f"expected amounts from small to large, came {list(value)}")
    return value


Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_names), AfterValidator(distinct)]
FirstMetrics = Annotated[Names, Field(max_length=MOST_AT_FIRST)]
Count = Annotated[int, Field(ge=1, le=200)]
Periods = Count | Annotated[Names, Field(min_length=1)]


class AskedSettings(Closed):
    """What is asked of the catalogue.

    Attributes
    ----------
    metrics : tuple of str
        Names of the catalogue; empty: all.
    by : tuple of str
        Columns to group by, beside the total.
    periods : int or tuple of str
        The last periods up to the one that ``as_of`` lies in, or names: 2024Q1, 2024M03, 2024, campaign:NAME.
    first : tuple of str
        What is told on the first screen, in this order: at most nine.
    set_name : str
        How that choice is called (``configs/metric_sets``).
    benchmarks : BenchmarkSettings
        What stands beside the figures on the page.
    qualified_stage : str
        First stage of qualified deals; empty: the first that the export marks.
    marketing_sources : tuple of str
        Lead sources that marketing brings.
    size_bands : tuple of float
        Amounts between the bands of deal sizes; empty: quartiles of won amounts.
    call_days : tuple of int
        Days of the period on whose evening forecast calls are judged.
    lifecycle : LifecycleSettings
    language : str or None
        Of the page and of the titles: en, pl, zh, id, ms; None: as ``report.language``.
    """

    metrics: Names = ()
    by: Names = ("owner", "manager", "region", "segment", "product", "lead_source", "deal_type")
    periods: Periods = 8
    first: FirstMetrics = AT_FIRST
    set_name: str = "default"
    benchmarks: BenchmarkSettings = Field(default_factory=BenchmarkSettings)
    qualified_stage: str = ""
    marketing_sources: Names = ()
    size_bands: Annotated[tuple[float, ...], AfterValidator(_rising)] = ()
    call_days: Annotated[tuple[Annotated[int, Field(ge=0, le=400)], ...], AfterValidator(distinct)] = (0, 30, 60)
    lifecycle: LifecycleSettings = Field(default_factory=LifecycleSettings)
    language: Literal["en", "pl", "zh", "id", "ms"] | None = None
