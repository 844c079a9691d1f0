"""Keep today's export beside those of earlier days, and say what they are good for by now."""

from __future__ import annotations

import datetime as dt
import math
import shlex

import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.errors import PipeforecastError, SettingsError
from pipeforecast.ingest import read_export
from pipeforecast.ingest.databases import source_at
from pipeforecast.ingest.exports import has_log
from pipeforecast.kept import keep_export
from pipeforecast.mapping import CrmMapping
from pipeforecast.run import say
from pipeforecast.settings import KeepSettings

#: Closings seen from stage to end before stages say more than the probabilities that the CRM gives them: with 100 of
#: them a win rate of one half is known to ± 10 points.
ENOUGH = 100
_LOOK_BACK_WEEKS = 26


def keep(settings: KeepSettings) -> str:
    """Keep today's export beside those of earlier days."""
    today = dt.date.today()
    day = settings.as_of or today
    if day > today:
        raise SettingsError(f"as_of: expected the day of the export, at most today, {today}, came {day}")
    mapping = CrmMapping.model_validate(settings.crm)
    say(f"keeping {settings.source}")
    source = source_at(settings.source, [])
    done = keep_export(source, settings.kept, day, mapping)
    head = f"kept: {done.folder}" if done.new else f"nothing to do: {done.folder} holds the same export"
    first, last = done.days[0], done.days[-1]
    lines = [
        head,
        *(f"  since the export before: {text}" for text in done.changed),
        f"exports: {len(done.days)}, from {first} to {last}",
        _until_stage(mapping, settings, first, last),
        f"next: pipeforecast check crm={mapping.name} source={shlex.quote(str(settings.kept))}",
    ]
    return "\n".join(lines)


def _until_stage(mapping: CrmMapping, settings: KeepSettings, first: dt.date, last: dt.date) -> str:
    """Say how many weeks are left until stage can be learned, by how often deals have closed lately."""
    newest = settings.kept / last.isoformat()
    try:
        if has_log(mapping, source_at(newest, [])):
            return "stage: the export has a change log, which says more than the differences of dated exports"
        deals = read_export(mapping, newest).history.deals
    except PipeforecastError as error:
        return (
            f"stage: cannot tell when it can be learned, as this export does not read with crm={mapping.name}: {error}"
        )
    closed = deals["closed_at"][(deals["outcome"] != OPEN).to_numpy()]
    seen = int(((closed > pd.Timestamp(first)) & (closed <= pd.Timestamp(last))).sum())
    if seen >= ENOUGH:
        return f"stage: can be learned now, from {seen} deals that closed between the first export and the last"
    begun = pd.Timestamp(last) - pd.Timedelta(weeks=_LOOK_BACK_WEEKS)
    weekly = float(((closed > begun) & (closed <= pd.Timestamp(last))).sum()) / _LOOK_BACK_WEEKS
    if not weekly:
        return f"stage: cannot tell when it can be learned: no deal closed in the last {_LOOK_BACK_WEEKS} weeks"
    weeks = math.ceil((ENOUGH - seen) / weekly)
    return (
        f"stage: about {weeks} more week{'s' * (weeks != 1)} of exports until it can be learned: {seen} of {ENOUGH} "
        f"closings seen since {first}, {weekly:.1f} a week lately"
    )
