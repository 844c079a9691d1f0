"""Set thresholds for leads: learn the points card, judge every threshold out of fold, write what score uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.build import build_calendar
from pipeforecast.digests import digests_of
from pipeforecast.errors import DataError, SettingsError, some
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.leadcheck import card_points
from pipeforecast.leadrun import LeadRun, prepared_leads
from pipeforecast.leads import ScoredLeads
from pipeforecast.outbox import refuse_existing, whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.points import CardRecipe, path_of, write_threshold
from pipeforecast.points.card import TOUCHES
from pipeforecast.points.exported import as_json, as_rules, rule_table
from pipeforecast.records import track
from pipeforecast.report.threshold_facts import threshold_facts
from pipeforecast.report.threshold_page import write_threshold_page
from pipeforecast.results import UNKNOWN_CURRENCY, write_csv
from pipeforecast.run import say
from pipeforecast.settings import ThresholdsSettings
from pipeforecast.thresholds import ALL, Asked, Study, Terms, findings_of, read_log, studied
from pipeforecast.thresholds.rows import explore_rows, history_rows, saved_of, threshold_rows
from pipeforecast.thresholds.study import Rule
from pipeforecast.tracking import Metric

#: A contact's cost where none is told, as a share of a conversion's value.
ASSUMED_COST = 0.02
_FEWEST_AMOUNTS = 20


def thresholds(settings: ThresholdsSettings) -> str:
    """Set thresholds for leads, and write the points card, grades, the page and the settings that ``score`` uses."""
    place = None if settings.save is None else path_of(settings.save)
    if place is not None:
        refuse_existing(place, "save", settings.force)
    run = prepared_leads(settings, settings.lead)
    scored = run.scored()
    refuse_repeated(scored)
    terms, assumed = terms_of(settings, scored)
    say("learning the points card and judging every threshold")
    studies = [studied(scored, asked_of(settings, scored, terms))]
    others = list(_other_steps(settings, terms))
    studies += [s for s in others if isinstance(s, Study)]
    findings = [*run.findings, *assumed, *findings_of(studies[0]), *(f for f in others if isinstance(f, Finding))]
    with whole_folder(settings.out) as out:
        write_files(studies, settings, findings, run, out)
        wrote = Wrote(digests_of(out))
    saved = ""
    if place is not None:
        write_threshold(saved_of(studies[0], _told(run, terms)), place, settings.force)
        saved = f"written: {place} (score target=lead lead.threshold={settings.save} uses it)"
    track(settings, run, "thresholds", metrics_of(studies[0]), {"step": scored.step}, wrote=wrote)
    return "\n".join([*in_words(studies[0]), *([saved] if saved else []), f"page: {settings.out / 'thresholds.html'}"])


def refuse_repeated(scored: ScoredLeads) -> None:
    """Refuse leads that stand twice: each would count twice, once in training and once in judging."""
    twice = scored.leads["lead_id"].duplicated()
    if twice.any():
        raise DataError(
            f"leads: expected each lead_id once, came {int(twice.sum())} repeated, such as "
            f"{scored.leads.loc[twice, 'lead_id'].iloc[0]!r}; keep one row a lead"
        )


def terms_of(settings: ThresholdsSettings, scored: ScoredLeads) -> tuple[Terms, list[Finding]]:
    """Take cost, value and capacity as told; what is not told is taken from the leads, and said."""
    cost, value, found = settings.cost_per_contact, settings.value_per_conversion, []
    if value is None:
        came = scored.leads["converted_within"].fillna(False).to_numpy(dtype=bool)
        amounts = scored.leads["value"].to_numpy(dtype=float)[came]
        known = int((~np.isnan(amounts)).sum())
        value = float(np.nansum(amounts) / len(amounts)) if known >= _FEWEST_AMOUNTS else 1.0
        how = "what a conversion brought so far (not won counts as 0)" if known >= _FEWEST_AMOUNTS else "1 a conversion"
        found.append(Finding(
            "VALUE-ASSUMED", "warning", "leads", "value", known, repair=f"{value:,.6g} a conversion: {how}",
            advice="say value_per_conversion=…: what one conversion is worth to you",
        ))  # fmt: skip
    if cost is None:
        cost = ASSUMED_COST * value
        found.append(Finding(
            "COST-ASSUMED", "warning", "leads", repair=f"{cost:,.6g} a contact: two percent of a conversion's value",
            advice="say cost_per_contact=…: what turning to one lead costs you",
        ))  # fmt: skip
    return Terms(cost, value, settings.capacity_per_week), found


def asked_of(settings: ThresholdsSettings, scored: ScoredLeads, terms: Terms) -> Asked:
    """Put the settings into what a study is asked for."""
    numbers = [*scored.features.numbers, *(TOUCHES + k for k in sorted(scored.features.touches["kind"].unique()))]
    unknown = [name for name in settings.monotone if name not in numbers]
    if unknown:
        raise SettingsError(f"monotone: expected numbers of the leads ({some(numbers, 12)}), came {some(unknown)}")
    log = None if settings.explored is None else read_log(settings.explored)
    card = settings.lead.card
    rule = None
    if card is not None and card.mql is not None:
        rule = Rule(card.name, card_points(card, scored.features), card.mql)
    return Asked(
        terms, settings.by, CardRecipe(settings.card_rows, dict(settings.monotone), seed=settings.seed),
        build_calendar(settings.calendar), log, settings.current, rule, settings.seed,
    )  # fmt: skip


def _other_steps(settings: ThresholdsSettings, terms: Terms) -> Iterator[Study | Finding]:
    """Study further steps; one that cannot be is a finding, not the end."""
    for step in settings.steps:
        if step == settings.lead.step:
            continue
        told = settings.lead.model_copy(update={"step": step})
        try:
            scored = prepared_leads(settings, told).scored()
            yield studied(scored, replace(asked_of(settings, scored, terms), current=None))
        except DataError as error:
            yield Finding("STEP-NOT-STUDIED", "warning", "leads", step, repair="no thresholds", advice=str(error)[:300])


def write_files(
    studies: Sequence[Study], settings: ThresholdsSettings, findings: Sequence[Finding], run: LeadRun, out: Path
) -> None:
    """Write everything that goes into ``out``; texts from outside are escaped."""
    first = studies[0]
    write_csv(threshold_rows(studies), out / "thresholds.csv")
    write_csv(history_rows(studies), out / "threshold_history.csv")
    write_csv(rule_table(first.card), out / "points_card.csv")
    told = {"step": first.scored.step, "days": first.scored.days, "threshold": dict(first.threshold)}
    (out / "points_card.json").write_text(
        as_json(first.card, first.grades, {**told, "scale": first.asked.scale}), encoding="utf-8"
    )
    (out / "points_card.txt").write_text(as_rules(first.card, first.grades), encoding="utf-8")
    write_csv(first.grade_rows, out / "grades.csv")
    write_csv(first.calibration, out / "points_calibration.csv")
    write_csv(first.against.table(), out / "points_against_model.csv")
    write_csv(explore_rows(first, settings.explore_share), out / "explore.csv")
    write_csv(findings_frame(findings), out / "findings.csv")
    head = {
        "source": settings.source.name, "as_of": None if run.as_of is None else str(run.as_of.date()),
        "currency": str(settings.crm.get("currency") or UNKNOWN_CURRENCY), "saved": settings.save,
        "language": settings.report.language,
    }  # fmt: skip
    write_threshold_page(threshold_facts(studies, findings, head), out / "thresholds.html")


def _told(run: LeadRun, terms: Terms) -> dict[str, object]:
    """What a saved threshold was made from, for people."""
    return {
        "as_of": None if run.as_of is None else str(run.as_of.date()), "data": run.data,
        "cost_per_contact": terms.cost, "value_per_conversion": terms.value, "capacity_per_week": terms.capacity,
    }  # fmt: skip


def metrics_of(made: Study) -> list[Metric]:
    """Give the numbers that are recorded of a study."""
    best, against = _best(made), made.against
    told: dict[str, Any] = {
        "threshold": best["threshold"], "leads_per_week": best["leads_per_week"], "precision": best["precision"],
        "recall": best["recall"], "net": best["net"], "card_rows": len(made.card.rows), "auc": against.auc,
        "card_auc": against.card_auc, "log_loss": against.loss, "card_log_loss": against.card_loss,
    }  # fmt: skip
    return [Metric(f"thresholds.{k}", float(v)) for k, v in told.items() if np.isfinite(v)]


def _best(made: Study) -> pd.Series:
    table = made.table
    return table[table["best"] & table["segment"].eq(ALL) & table["scale"].eq(made.asked.scale)].iloc[0]


def in_words(made: Study) -> list[str]:
    """Say the best threshold, what it brings, and how good the card is, in a few lines."""
    best, against = _best(made), made.against
    name = "a chance" if made.asked.scale == "p" else "points"
    if not best["leads"]:
        head = "No lead is worth handing over at this cost, value and capacity."
    else:
        rate = "" if np.isnan(best["leads_per_week"]) else f" ({best['leads_per_week']:.1f} a week)"
        head = (
            f"Hand over leads with {name} of {best['threshold']:g} or more: {best['leads']:,} of "
            f"{len(made.leads['p'][ALL].score):,}{rate}, of which {100 * best['precision']:.0f} % convert "
            f"({100 * best['precision_lower']:.0f} to {100 * best['precision_upper']:.0f} %); "
            f"missed {best['missed']:.0f} to {best['missed_upper']:.0f} conversions; net {best['net']:,.0f}"
        )
    basis = "judged by explored leads" if made.explored else "an association: no lead below was handed over at random"
    card = (
        f"Points card: {len(made.card.rows)} rows, AUC {against.card_auc:.3f} (model {against.auc:.3f}), log loss "
        f"{against.card_loss:.4f} (model {against.loss:.4f}, base rate {against.base_loss:.4f}), out of fold"
    )
    lines = [head, f"The value is {basis}.", card]
    if made.alarm is not None:
        before, after = 100 * made.alarm.before, 100 * made.alarm.after
        lines.append(
            f"Since the week to {made.alarm.since} {after:.0f} % of leads pass the threshold, {before:.0f} % before."
        )
    return lines
