"""What a company may choose about its metrics: plain values, judged by the settings before."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeforecast.lifecycle import LifecycleSettings


@dataclass(frozen=True)
class Choices:
    """Choices that formulas leave open.

    Attributes
    ----------
    qualified_stage : str
        First stage of qualified deals; empty: the first stage that the export marks as qualified.
    marketing_sources : tuple of str
        Lead sources that marketing brings; the others are of sales.
    size_bands : tuple of float
        Amounts at which a band of deal sizes ends and the next begins; empty: quartiles of won amounts.
    call_days : tuple of int
        Days of the period on whose evening forecast calls are judged.
    lifecycle : LifecycleSettings
        Where the statuses of leads live, which touches share a won amount, how recurring amounts are read.
    """

    qualified_stage: str = ""
    marketing_sources: tuple[str, ...] = ()
    size_bands: tuple[float, ...] = ()
    call_days: tuple[int, ...] = (0, 30, 60)
    lifecycle: LifecycleSettings = field(default_factory=LifecycleSettings)
