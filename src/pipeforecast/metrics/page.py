"""The page of the catalogue, ``docs/metrics.md``, made from the declarations.

``python -m pipeforecast.metrics.page > docs/metrics.md`` writes it; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files

import yaml

from pipeforecast.benchmarks import Benchmark, BenchmarkSettings
from pipeforecast.metrics.catalogue import CATALOGUE
from pipeforecast.metrics.declared import Metric

_HEAD = """# The catalogue of metrics

{n} metrics, computed by `pipeforecast metrics` for any periods and groups, as of any day. This page is made from their
declarations (`python -m pipeforecast.metrics.page > docs/metrics.md`); each worked example is a test.

- **Of a day.** A metric uses only what was written by the evening of `as_of`.
- **Clock.** Which date decides the period: *created*, *closed*, *entered* (a stage) or *day* (of a touch, an order,
  spend) lie in it; *as of* is what was known on its last evening.
- **Status.** `ok`; `undefined` where the denominator is not above 0, or where nothing that it rests on is known of that
  evening (null, never 0); `not available` where a table or a column is absent, with the reason; `immature` where too
  few of a young cohort's conversions are due yet; `reached` where nothing is left to be done.
- **Intervals.** Shares of countable units have n and a Wilson 95 % interval; ratios of money have none, or one by
  resampling.
- **Groups.** Counts and sums (*adds up*) add up over groups and over the parts of a period; rates, medians and distinct
  counts do not.
- **Benchmarks** (`configs/benchmarks/common.yaml`) are rules of thumb: they stand beside a figure and never in it.
- **Choices** (`configs/metrics.yaml`): where the statuses of leads live (`lifecycle.source`: status days, a log, the
  first deal stages) and what they are called, from which one a lead is qualified, which touches share a won amount and
  how fast they fade (`lifecycle.attribution`), how recurring amounts are read (`lifecycle.customers`), marketing's lead
  sources.
- Names and aliases in English, Polish, Chinese, Indonesian and Malay: `src/pipeforecast/names/`.
"""
_GOOD = {"up": "more is better", "down": "less is better", "neither": "neither more nor less is better"}
_FAMILIES = {
    "pipeline": "Pipeline", "deals": "Deals", "stages": "Stages", "forecast": "Forecasts",
    "life cycle": "Life cycle of leads", "marketing": "Marketing", "attribution": "Attribution",
    "customers": "Customers and subscriptions",
}  # fmt: skip


def page() -> str:
    """Give the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.format(n=len(CATALOGUE))
    benchmarks = _benchmarks()
    for family, title in _FAMILIES.items():
        mine = [m for m in CATALOGUE.values() if m.family == family]
        if mine:
            yield f"## {title}\n"
            for metric in mine:
                yield from _told(metric, [b for b in benchmarks if b.metric == metric.name])


def _told(metric: Metric, benchmarks: list[Benchmark]) -> Iterator[str]:
    yield f"### {metric.title} (`{metric.name}`)\n"
    yield f"{metric.formula[0].upper()}{metric.formula[1:]}.\n"
    unit = f"{metric.unit}, n counts {metric.counts}"
    adds = "; adds up" if metric.additive else ""
    parts = f"; by {metric.parts}" if metric.parts else ""
    yield f"- {unit}{parts}{adds}; clock: {metric.clock}; {_GOOD[metric.good]}"
    yield f"- needs {_needs(metric)}"
    yield from (f"- benchmark: {_benchmark(metric, b)}" for b in benchmarks)
    if metric.example:
        yield f"- example: {metric.example}"
    yield ""


def _needs(metric: Metric) -> str:
    """Name tables and columns; a metric that names none says itself what it lacks."""
    tables = [f"`{t}`" + (f" ({', '.join(columns)})" if columns else "") for t, columns in metric.needs.items()]
    return ", ".join(tables) or "`subscriptions`, or `customers` (started_at, ended_at)"


def _benchmark(metric: Metric, b: Benchmark) -> str:
    share = metric.unit == "share"
    low, high = (f"{100 * v:g}" if share else f"{v:g}" for v in (b.low, b.high))
    where = f", {b.part} {metric.parts}" if b.part else f", {b.by} {b.group}" if b.by else ""
    return (low if low == high else f"{low}–{high}") + (" %" if share else f" {metric.unit}") + f" ({b.what}{where})"


def _benchmarks() -> tuple[Benchmark, ...]:
    text = (files("pipeforecast.configs") / "benchmarks" / "common.yaml").read_text(encoding="utf-8")
    return BenchmarkSettings.model_validate(yaml.safe_load(text)).values


if __name__ == "__main__":
    sys.stdout.write(page())
