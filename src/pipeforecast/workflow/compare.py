"""Compare two forecasts of one period, both made anew from the one export: what moved the number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from pipeforecast.champion import Chosen, chosen
from pipeforecast.compare import CAUSES, Waterfall, asked_later, waterfall
from pipeforecast.compare.waterfall import END, MEASURES, START
from pipeforecast.digests import digests_of
from pipeforecast.errors import DataError, SettingsError
from pipeforecast.fiscal import Period
from pipeforecast.forecast import TOTAL
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.outbox import whole_folder
from pipeforecast.outcome import Lessons
from pipeforecast.pastrun import Wrote
from pipeforecast.pipeline import FittedPipeline, PipelineForecaster
from pipeforecast.records import track
from pipeforecast.report.compare_page import CompareInput, write_compare_page
from pipeforecast.report.words import clean, money, shortened
from pipeforecast.results import write_csv
from pipeforecast.rollup import Outlook
from pipeforecast.run import Run, prepared, say
from pipeforecast.settings import CompareSettings, ForecastSettings
from pipeforecast.snapshot import Snapshot, take_snapshots
from pipeforecast.tracking import Metric, recorded
from pipeforecast.wording.numerals import NBSP
from pipeforecast.workflow.people import shown_people

Asking = CompareSettings | ForecastSettings
_WEEK = pd.Timedelta(days=7)
_MOVERS = 10
_HEADS = {"forecast": "forecast", "pipeline": "open pipeline", "pipeline_due": "due by its end"}


@dataclass(frozen=True)
class Earlier:
    """The earlier forecast: its evening, its period where it names one, and the total that it then said."""

    as_of: pd.Timestamp
    period: str | None = None
    said: float | None = None


def compare(settings: CompareSettings) -> str:
    """Compare the forecast of ``as_of`` with that of ``since``: the bars between them, by deal and in total."""
    run = prepared(settings)
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"compare: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    earlier = earlier_of(settings, run)
    period = _period(settings, run, earlier)
    rewound = replace(run, known=run.known.known_by(earlier.as_of), as_of=earlier.as_of)
    say(f"comparing {period.name} on the evenings of {earlier.as_of.date()} and {run.as_of.date()}")
    made, uses = _made(settings, rewound, run, period)
    with whole_folder(settings.out) as out:
        write_csv(made.table(), out / "waterfall.csv")
        write_compare_page(_page_input(settings, run, made, earlier.said), out / "compare.html")
        wrote = Wrote(digests_of(out), [use.version for use in uses])
    metrics = [Metric(f"compare.{bar}", amount) for bar, amount in made.total().items()]
    tags = {"since": str(earlier.as_of.date()), "period": period.name, "model_version": uses[1].version}
    track(settings, run, "compare", metrics, tags, wrote=wrote)
    return "\n".join([
        in_words(made, run.currency, earlier.said), "", f"{earlier.as_of.date()}: {uses[0].said}",
        f"{run.as_of.date()}: {uses[1].said}", f"written: {settings.out / 'waterfall.csv'}",
        f"page: {settings.out / 'compare.html'}",
    ])  # fmt: skip


def _page_input(settings: CompareSettings, run: Run, made: Waterfall, said: float | None) -> CompareInput:
    who = shown_people(run.known, settings.report, run.as_of)
    return CompareInput(
        made, settings.source.name, run.currency, said, who.names, who.team, settings.report.language
    )  # fmt: skip


def moved_since(settings: ForecastSettings, run: Run, period: Period) -> Waterfall | None:
    """Follow a forecast of ``period`` from the evening that the settings name; None where they name none."""
    if settings.since is None:
        return None
    if not isinstance(run.model, PipelineForecaster):
        raise SettingsError(f"since: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    earlier = earlier_of(settings, run)
    say(f"comparing with the evening of {earlier.as_of.date()}")
    return _made(settings, replace(run, known=run.known.known_by(earlier.as_of), as_of=earlier.as_of), run, period)[0]


def earlier_of(settings: Asking, run: Run) -> Earlier:
    """Find the earlier forecast: a day, a folder that ``forecast`` wrote, or a recorded run (``run:ID``)."""
    since = settings.since
    if since is None:
        found = Earlier(run.as_of - _WEEK)
    elif isinstance(since, date):
        found = Earlier(pd.Timestamp(since))
    elif isinstance(since, Path):
        found = _of_folder(since)
    else:
        found = _of_run(settings, run, since.removeprefix("run:"))
    first = pd.Timestamp(run.known.states["recorded_at"].min()).normalize()
    if not first <= found.as_of < run.as_of:
        raise SettingsError(
            f"since: expected a day from {first.date()}, the first on which anything was written, to the day before "
            f"as_of {run.as_of.date()}; came {found.as_of.date()}"
        )
    return found


def _of_folder(folder: Path) -> Earlier:
    path = folder / "forecast.csv"
    if not path.is_file():
        raise DataError(f"since: expected a folder with the forecast.csv of an earlier forecast, came {folder}")
    table = pd.read_csv(path)
    needed = {"as_of", "period", "level", "part", "mean"} - set(table)
    if needed or table.empty:
        raise DataError(f"since: {path} is no forecast.csv: it lacks {sorted(needed) or 'rows'}")
    row = table[((table["level"] == TOTAL) & (table["part"] == TOTAL)).to_numpy()].to_dict("records")[0]
    return Earlier(pd.Timestamp(row["as_of"]), str(row["period"]), float(row["mean"]))


def _of_run(settings: Asking, run: Run, run_id: str) -> Earlier:
    told = recorded(settings.tracking.uri, run_id)
    if "as_of" not in told:
        raise DataError(f"since: the run {run_id} tells no as_of; expected a run of forecast")
    as_of, named = pd.Timestamp(told["as_of"]), told.get("period", "None")
    own = run.calendar.containing(as_of + pd.Timedelta(days=1)).name if named == "None" else named
    mean = told.get("forecast.mean")
    return Earlier(as_of, own, None if mean is None else float(mean))


def _period(settings: CompareSettings, run: Run, earlier: Earlier) -> Period:
    """Give the period named, else that of the earlier forecast, else the one of the day after ``as_of``."""
    name = settings.period or earlier.period
    period = run.calendar.containing(run.as_of + pd.Timedelta(days=1)) if name is None else run.calendar.named(name)
    if period.end < run.as_of:
        raise SettingsError(
            f"period: {period.name} ended on {period.end.date()}, before as_of {run.as_of.date()}; expected a later "
            "period, or an as_of by its end"
        )
    return period


def _made(settings: Asking, then: Run, now: Run, period: Period) -> tuple[Waterfall, tuple[Chosen, Chosen]]:
    uses = chosen(settings, then), chosen(settings, now)
    days = [period.day_of(r.as_of) for r in (then, now)]
    first, before, more = _learned(uses[0], period, days[1])
    second, after, _ = _learned(uses[1], period)
    still = take_snapshots(then.known, [now.as_of])
    before, after = replace(before, closings=after.closings), after
    old, new = _fitted(uses[0], first), _fitted(uses[1], second)
    ahead = asked_later(old, more, second)
    first_said, between, now_said = (
        _outlook(model, seen, period) for model, seen in ((old, before), (ahead, after), (new, after))
    )
    return waterfall(first_said, between, now_said, still, old, now.levels), uses


def _learned(use: Chosen, period: Period, other_day: int | None = None) -> tuple[Lessons, Snapshot, Lessons]:
    """Lessons and snapshot of an evening as a forecast has them; and lessons on another day of past periods too."""
    run = use.run
    plan = run.plan.with_day(period.day_of(run.as_of))
    wider = plan if other_day is None else plan.with_day(other_day)
    snapshot = prepare(run.known, run.calendar, wider, [run.as_of])
    own, more = (lessons_at(run.known, run.calendar, snapshot, run.as_of, p) for p in (plan, wider))
    return own, snapshot.only([run.as_of]), more


def _fitted(use: Chosen, lessons: Lessons) -> FittedPipeline:
    fitted: FittedPipeline = use.fit(lessons)
    return fitted


def _outlook(model: FittedPipeline, seen: Snapshot, period: Period) -> Outlook:
    """Expected values alone: nothing is drawn."""
    return replace(model, recipe=replace(model.recipe, coefficient_draws=0)).outlook(seen, period)


def in_words(made: Waterfall, currency: str, said: float | None = None) -> str:
    """Put the bars into a table, and name the deals that moved most."""
    rows = {m: made.total(m) for m in MEASURES}
    own = rows["forecast"]
    days = [str(d.date()) for d in (made.as_of_from, made.as_of_to)]
    lines = [f"{made.period.name}: from {money(own[START])} on {days[0]} to {money(own[END], currency)} on {days[1]} "
             f"({signed(own[END] - own[START])})", ""]  # fmt: skip
    names = {START: days[0], **{c: c.replace("_", " ") for c in CAUSES}, END: days[1]}
    table = pd.DataFrame({
        _HEADS[m]: [money(r[b]) if b in (START, END) else signed(r[b]) for b in names] for m, r in rows.items()
    }, index=list(names.values()))  # fmt: skip
    lines += [table.to_string(), ""]
    if any(made.unlisted):
        lines += ["Open deals without a known amount count as 0 in the pipeline: "
                  f"{made.unlisted[0]:,} on {days[0]}, {made.unlisted[1]:,} on {days[1]}.", ""]  # fmt: skip
    if said is not None:
        lines += [f"The forecast of {days[0]} said {money(said)} when it was made; made anew {money(own[START])}.", ""]
    lines += ["What moved it most:", *(_movers(made) or ["  nothing"])]
    return "\n".join(lines).replace(NBSP, " ")


def _movers(made: Waterfall) -> list[str]:
    """Name the deals with the largest change, and its largest cause."""
    own = made.moves[(made.moves["measure"] == "forecast").to_numpy()].dropna(subset="deal_id")
    change = (own[END] - own[START]).abs()
    out = []
    for at in change.sort_values(ascending=False, kind="stable").index[:_MOVERS]:
        row = own.loc[at]
        by = row[list(CAUSES)].astype("float64")
        told = [f"{str(c).replace('_', ' ')} {signed(by[c])}" for c in by.abs().sort_values(ascending=False).index[:2]]
        told = [t for t in told if not t.endswith(" 0")]
        if told:
            name = shortened(clean(row["name"]) or str(row["deal_id"]))
            out.append(f"  {name} ({row['deal_id']}): {signed(row[END] - row[START])} ({', '.join(told)})")
    return out


def signed(amount: float) -> str:
    """Give a change with its sign: ``+1.23 M``; what rounds to nothing is 0."""
    text = money(amount)
    return text if text.startswith("−") or text == "0" else f"+{text}"
