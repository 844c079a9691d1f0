"""Compute the catalogue of one evening: every metric for periods and groups, and the few that matter most first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.build import build_as_of, build_calendar, build_export
from pipeforecast.digests import digests_of
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics import CATALOGUE, metrics_named
from pipeforecast.metrics.choices import Choices
from pipeforecast.metrics.computed import Computed, computed
from pipeforecast.metrics.credit import ATTRIBUTION_COLUMNS, attribution_table
from pipeforecast.metrics.told import NOT_AVAILABLE, plain
from pipeforecast.metrics.view import NOT_THERE
from pipeforecast.metrics.words import first_lines
from pipeforecast.names import names_in
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.records import Seen, track
from pipeforecast.report.catalogue_cells import MetricsInput
from pipeforecast.report.metrics_page import write_metrics_page
from pipeforecast.results import write_csv
from pipeforecast.run import currency_of, data_of, findings_of, say, steps
from pipeforecast.settings import MetricsSettings
from pipeforecast.tracking import Metric
from pipeforecast.workflow.people import shown_people

#: Groupings that name people.
_PEOPLE = ("owner", "manager")


def metrics(settings: MetricsSettings) -> str:
    """Compute the catalogue of one evening and write it."""
    metrics_named(settings.metrics)
    metrics_named(settings.first, "first")
    say(f"reading {settings.source}")
    export = build_export(settings)
    as_of = build_as_of(settings, export.history)
    made = computed(
        export.history, build_calendar(settings.calendar), as_of, settings.metrics, settings.by, settings.periods,
        _choices(settings), steps("metrics"),
    )  # fmt: skip
    language = settings.language or settings.report.language
    titles = {name: names_in(language).metric(name) for name in CATALOGUE}
    table = made.table.assign(title=made.table["metric"].map(titles))
    findings = [*findings_of(export, made.view.known), *made.view.findings]
    with whole_folder(settings.out) as out:
        write_csv(table, out / "metrics.csv")
        write_csv(made.seasons, out / "seasons.csv")
        write_csv(_attribution(made), out / "attribution.csv")
        write_csv(findings_frame(findings), out / "findings.csv")
        write_metrics_page(_shown(settings, made, findings, titles), out / "metrics.html")
        wrote = Wrote(digests_of(out))
    seen = Seen(data_of(settings.source, export.content), made.view.as_of)
    track(settings, seen, "metrics", _recorded(made, settings.first), wrote=wrote)
    told = first_lines(made, settings.first, currency_of(settings, made.view.known), titles)
    return "\n".join([
        *told, "", _counted(made), f"written: {settings.out / 'metrics.csv'}", f"page: {settings.out / 'metrics.html'}",
    ])  # fmt: skip


def _recorded(made: Computed, names: Sequence[str]) -> list[Metric]:
    """Give the newest total of the metrics of the first screen, where it is a number."""
    table = made.table
    newest = table["period"].eq(made.windows[-1].name) & table["by"].eq("total") & table["metric"].isin(names)
    told = plain(table[newest.to_numpy(dtype=bool)]).dropna(subset=["value"]).to_dict("records")
    return [Metric(f"metrics.{row['metric']}", float(row["value"])) for row in told]


def _attribution(made: Computed) -> pd.DataFrame:
    """All models side by side in the windows that were asked for; no rows where it was not asked, or not available."""
    told = (made.table["metric"] == "attribution") & (made.table["status"] != NOT_AVAILABLE)
    if not told.any():
        return pd.DataFrame(columns=list(ATTRIBUTION_COLUMNS))
    credits = attribution_table(made.view)
    return credits[credits["period"].isin([w.name for w in made.windows]).to_numpy()]


def _shown(
    settings: MetricsSettings, made: Computed, findings: Sequence[Finding], titles: Mapping[str, str]
) -> MetricsInput:
    """Give what the page is made from; it tells of nobody who must not be named."""
    who = shown_people(made.view.known, settings.report, made.view.as_of)
    people = made.table["by"].isin(_PEOPLE)
    shown = True if who.team is None else made.table["group"].isin(who.team).to_numpy()
    hidden = people.to_numpy() & ~np.broadcast_to(shown, len(people))
    return MetricsInput(
        table=made.table[~hidden],
        windows=made.windows,
        as_of=made.view.as_of,
        first=settings.first,
        benchmarks=settings.benchmarks.values,
        findings=findings,
        currency=currency_of(settings, made.view.known),
        set_name=settings.set_name,
        titles=titles,
        people=who.named(),
        language=settings.language or settings.report.language,
    )


def _choices(settings: MetricsSettings) -> Choices:
    return Choices(
        settings.qualified_stage, settings.marketing_sources, settings.size_bands, settings.call_days,
        settings.lifecycle,
    )  # fmt: skip


def _counted(made: Computed) -> str:
    """Say how much was computed, and what was not available and why."""
    absent = plain(made.table[((made.table["status"] == NOT_AVAILABLE) & (made.table["by"] == TOTAL)).to_numpy()])
    why = absent.drop_duplicates("metric").groupby("reason")["metric"].size().sort_values(ascending=False)
    text = f"{made.table['metric'].nunique()} of {len(CATALOGUE)} metrics, {len(made.table):,} rows"
    if len(why):
        text += f"; not available: {int(why.sum())} ({'; '.join(f'{r}: {n}' for r, n in why.head(4).items())})"
    lost = [f"no table has {', '.join(f.examples)}: {f.advice}" for f in made.view.findings if f.code == NOT_THERE]
    return "\n".join([text, *lost])
