"""What each verb says of itself; imports nothing heavy, so that ``--help`` is instant."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

COMMON = {
    "crm=NAME": "mapping of the export's columns",
    "source=FOLDER": "folder (or file) with the export",
    "calendar=NAME": "how time is cut into periods",
    "as_of=YYYY-MM-DD": "evening to look from (default: the last written day)",
    "out=FOLDER": "where the files go (default: out)",
    "seed=N": "seed of every random number (default: 0)",
    "tracking=NAME": "record of the run in MLflow",
}
SNAPSHOTS = {
    "engine=NAME": "where snapshots are taken: duckdb (default) or spark; the numbers are the same",
    "engine.keep=FOLDER": "where snapshots of past evenings are kept, as a history grows (default: nowhere)",
}
LEARNING = {
    **SNAPSHOTS,
    "model=NAME": "what forecasts: hazard, boosting, incidence, stages, cox, blend, rule, …",
    "levels=[a,b]": "columns by which the total is split",
    "rules=[a,b]": "rules beside the model (default: every rule that the data allow)",
    "origins.periods=N": "closed periods to replay (default: 8)",
    "origins.days=[a,b]": "days of the period to replay from (default: 0, 30, 60)",
    "origins.jobs=N": "processes at once (default: 1; -1 takes every core)",
    "origins.cluster=URL": "a Dask scheduler on whose workers past days are replayed",
    "draws=N": "draws of a period's revenue (default: 2000)",
}
CHOOSING = {
    "version=NAME": "auto (the champion where it fits this call), fit, champion or a version's number",
}
WATCHING = {
    "origins.periods=N": "closed periods to look back on (default: 12; under 8 no change can be told)",
}
SCORING = {
    "target=NAME": "what is scored: deal or lead (default: deal)",
    "period=NAME": "period to forecast, such as 2024Q1 (default: the one of the day after as_of)",
    "horizon=N": "days within which a win counts for p_win (default: 365)",
}
LEADS = {
    "lead.step=NAME": "with target=lead: mql, srl, sql, converted or won (default: converted)",
    "lead.days=N": "days within which the step counts (default: 90)",
    "lead.accept_todays_values=[a,b]": "columns taken as they are today for every past day; every output says so",
    "lead.allow_leaks=[a,b]": "columns that the leakage audit would refuse",
    "lead.rows_in_order=true": "leads without dates are in the order of time (otherwise: split at random)",
    "lead_card=NAME": "rules card made by hand, scored beside the models",
}
MARKING = {
    "lead.threshold=NAME": "settings saved by thresholds, which give points, grade and the list for sales",
    "lead.payloads=[a,b]": "import files: salesforce, hubspot, dynamics (default: all)",
}
REGISTERING = {
    "target=NAME": "what is learned: deal or lead (default: deal)",
    "search.trials=N": "with +experiment=search_deal_model: search over kinds and settings, into search.csv",
    "tracking.model=NAME": "registered model whose versions train makes (default: pipeforecast-deals)",
}
CURVE = {
    "learning_curve=false": "do not tell how much more closed deals would buy (saves its time)",
}
TELLING = {
    "report.language=CODE": "language of the page, and of summary.md: en, pl, zh, id or ms",
    "report.people=NAME": "who is named: full, own_team (of report.manager), or anonymous (nobody)",
    "report.manager=ID": "id or name of the manager whose team is named by report.people=own_team",
}
SHOWING = {
    "period=NAME": "period to forecast, such as 2024Q1 (default: the one of the day after as_of)",
    "method=NAME": "auto (the rule, or half of each, where past periods speak for it) or model (default: auto)",
    "ahead=N": "periods after the first that are forecast too (default: 3)",
    "proof=NAME": "how much of the past is replayed: none, cached or full",
    "metric_sets=NAME": "the few metrics on the page: default, executive, manager, … or a file of your own",
    "benchmarks=NAME": "what stands beside them: common, none, or a file of your own",
    **TELLING,
    "report.pdf=true": "print report.html to report.pdf as well, by a Chromium on PATH or in PIPEFORECAST_CHROMIUM",
    "since=WHEN": "say what changed since then (YYYY-MM-DD, a folder of a past forecast, run:ID), in waterfall.csv",
    "scenario=NAME": "what if: set beside the forecast, draw by draw, in scenario.csv",
}
COMPARING = {
    "since=WHEN": "earlier evening: YYYY-MM-DD (default: 7 days before), a folder of forecast, or run:ID of MLflow",
    "period=NAME": "period to compare, such as 2024Q1 (default: the earlier forecast's, or of the day after as_of)",
}
ASKING = {
    "metric_sets=NAME": "what the first screen shows, at most nine metrics",
    "benchmarks=NAME": "what stands beside the figures on the page: common, none, or a file of your own",
    "metrics=[a,b]": "names of the catalogue (default: all; see docs/metrics.md)",
    "by=[a,b]": "columns to group by, beside the total",
    "periods=N": "the last N periods (default: 8), or names: [2024Q1,2024M03,2024,campaign:NAME]",
    "first=[a,b]": "what is printed, at most nine",
    "qualified_stage=NAME": "first stage of qualified deals (default: as the export marks it)",
    "marketing_sources=[a,b]": "lead sources that marketing brings",
    "size_bands=[a,b]": "amounts between the bands of deal sizes (default: quartiles of won amounts)",
    "lifecycle.source=NAME": "where the statuses of leads live: days, log, stages (default: auto)",
    "lifecycle.attribution.before=creation": "touches up to a deal's creation share what it wins (default: close)",
    "lifecycle.customers.gross_margin=X": "share of revenue, for the lifetime value at margin",
    "language=NAME": "of the page and of the titles in metrics.csv (default: as report.language)",
    **TELLING,
}
AUDITING = {
    "criteria=NAME": "what each stage asks for before a deal moves on: none, bant, or a file of your own",
    "flags.pushes=N": "moves of the close date to a later day, from which on a deal is flagged (default: 3)",
    "flags.silent_days=N": "days without activity after which a deal is flagged (default: 30)",
    "flags.stage_share=X": "share of stays in a stage that end sooner than a long one (default: 0.9)",
    "past.days=N": "how far back deals are looked at, to say how often such deals were won (default: 730)",
    "review.deals=N": "deals per owner on the list for the weekly review (default: 5)",
}
PLANNING = {
    "target=AMOUNT": "what is to be won, or by period {2025Q2: 900000, 2025Q3: 950000}, or quota (the export's own)",
    "period=NAME": "period of the target, such as 2024Q1 (default: the first one that begins after as_of)",
    "rates.win_rate=X": "a rate that is stated instead of measured; --cfg job lists them all",
    "past.periods=N": "complete periods that the rates are measured on (default: 4)",
    "past.deal_type=NAME": "deals that count: all, new or existing (default: all)",
    "reps=N": "among how many the work is shared (default: the owners of open deals)",
    "draws=N": "draws of the rates (default: 4000)",
}
THRESHOLDS = {
    "cost_per_contact=X": "what turning to one lead costs (default: two percent of the value)",
    "value_per_conversion=X": "what one conversion brings (default: what it brought so far)",
    "capacity_per_week=X": "leads a week that can be turned to (default: as many as come)",
    "by=NAME": "what the threshold is of: p (the model's chance) or points (default: p)",
    "current=X": "today's threshold, to stand beside",
    "steps=[a,b]": "further steps of the life cycle: mql, srl, sql, converted, won",
    "card_rows=N": "most rows of the points card (default and most: 15)",
    "monotone={a:rising}": "numbers whose points may only rise, or only fall",
    "explore_share=X": "share of the leads below that are handed over too, at random (default: 0.03)",
    "explored=FILE": "an earlier explore.csv whose leads were handed over",
    "save=NAME": "write the settings that score uses: configs/lead_threshold/NAME.yaml",
    "force=true": "replace a settings file of that name",
}
COMPANY = {
    "demo.n_deals=N": "size of the company (default: 5000)",
    "demo.kind=NAME": "standard or other",
    "demo.seed=N": "seed of the company (default: 0)",
    "demo.folder=FOLDER": "where its export goes (default: demo_company)",
}
BACKTEST_FILES = ("backtest.csv", "backtest_scores.csv", "value_added.csv", "people.csv")
FORECAST_FILES = (
    "forecast.csv", "deals.csv", "reasons.csv", "quota.csv", "course.csv", "report.html", "forecast.xlsx", "summary.md",
    "findings.csv", *BACKTEST_FILES,
)  # fmt: skip
METRIC_FILES = ("metrics.csv", "metrics.html", "seasons.csv", "attribution.csv", "findings.csv")
AUDIT_FILES = (
    "audit.csv", "audit_flags.csv", "audit.html", "flags.csv", "criteria.csv", "review.csv", "owners.csv",
    "findings.csv",
)  # fmt: skip
THRESHOLD_FILES = (
    "thresholds.csv", "threshold_history.csv", "points_card.csv", "points_card.json", "points_card.txt", "grades.csv",
    "points_calibration.csv", "points_against_model.csv", "explore.csv", "findings.csv", "thresholds.html",
)  # fmt: skip
CHECK_FILES = ("findings.csv", "tie.csv", "excluded.csv", "rows.csv", "repairs.csv")


AGAIN = {
    "run=ID": "MLflow's id of the run, which may also stand alone: replay ID",
    "source=FOLDER": "folder (or file) with the same export (default: where it lay)",
    "since=WHEN": "the run's own, where an earlier forecast lies elsewhere by now",
    "explored=FILE": "the run's own, where it lies elsewhere by now",
    "+scenario.owner=ID": "what the record leaves out of a scenario because it names people or deals",
    "against=FOLDER": "the run's own files, to say where they differ first (default: where they were written)",
    "stored=true": "take replayed past days from their store (default: each is forecast anew)",
    "jobs=N": "processes at once (default: as the run had)",
    "out=FOLDER": "where the files go (default: replayed)",
    "tracking=NAME": "where the run is recorded",
}


@dataclass(frozen=True)
class Page:
    """One verb's page: what it does, its main overrides, the files that it writes, an example; a bare word's key."""

    does: str
    overrides: Mapping[str, str]
    writes: tuple[str, ...]
    example: str
    bare: str = ""
    places: str = ""


PAGES: Mapping[str, Page] = {
    "demo": Page(
        "makes a made-up company's export and runs the whole sentence on it",
        {**COMPANY, **COMMON, **LEARNING, **SHOWING},
        FORECAST_FILES,
        "pipeforecast demo demo.n_deals=2000",
    ),
    "check": Page(
        "reads an export, validates it and lists what was found",
        COMMON,
        CHECK_FILES,
        "pipeforecast check crm=hotel_bookings source=exports/today",
    ),
    "init": Page(
        "proposes a mapping from an unknown export's columns in five languages, with reasons and questions",
        {
            "source=FOLDER": COMMON["source=FOLDER"],
            "name=NAME": "what the mapping is called (default: as the source)",
            "columns={amount: HEADING}": "what you know better: canonical columns of the deals and their headings",
            "force=true": "replace a mapping of that name",
        },
        (),
        "pipeforecast init source=exports/today name=ours",
        "writes configs/crm/NAME.yaml",
    ),
    "keep": Page(
        "keeps today's export in a folder of dated exports, which is the history that a CRM does not give",
        {
            "crm=NAME": COMMON["crm=NAME"],
            "source=FOLDER": COMMON["source=FOLDER"],
            "kept=FOLDER": "folder of dated exports; the day becomes a folder YYYY-MM-DD in it (default: kept)",
            "as_of=YYYY-MM-DD": "day of the export (default: today)",
        },
        (),
        "pipeforecast keep crm=hubspot source=exports/today kept=exports/kept",
        "writes kept/YYYY-MM-DD/, whole or not at all",
    ),
    "train": Page(
        "scores the model on later data, registers it and makes it champion where it is better beyond chance",
        {**COMMON, **LEARNING, **REGISTERING, **CURVE, **LEADS},
        ("evaluation.csv", "calibration.csv", "learning_curve.csv", "gate.csv", "findings.csv"),
        "pipeforecast train crm=salesforce source=exports/today model.penalty=0.5",
    ),
    "forecast": Page(
        "forecasts the period, deal by deal and in total, with the proof beside it",
        {**COMMON, **SHOWING, **CHOOSING, **LEARNING},
        FORECAST_FILES,
        "pipeforecast forecast crm=hotel_bookings source=exports/today as_of=2017-03-31 out=week_13",
    ),
    "score": Page(
        "scores the open deals, or leads, one by one",
        {**COMMON, **SCORING, **CHOOSING, **SNAPSHOTS, "model=NAME": LEARNING["model=NAME"], **LEADS, **MARKING},
        ("deal_scores.csv", "leads.csv", "lead_reasons.csv", "payload_TOOL.csv"),
        "pipeforecast score crm=salesforce source=exports/today version=champion",
    ),
    "backtest": Page(
        "replays the past with the model and every rule, and scores them alike",
        {**COMMON, **LEARNING, **{k: v for k, v in TELLING.items() if k != "report.language=CODE"}},
        BACKTEST_FILES,
        "pipeforecast backtest source=exports/today origins.periods=12",
    ),
    "monitor": Page(
        "says what has drifted, whether past chances came true, since when not, and whether training anew would help",
        {
            **COMMON,
            **SNAPSHOTS,
            **CHOOSING,
            **{k: v for k, v in LEARNING.items() if k.startswith(("model", "origins"))},
            **WATCHING,
        },
        ("monitor.csv",),
        "pipeforecast monitor crm=salesforce source=exports/today",
    ),
    "compare": Page(
        "says what moved a period's forecast since an earlier evening, by cause and deal by deal",
        {
            **COMMON,
            **SNAPSHOTS,
            **COMPARING,
            **TELLING,
            **CHOOSING,
            **{k: v for k, v in LEARNING.items() if k.startswith(("model", "levels"))},
        },
        ("waterfall.csv", "compare.html"),
        "pipeforecast compare crm=salesforce source=exports/today since=2025-02-07",
    ),
    "metrics": Page(
        "computes every metric of the pipeline for periods and groups, as of any day",
        {**COMMON, **ASKING},
        METRIC_FILES,
        "pipeforecast metrics crm=salesforce source=exports/today by=[owner,region] periods=16",
    ),
    "audit": Page(
        "says what is wrong with each open deal, how often such deals were won, and what to ask whom this week",
        {**COMMON, **SNAPSHOTS, **AUDITING, **TELLING},
        AUDIT_FILES,
        "pipeforecast audit crm=salesforce source=exports/today criteria=bant",
    ),
    "plan": Page(
        "plans backwards from a target: the wins, opportunities, leads and contacts that it asks for, and how surely",
        {**COMMON, **PLANNING},
        ("plan.csv", "rates.csv", "findings.csv"),
        "pipeforecast plan crm=salesforce source=exports/today target=900000",
    ),
    "thresholds": Page(
        "says from which score on a lead is worth handing to sales, and learns a points card for other tools",
        {**COMMON, **THRESHOLDS, **LEADS, "report.language=CODE": TELLING["report.language=CODE"]},
        THRESHOLD_FILES,
        "pipeforecast thresholds crm=salesforce source=exports/today cost_per_contact=30 value_per_conversion=900",
    ),
    "replay": Page(
        "makes a recorded run again, and says whether its files are the same, byte by byte, or what differs and why",
        AGAIN,
        ("the files of the run",),
        "pipeforecast replay 7c0d5f0e8a9b4c7f9d3a2b1c0e4f6a8b out=replayed",
        bare="run",
    ),
}

FLAGS = {
    "--help, -h": "this page",
    "--cfg job": "show the settings that a call would run with, and run nothing",
    "--multirun, -m": "run once for each of comma-separated values (model.penalty=0.1,1), each into OUT/NUMBER",
}
STATUS = "Exit status: 0 done, 1 data or result refused, 2 wrong call, 130 interrupted."
CONFIGS = "A configs/ folder in the working directory is searched before the settings that ship."


def overview(version: str) -> str:
    """Write the page of ``pipeforecast --help``."""
    verbs = _columns({verb: page.does for verb, page in PAGES.items()})
    return (
        f"pipeforecast {version}: from a CRM export to deal probabilities and a proven revenue forecast\n\n"
        f"usage: pipeforecast VERB [key=value ...]\n\nverbs:\n{verbs}\n\n"
        f"flags:\n{_columns({**FLAGS, '--version': 'the version'})}\n\n"
        f"`pipeforecast VERB --help` lists a verb's settings and the files that it writes.\n{CONFIGS}\n{STATUS}"
    )


def page(verb: str) -> str:
    """Write the page of ``pipeforecast VERB --help``."""
    it = PAGES[verb]
    groups = choices_of_groups().items()
    choices = {group: ", ".join(names) for group, names in groups if f"{group}=NAME" in it.overrides}
    return (
        f"usage: pipeforecast {verb} [key=value ...]\n\n{it.does}\n\nsettings:\n{_columns(it.overrides)}\n\n"
        f"choices:\n{_columns(choices)}\n\n"
        f"{_wrapped('writes into out: ', it.writes) if it.writes else it.places}\n\n"
        f"flags:\n{_columns(FLAGS)}\n\nexample: {it.example}\n\n{CONFIGS}\n{STATUS}"
    )


def choices_of_groups() -> dict[str, list[str]]:
    """List each config group's files: those that ship and those of the working directory."""
    found: dict[str, set[str]] = {}
    for root in (Path(str(files("pipeforecast.configs"))), Path.cwd() / "configs"):
        for path in root.glob("*/*.yaml"):
            found.setdefault(path.parent.name, set()).add(path.stem)
    return {group: sorted(names) for group, names in sorted(found.items())}


def _wrapped(head: str, words: tuple[str, ...]) -> str:
    return textwrap.fill(head + ", ".join(words), width=100, subsequent_indent=" " * len(head))


def _columns(rows: Mapping[str, str]) -> str:
    width = max((len(k) for k in rows), default=0)
    return "\n".join(f"  {k:<{width}}  {v}" for k, v in rows.items())
