"""The page: facts and figures put into one file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeforecast.metrics.told import IMMATURE, NOT_AVAILABLE, OK, REACHED, UNDEFINED
from pipeforecast.outbox import whole_file
from pipeforecast.report import words
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.facts import part_label
from pipeforecast.report.figures import PART_COLOURS, figures
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.sparks import spark
from pipeforecast.wording import kept_together, noop, one_stop, plural, pt, speaking, spoken_language, t
from pipeforecast.wording.catalogue import script_texts, tag_of
from pipeforecast.wording.numerals import grouped, numerals

Facts = dict[str, Any]
#: One script: the pieces share their names, and stand in the order in which they need each other.
PIECES = (
    "data", "words", "draws", "filters", "whole", "reach", "first", "charts", "groups", "paged", "deals", "start",
)  # fmt: skip
STYLES = ("page", "charts", "metrics", "sections")
_DAYS = {"asOf": "as_of", "end": "period_end"}


_BEST = Markup('<span class="best">●</span>')
_SEVERITIES = {"error": noop("error"), "warning": noop("warning"), "info": noop("info")}
_STATUSES = {
    OK: "", UNDEFINED: noop("undefined"), NOT_AVAILABLE: noop("not available"), REACHED: noop("reached"),
    IMMATURE: noop("still growing"),
}  # fmt: skip


class _Spoken:
    """Texts by name, in the language that is spoken when they are asked for."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, name: str) -> str:
        return t(self._texts[name])


# Texts of a template are ours and go in as they are; what is put in is escaped unless it is markup.
def _t(text: str, **values: object) -> Markup:
    return one_stop(Markup(t(text)).format(**values)) if values else Markup(t(text))  # noqa: S704


def _pt(context: str, text: str, **values: object) -> Markup:
    return Markup(pt(context, text)).format(**values)  # noqa: S704


def _nt(one: str, many: str, n: float, **values: object) -> Markup:
    return one_stop(Markup(kept_together(plural(one, many, n))).format(n=grouped(n), **values))  # noqa: S704


def _code(command: str) -> Markup:
    return Markup("<code>{}</code>").format(command)


def _key_of(line: str) -> Markup:
    """Give the sign of a chart's line, for its legend."""
    return Markup('<span class="key {}" aria-hidden="true"></span>').format(line)


def _causes(told: list[Facts]) -> str:
    return ", ".join(f"{c['label'].lower()} {words.signed_money(c['amount'])}" for c in told)


@cache
def environment() -> Environment:
    """Templates that escape everything and refuse names that are not there."""
    env = Environment(
        loader=PackageLoader("pipeforecast.report"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters |= {
        "money": words.money, "full_money": words.full_money, "percent": words.percent, "day": words.day,
        "short": words.shortened, "figure": words.figure, "period": words.period, "signed": words.signed_money,
        "grouped": grouped, "fixed": words.fixed,
    }  # fmt: skip
    env.globals |= {
        "count": words.count, "column_word": words.column_word, "units": words.units,
        "counted_word": words.counted_word, "part_colours": PART_COLOURS, "part_label": part_label,
        "t": _t, "nt": _nt, "pt": _pt, "code": _code, "key_of": _key_of, "causes": _causes, "best_mark": _BEST,
        "severities": _Spoken(_SEVERITIES), "statuses": _Spoken(_STATUSES),
        "language_tag": lambda: tag_of(spoken_language()),
    }  # fmt: skip
    return env


def source_of(name: str) -> Markup:
    """Take a stylesheet or script as it is: it is ours and holds nothing from outside."""
    env = environment()
    loader = env.loader
    assert loader is not None  # noqa: S101  set four lines above; for the type checker
    return Markup(loader.get_source(env, name)[0])  # noqa: S704


def fingerprint_of(script: str) -> str:
    """Fingerprint by which the page's policy admits its own script, and no script that came in with the data."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def render(facts: Facts) -> str:
    """Give the page as text.

    Parameters
    ----------
    facts : dict
        What ``facts`` of the room ``report.facts`` gives.
    """
    pieces = Markup("\n").join(source_of(f"{name}.js") for name in PIECES)
    script = source_of("page.js") + Markup('(function () {\n"use strict";\n') + pieces + Markup("})();\n")
    with speaking(facts["head"]["language"]):
        return _rendered(facts, script)


def _rendered(facts: Facts, script: Markup) -> str:
    return environment().get_template("page.html").render(
        f=facts, currency=facts["head"]["currency"], style=Markup("").join(source_of(f"{n}.css") for n in STYLES),
        script=script, fingerprint=fingerprint_of(script), data=_data(facts), spark=spark,
        figures={name: Markup(drawn) for name, drawn in figures(facts).items()},  # noqa: S704  escaped piece by piece
    )  # fmt: skip


def script_wording() -> Facts:
    """Give what the script needs to speak the language that is spoken now: its texts, numbers and days."""
    return {**script_texts(spoken_language()), "numerals": numerals().plain()}


def _data(facts: Facts) -> Facts:
    """Facts that the script reads: text among them stays text, since nothing of it is put in as markup."""
    head = facts["head"]
    days = {name: (pd.Timestamp(head[of]) - pd.Timestamp(0)).days for name, of in _DAYS.items()}
    return days | {
        "currency": head["currency"], "period": head["period"], "withReasons": facts["deals"]["with_reasons"],
        "cells": facts["cells"], "book": facts["book"], "wording": script_wording(),
    }  # fmt: skip


def write_report(given: ReportInput, path: Path) -> Path:
    """Write the page; who reads the old one meanwhile never sees half of the new one.

    Parameters
    ----------
    given : ReportInput
    path : Path
        Where to write; folders are made, a file of this name is replaced in one step.

    Returns
    -------
    Path
        ``path``.
    """
    return write_page(facts_of(given), path)


def write_page(facts: Facts, path: Path) -> Path:
    """Write the page of facts that are worked out already: see ``write_report``."""
    return written(render(facts), path)


def written(page: str, path: Path) -> Path:
    """Write a page in one step; folders are made."""
    path = Path(path)
    with whole_file(path) as draft:
        draft.write_text(page, encoding="utf-8")
        # A draft is readable by its owner only; a report is meant to be read by others too.
        draft.chmod(0o666 & ~_umask())
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
