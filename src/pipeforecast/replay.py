"""The replay beside a forecast: which past days, what is stored of them, and how long the rest may take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from pipeforecast.backtest import Backtest, Origin, backtest, origins_of
from pipeforecast.errors import DataError
from pipeforecast.proof import Proof, prove
from pipeforecast.proofstore import ProofStore
from pipeforecast.provenance import libraries, source_fingerprint
from pipeforecast.run import Run, progress, say
from pipeforecast.settings import BacktestSettings, ForecastSettings

#: So many more periods before the replayed ones are forecast by the rules alone: they need earlier errors.
_WARM_UP_PERIODS = 5


def scored_origins(settings: BacktestSettings, run: Run) -> tuple[list[Origin], list[Origin]]:
    """Origins to score, and earlier ones from which only the rules learn their errors."""
    told = settings.origins
    every = origins_of(run.known, run.calendar, told.days, told.periods + _WARM_UP_PERIODS, run.as_of)
    if not every:
        raise DataError(
            "backtest: expected at least one complete period with a past to learn from, came none; "
            "export a longer history, or choose shorter periods (calendar=month)"
        )
    names = sorted({o.period for o in every}, key=lambda p: p.start)
    # At least one period of lessons before the first scored one.
    scored_periods = set(names[max(1, len(names) - told.periods) :] or names)
    return [o for o in every if o.period in scored_periods], [o for o in every if o.period not in scored_periods]


def replayed(
    run: Run, origins: Sequence[Origin], levels: Sequence[str], jobs: int, rules_only: frozenset[Origin]
) -> Backtest:
    """Forecast from every origin; on those of ``rules_only`` by the rules alone, which need no deals that teach."""
    full, rest = [o for o in origins if o not in rules_only], sorted(rules_only, key=_day)
    untaught = replace(run.plan, most_deals=0)
    parts = []
    for some_origins, forecasters, plan in ((full, [run.model, *run.rules], run.plan), (rest, run.rules, untaught)):
        if some_origins and forecasters:
            parts.append(
                backtest(
                    run.known,
                    run.calendar,
                    forecasters,
                    some_origins,
                    plan=plan,
                    levels=levels,
                    jobs=jobs,
                    progress=progress,
                )
            )
    draws = {key: d for part in parts for key, d in part.draws.items()}
    deals = [p.deals for p in parts if len(p.deals)] or [parts[0].deals]
    return Backtest(pd.concat([p.rows for p in parts], ignore_index=True), draws, pd.concat(deals, ignore_index=True))


def _day(origin: Origin) -> pd.Timestamp:
    return origin.as_of


def proof_of(settings: ForecastSettings, run: Run) -> Proof | None:
    """Replay what is not stored yet, newest first, within the budget; score what there is."""
    if settings.proof.mode == "none":
        return None
    try:
        origins, warm = scored_origins(settings, run)
    except DataError:
        return None
    asked, first = settings.proof.evenings, min(o.as_of for o in origins)
    if asked is not None:
        origins, warm = ([o for o in some if evening_of(o) in asked] for some in (origins, warm))
    store = store_of(settings, run)
    # The rules' own earlier days are cheap, and without them no rule has a range to be compared by.
    missing = [*store.missing(warm), *store.missing(origins)]
    if missing:
        say(f"replaying {len(missing)} past days ({len(origins) + len(warm) - len(missing)} are stored)")
    missing = replay_within(settings.proof.budget_s, settings, run, store, missing, 6, frozenset(warm))
    stored = store.load([*origins, *warm])
    if stored is None:
        return None
    had = tuple(evening_of(o) for o in [*warm, *origins] if o not in missing)
    proof = replace(prove(stored, since=first), evenings=had)
    if missing:
        words = f"{proof.sentence} ({len(missing)} of {len(origins) + len(warm)} past days are still to be replayed.)"
        proof = replace(proof, sentence=words)
    return proof


def replay_within(
    budget_s: float,
    settings: ForecastSettings,
    run: Run,
    store: ProofStore,
    origins: list[Origin],
    at_once: int,
    rules_only: frozenset[Origin] = frozenset(),
) -> list[Origin]:
    """Replay and store ``origins``, the first ones first, until the budget is spent; give those that are left.

    In the proof's mode ``full`` all are replayed. ``at_once`` origins of each process are stored together.
    """
    began, jobs = time.monotonic(), settings.origins.jobs
    step = at_once * max(1, jobs if jobs > 0 else 2)
    while origins and (settings.proof.mode == "full" or time.monotonic() - began < budget_s):
        batch, origins = origins[:step], origins[step:]
        found = replayed(run, batch, (), jobs, rules_only.intersection(batch))
        for origin in batch:
            store.save(origin, found)
    return origins


def store_of(settings: ForecastSettings, run: Run) -> ProofStore:
    """Where the replay of these data with these recipes is kept."""
    key = {
        "data": run.data, "crm": settings.crm, "calendar": settings.calendar.model_dump(), "as_of": str(run.as_of),
        "model": settings.model.model_dump(), "rules": [r.name for r in run.rules], "seed": settings.seed,
        "code": source_fingerprint(), "libraries": libraries(),
    }  # fmt: skip
    return ProofStore(settings.proof.folder, key)


def evening_of(origin: Origin) -> str:
    """Name an origin as a run's record does."""
    return f"{origin.as_of.date()} {origin.period.name}"
