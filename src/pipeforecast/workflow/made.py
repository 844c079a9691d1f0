"""Everything that one forecast is made of, before a file is written: periods, rules, the record, quotas, a scenario."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeforecast.build import build_filters
from pipeforecast.cells import Cells, cut
from pipeforecast.champion import Chosen
from pipeforecast.course import Course, course_of, no_course
from pipeforecast.explain import Explained, explain
from pipeforecast.fiscal import Period
from pipeforecast.forecast import QUANTILES, TOTAL, Forecast
from pipeforecast.headline import Headline, headline
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.proof import Proof
from pipeforecast.quota import Quotas, quotas_of
from pipeforecast.replay import proof_of
from pipeforecast.results import forecast_rows
from pipeforecast.rules import Terms, terms_of
from pipeforecast.run import Run
from pipeforecast.scenario import what_if
from pipeforecast.settings import ForecastSettings
from pipeforecast.settled import AUTO, MODEL
from pipeforecast.snapshot import Snapshot
from pipeforecast.spread import widened, with_total


@dataclass(frozen=True)
class Made:
    """One forecast.

    Attributes
    ----------
    head : Headline
        What leads, and the model beside it.
    rules, later : sequence of Forecast
        Of the same period; and the model's of the periods after it.
    now : Snapshot
    proof : Proof or None
    aims : Quotas
    why : Explained
    changed : Forecast or None
        Under the scenario.
    terms : Terms
        What the rules reckon with.
    cells : Cells or None
        What leads, cut by all that a reader may filter by; None for a rule.
    course : Course
        What would have been said on earlier days of the period.
    seen : Snapshot or None
        Of today and of all evenings that the lessons are from.
    """

    head: Headline
    rules: Sequence[Forecast]
    later: Sequence[Forecast]
    now: Snapshot
    proof: Proof | None
    aims: Quotas
    why: Explained
    changed: Forecast | None
    terms: Terms
    cells: Cells | None = None
    course: Course = field(default_factory=no_course)
    seen: Snapshot | None = None

    @property
    def lead(self) -> Forecast:
        """The forecast that leads."""
        return self.head.lead

    @property
    def factor(self) -> float:
        """What the model's means of all that is not won are multiplied by in the forecast that leads."""
        won, model = self.lead.value("won"), self.head.model.value()
        return (self.lead.value() - won) / (model - won) if self.lead is not self.head.model and model > won else 1.0

    def rows(self, currency: str) -> pd.DataFrame:
        """Rows of ``forecast.csv`` for the period: the lead's first, the model's, the rules' with their ranges."""
        leads = [self.lead] if self.lead is self.head.model else [self.lead, self.head.model]
        table = forecast_rows([*leads, *self.rules], currency, self.coverage())
        whole = ((table["level"] == TOTAL) & (table["part"] == TOTAL)).to_numpy(dtype=bool)
        for method, ranges in self.head.ranges.iterrows():
            at = whole & (table["method"] == method).to_numpy(dtype=bool)
            table.loc[at, list(QUANTILES)] = ranges.to_numpy(dtype="float64")
        return table

    def coverage(self) -> float | None:
        """How often the 80 % range of what leads held in the replay."""
        if self.proof is None:
            return None
        s = self.proof.scores
        hit = s[((s["level"] == TOTAL) & (s["method"] == self.lead.method) & (s["day_of_period"] == -1)).to_numpy()]
        return float(hit["cover80"].iloc[0]) if len(hit) else None

    def sentence(self) -> str:
        """The verdict, and what follows from it for this forecast."""
        if self.proof is None:
            return "Not yet proven: no past period could be replayed."
        if self.lead.method != AUTO:
            return self.proof.sentence
        said = self.head.chosen.replace(MODEL, "the model")
        return f"{self.proof.sentence} Past periods speak for {said}: that leads (method=model keeps to the model)."


def make(settings: ForecastSettings, run: Run, use: Chosen, period: Period) -> Made:
    """Fit, forecast the period and those after it, replay, and set everything beside it."""
    plan = run.plan.with_day(period.day_of(run.as_of))
    snapshot = prepare(run.known, run.calendar, plan, [run.as_of])
    lessons = lessons_at(run.known, run.calendar, snapshot, run.as_of, plan)
    now = snapshot.only([run.as_of])
    fitted = use.fit(lessons)
    if isinstance(fitted, FittedPipeline):
        run.findings.extend(fitted.findings(now))
    after = [run.calendar.shift(period, i + 1) for i in range(settings.ahead)]
    if isinstance(fitted, FittedPipeline):
        (raw, *later), outlook = fitted.forecasts(now, [period, *after], run.levels)
    else:
        raw, *later = [fitted.forecast(now, p, run.levels) for p in (period, *after)]
    changed = what_if(settings.scenario, fitted, now, period, run.levels)  # refuses before the replay
    rules = [r.fit(lessons).forecast(now, period) for r in run.rules if r.name != fitted.name]
    began = time.monotonic()
    proof = proof_of(settings, run)
    if proof is not None:
        run.findings.extend(proof.findings)
    head = headline(raw, rules, None if proof is None else proof.settled, settings.method)
    aims = quotas_of(head.lead, now, run.known.tables.get("quotas"), run.calendar, run.currency, settings.seed)
    why = explain(getattr(fitted, "deals", None), raw.deals, now, period)
    run.findings.extend([*aims.findings, *why.findings])
    if changed is not None and head.factor != 1.0:
        wanted = widened(changed.draw(), changed.value("won"), head.factor)
        changed = with_total(changed, wanted, changed.value(), changed.method)
    course, cells = no_course(), None
    if proof is not None:
        left = settings.proof.budget_s - (time.monotonic() - began)
        course = course_of(settings, run, period, head.lead.method, left, proof.backtest)
    if isinstance(fitted, FittedPipeline):
        filters = build_filters(run.known)
        cells = cut(outlook, raw, head.lead, filters, fitted.recipe.seed)
    return Made(
        head, rules, later, now, proof, aims, why, changed, terms_of(lessons, now, period), cells, course, snapshot
    )
