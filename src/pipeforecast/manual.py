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
LEARNING = {
    "model=NAME": "what forecasts: hazard, boosting, incidence, stages, cox, blend, rule, …",
    "levels=[a,b]": "columns by which the total is split",
    "rules=[a,b]": "rules beside the model (default: every rule that the data allow)",
    "origins.periods=N": "closed periods to replay (default: 8)",
    "origins.days=[a,b]": "days of the period to replay from (default: 0, 30, 60)",
    "origins.jobs=N": "processes at once (default: 1; -1 takes every core)",
    "draws=N": "draws of a period's revenue (default: 2000)",
}
CHOOSING = {
    "version=NAME": "auto (the champion where it fits this call), fit, champion or a version's number",
}
WATCHING = {
    "origins.periods=N": "closed periods to look back on (default: 12; under 8 no change can be told)",
}
SCORING = {
    "target=NAME": "what is scored: deal",
    "period=NAME": "period to forecast, such as 2024Q1 (default: the one of the day after as_of)",
    "horizon=N": "days within which a win counts for p_win (default: 365)",
}
REGISTERING = {
    "search.trials=N": "with +experiment=search_deal_model: search over kinds and settings, into search.csv",
    "tracking.model=NAME": "registered model whose versions train makes (default: pipeforecast-deals)",
}
CURVE = {
    "learning_curve=false": "do not tell how much more closed deals would buy (saves its time)",
}
SHOWING = {
    "period=NAME": "period to forecast, such as 2024Q1 (default: the one of the day after as_of)",
    "method=NAME": "auto (the rule, or half of each, where past periods speak for it) or model (default: auto)",
    "ahead=N": "periods after the first that are forecast too (default: 3)",
    "proof=NAME": "how much of the past is replayed: none, cached or full",
    "report.people=NAME": "full, or anonymous (no person is named)",
    "report.pdf=true": "print report.html to report.pdf as well, by a Chromium on PATH or in PIPEFORECAST_CHROMIUM",
    "since=WHEN": "say what changed since then (YYYY-MM-DD, a folder of a past forecast, run:ID), in waterfall.csv",
    "scenario=NAME": "what if: set beside the forecast, draw by draw, in scenario.csv",
}
COMPARING = {
    "since=WHEN": "earlier evening: YYYY-MM-DD (default: 7 days before), a folder of forecast, or run:ID of MLflow",
    "period=NAME": "period to compare, such as 2024Q1 (default: the earlier forecast's, or of the day after as_of)",
}
COMPANY = {
    "demo.n_deals=N": "size of the company (default: 5000)",
    "demo.kind=NAME": "standard or other",
    "demo.seed=N": "seed of the company (default: 0)",
    "demo.folder=FOLDER": "where its export goes (default: demo_company)",
}
BACKTEST_FILES = ("backtest.csv", "backtest_scores.csv", "value_added.csv", "people.csv")
FORECAST_FILES = (
    "forecast.csv", "deals.csv", "reasons.csv", "quota.csv", "report.html", "forecast.xlsx", "summary.md",
    "findings.csv", *BACKTEST_FILES,
)  # fmt: skip
CHECK_FILES = ("findings.csv", "tie.csv", "excluded.csv")


@dataclass(frozen=True)
class Page:
    """One verb's page: what it does, its main overrides, the files that it writes, an example."""

    does: str
    overrides: Mapping[str, str]
    writes: tuple[str, ...]
    example: str


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
    "train": Page(
        "scores the model on later data, registers it and makes it champion where it is better beyond chance",
        {**COMMON, **LEARNING, **REGISTERING, **CURVE},
        ("evaluation.csv", "calibration.csv", "learning_curve.csv", "gate.csv"),
        "pipeforecast train crm=salesforce source=exports/today model.penalty=0.5",
    ),
    "forecast": Page(
        "forecasts the period, deal by deal and in total, with the proof beside it",
        {**COMMON, **SHOWING, **CHOOSING, **LEARNING},
        FORECAST_FILES,
        "pipeforecast forecast crm=hotel_bookings source=exports/today as_of=2017-03-31 out=week_13",
    ),
    "score": Page(
        "scores the open deals one by one, without the period's total",
        {**COMMON, **SCORING, **CHOOSING, "model=NAME": LEARNING["model=NAME"]},
        ("deal_scores.csv",),
        "pipeforecast score crm=salesforce source=exports/today version=champion",
    ),
    "backtest": Page(
        "replays the past with the model and every rule, and scores them alike",
        {**COMMON, **LEARNING, "report.people=NAME": SHOWING["report.people=NAME"]},
        BACKTEST_FILES,
        "pipeforecast backtest source=exports/today origins.periods=12",
    ),
    "monitor": Page(
        "says what has drifted, whether past chances came true, since when not, and whether training anew would help",
        {**COMMON, **CHOOSING, **{k: v for k, v in LEARNING.items() if k.startswith(("model", "origins"))}, **WATCHING},
        ("monitor.csv",),
        "pipeforecast monitor crm=salesforce source=exports/today",
    ),
    "compare": Page(
        "says what moved a period's forecast since an earlier evening, by cause and deal by deal",
        {**COMMON, **COMPARING, **CHOOSING, **{k: v for k, v in LEARNING.items() if k.startswith(("model", "levels"))}},
        ("waterfall.csv",),
        "pipeforecast compare crm=salesforce source=exports/today since=2025-02-07",
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
        f"choices:\n{_columns(choices)}\n\n{_wrapped('writes into out: ', it.writes)}\n\n"
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
