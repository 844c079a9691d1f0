"""Leads: learn and prove a model of them, and score those that are open."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeforecast.digests import digests_of
from pipeforecast.errors import DataError
from pipeforecast.findings import Finding, findings_frame
from pipeforecast.fingerprint import fingerprint_of
from pipeforecast.ingest import LeadFile
from pipeforecast.leadchampion import chosen_lead_model, judge_leads, marks_of, recipe_of, register_leads
from pipeforecast.leadcheck import card_findings, drift_findings, evaluation_of, table_of
from pipeforecast.leadfiles import LeadWriter, Written
from pipeforecast.leadrun import LeadRun, prepared_leads, read_book
from pipeforecast.leads.book import DAYS
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.mapping import CrmMapping
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote, keep
from pipeforecast.points import SavedThreshold, path_of, read_threshold
from pipeforecast.records import Seen, track
from pipeforecast.results import write_csv
from pipeforecast.run import data_of, say
from pipeforecast.settings import ScoreSettings, TrainSettings
from pipeforecast.tracking import Artifact, Metric

_READ_SCORES = ("log_loss", "brier", "auc", "average_precision", "calibration_error", "lift_first_decile")
#: The name of the saved threshold that is used where none is named and it is there.
_DEFAULT = "default"


def train_leads(settings: TrainSettings) -> str:
    """Audit, score lead models on later leads, register today's, and make it champion where the gate opens."""
    run = prepared_leads(settings, settings.lead, stop=False)
    with whole_folder(settings.out) as out:
        write_csv(findings_frame(run.findings), out / "findings.csv")
    run.refuse_leaks()
    run.findings.extend(card_findings(settings.lead.card, run.lessons[1].features))
    table, methods = table_of(run)
    evaluation, calibration = evaluation_of(run, table, methods)
    drift = drift_findings(run)
    gate = judge_leads(settings, run, table)
    with whole_folder(settings.out) as out:
        write_csv(evaluation, out / "evaluation.csv")
        write_csv(calibration, out / "calibration.csv")
        write_csv(findings_frame([*run.findings, *drift]), out / "findings.csv")
        files = digests_of(out)
    total = evaluation[(evaluation["split"] == run.split).to_numpy()]
    told = total.dropna(subset=["value"]).to_dict("records")
    metrics = [Metric(f"{row['model']}.{row['score']}", float(row["value"])) for row in told]
    tags = {"target": "lead", "split": run.split, "gate.verdict": gate.judgement.verdict}
    run_id = track(settings, run, "train", metrics, tags, [Artifact(settings.out / "findings.csv")])
    judgement, registered = register_leads(settings, run, gate, run_id)
    with whole_folder(settings.out) as out:
        write_csv(judgement.rows(), out / "gate.csv")
        files |= digests_of(out)
    champion = [] if gate.champion is None else [f"{settings.lead.model}/{gate.champion.number}"]
    keep(settings, run, run_id, Wrote(files, champion))
    return "\n".join([
        _headline(run, table), _wide(total), "", *_flattery(evaluation, run.split), *_warned(run, drift),
        f"chosen today: {run.model.facts['variant']}", judgement.in_words(), registered, f"written: {settings.out}",
    ])  # fmt: skip


def _headline(run: LeadRun, table: pd.DataFrame) -> str:
    told, n = run.told, f"{len(table):,}"
    if not run.in_time:
        return f"P({told.step}) of {n} leads without dates or order, split at random: no claim about later leads:"
    if not run.book.dated:
        return f"P({told.step}) of {n} later rows, each by what was known before:"
    when = f"seen {told.decide_after} days after creation"
    return f"P({told.step} within {told.days} days) of {n} later leads, {when}, each by what was known before:"


def _wide(total: pd.DataFrame) -> str:
    wide = total.pivot_table(index="model", columns="score", values="value").reindex(columns=_READ_SCORES)
    return str(wide.sort_values("log_loss").round(4).to_string())


def _flattery(evaluation: pd.DataFrame, split: str) -> list[str]:
    """Say what a random split would have claimed."""
    own = evaluation[(evaluation["model"] == "chosen").to_numpy()].set_index(["split", "score"])["value"]
    splits = own.index.get_level_values(0)
    other = [s for s in splits.unique() if s.startswith("random split (")]
    if not other:
        return []
    pairs = [f"{s} {own[other[0], s]:.4f} instead of {own[split, s]:.4f}" for s in ("auc", "log_loss")]
    return [f"A random split would have claimed: {', '.join(pairs)}.", ""]


def _warned(run: LeadRun, drift: list[Finding]) -> list[str]:
    """Say what every reader has to know: accepted values, allowed leaks, columns left out, drift."""
    book, out = run.book, []
    if book.accepted:
        out.append(f"Today's values were accepted for every past day: {', '.join(book.accepted)}.")
    if run.told.allow_leaks:
        out.append(f"Allowed in spite of the leakage audit: {', '.join(run.told.allow_leaks)}.")
    named = [f.column for f in run.findings if f.code == "LEAK-NAME" and f.repair == "left out"]
    if named:
        out.append(f"Left out by the leakage audit: {', '.join(named)}.")
    moved = [f for f in drift if f.code == "DRIFT-CONVERSION"]
    out += [f"Drift: {f.advice}." for f in moved]
    others = [f"{f.column} (since {f.examples[1]})" for f in drift if f.code == "DRIFT-COLUMN"]
    if others:
        out.append(f"Columns that have moved: {', '.join(others[:6])}{', …' if len(others) > 6 else ''}.")
    return [*out, ""] if out else []


def score_leads(settings: ScoreSettings) -> str:
    """Score the leads that are open on one evening, by the champion or a model that is fitted now."""
    told, mapping = settings.lead, CrmMapping.model_validate(settings.crm)
    source = LeadFile(mapping, settings.source)
    as_of, marks, history = _looked_at(settings, source)
    use = chosen_lead_model(settings, as_of, marks)
    if use.model is None:
        run = prepared_leads(settings, told)
        model, sentinels, history = run.model, dict(run.audit.sentinels), run.history
        version = f"{model.kind}-{fingerprint_of(recipe_of(told))[:8]}"
        accepted = list(run.book.accepted)
    else:
        about = use.about or {}
        model, version = use.model, use.version
        sentinels = {k: tuple(v) for k, v in about["sentinels"].items()}
        accepted = list(about["accepted"])
    told = told.model_copy(update={"accept_todays_values": tuple(accepted)})
    marker = _marker(told)
    say(f"scoring leads {'' if as_of is None else f'of {as_of.date()}'}")
    with whole_folder(settings.out) as out:
        writer = LeadWriter(model, told, mapping, version, sentinels, marker, history)
        made = writer.write(source, as_of, out)
        write_csv(findings_frame([*source.findings, *_repeated(made)]), out / "findings.csv")
        wrote = Wrote(digests_of(out), () if use.model is None else (version,))
    track(
        settings, Seen(data_of(settings.source, source.content), as_of), "score",
        [Metric("score.leads", float(made.leads))], {"model_version": version, "target": "lead"},
        wrote=wrote,
    )  # fmt: skip
    day = "" if as_of is None else f" on {as_of.date()}"
    return "\n".join([
        f"{made.leads:,} open leads{day}: {made.expected:,.1f} expected to reach {told.step} within {told.days} days",
        "points, grades: none (no saved threshold)" if made.handed is None else f"handed over: {made.handed:,}",
        *([f"Today's values were accepted: {', '.join(accepted)}."] if accepted else []),
        use.said, f"written: {settings.out / 'leads.csv'}",
    ])  # fmt: skip


def _repeated(made: Written) -> list[Finding]:
    if not made.repeated:
        return []
    return [
        Finding("LEAD-REPEATED", "warning", "leads", "lead_id", made.repeated, (), "the first row counts",
                "export each lead once")
    ]  # fmt: skip


def _looked_at(settings: ScoreSettings, source: LeadFile):  # type: ignore[no-untyped-def]
    """Evening to score, digests of the leads, and their deals; a file that streams is not read whole for it."""
    if not source.streams:
        book, _, history, _ = read_book(settings, settings.lead)
        as_of = book.until if settings.as_of is None else pd.Timestamp(settings.as_of)
        if as_of is not None and book.until is not None and as_of > book.until:
            raise DataError(f"as_of: {as_of.date()} lies after the last written day of the data, {book.until.date()}")
        return as_of, marks_of(book), history
    if settings.as_of is not None:
        return pd.Timestamp(settings.as_of), [], None
    days = [
        chunk[[c for c in DAYS if c in chunk]].max().max()
        for chunk in source.chunks(settings.lead.chunk, {"lead_id", *DAYS})
    ]
    known = [pd.Timestamp(d) for d in days if not pd.isna(d)]
    return (max(known).normalize() if known else None), [], None


def _marker(told: LeadSettings) -> SavedThreshold | None:
    """Read the saved threshold that marks leads: the one named, else ``default`` where it is there."""
    if told.threshold is not None:
        saved = read_threshold(path_of(told.threshold))
    elif Path(path_of(_DEFAULT)).is_file():
        saved = read_threshold(path_of(_DEFAULT))
    else:
        return None
    if (saved.step, saved.days) != (told.step, told.days):
        raise DataError(
            f"lead.threshold: expected one for {told.step} within {told.days} days, came one for {saved.step} within "
            f"{saved.days} days; name another, or set lead.step and lead.days"
        )
    return saved
