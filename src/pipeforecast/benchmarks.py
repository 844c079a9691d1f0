"""What others reach: values that stand beside a figure and never in it (``configs/benchmarks``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pipeforecast.kinds import Closed

Word = Annotated[str, Field(min_length=1)]


class Benchmark(Closed):
    """One value, or a range, that a metric commonly reaches.

    Attributes
    ----------
    metric : str
        Name in the catalogue.
    part : str
        Of its parts: a name, ``first`` or ``later`` (the first one, all others); empty: of all, or of the whole.
    by, group : str
        Of one group of a grouping alone; empty: of the total.
    low, high : float
        In the metric's unit; equal where it is one value.
    what : str
        What it is, in a few words.
    """

    metric: Word
    part: str = ""
    by: str = ""
    group: str = ""
    low: float
    high: float
    what: Word = "commonly reached"

    @model_validator(mode="after")
    def _in_order(self) -> Benchmark:
        if self.low > self.high:
            raise ValueError(f"expected low to be at most high, came {self.low} and {self.high}")
        if bool(self.by) != bool(self.group):
            raise ValueError(f"by and group go together, came by={self.by!r}, group={self.group!r}")
        return self


class BenchmarkSettings(Closed):
    """The values of one file.

    Attributes
    ----------
    name : str
        How pages call them.
    values : tuple of Benchmark
    """

    name: str = "none"
    values: tuple[Benchmark, ...] = ()
