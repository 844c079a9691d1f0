"""The page of two forecasts of one period: what moved the number, by cause, by deal and by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeforecast.compare import CAUSES, Waterfall
from pipeforecast.compare.waterfall import END, MEASURES, START
from pipeforecast.forecast import NO_GROUP
from pipeforecast.report.figures import moved as drawn
from pipeforecast.report.moved import cause_word, told_moves
from pipeforecast.report.names import PERSONS
from pipeforecast.report.page import environment, fingerprint_of, source_of, written
from pipeforecast.report.words import clean, column_word, iso
from pipeforecast.reporting import NOT_YET_ASSIGNED
from pipeforecast.wording import Language, noop, retold, speaking, t

Facts = dict[str, Any]
#: Groups of a level that the page shows, those that moved most first; the rest are in the file.
MOST_GROUPS = 20
_MEASURES = {
    "forecast": noop("Forecast, mean"), "pipeline": noop("Open pipeline"), "pipeline_due": noop("Of it due by its end"),
}  # fmt: skip


@dataclass(frozen=True)
class CompareInput:
    """What the page is made from.

    Attributes
    ----------
    made : Waterfall
    company, currency : str
    said : float or None
        Mean that the earlier forecast said when it was made; None where nobody knows.
    names : mapping of id to name
        Of owners and managers.
    team : frozenset of str or None
        Whom the page may name; others are Person 1, Person 2, …; None: everybody.
    language : str
    """

    made: Waterfall
    company: str
    currency: str
    said: float | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    team: frozenset[str] | None = None
    language: Language = "en"


def compare_facts(given: CompareInput) -> Facts:
    """Work out everything that the page says: plain data that ``json.dumps`` takes."""
    with speaking(given.language):
        return _facts(given)


def _facts(given: CompareInput) -> Facts:
    made = given.made
    return {
        "head": {
            "company": clean(given.company), "period": made.period.name, "period_start": iso(made.period.start),
            "period_end": iso(made.period.end), "as_of": iso(made.as_of_to),
            "currency": retold("currency", clean(given.currency, 12)), "language": given.language,
        },
        "moved": told_moves(made.moves, made.as_of_from),
        "said": given.said,
        "causes": [cause_word(c) for c in CAUSES],
        "measures": [_measure(made, name) for name in MEASURES],
        "unlisted": list(made.unlisted),
        "levels": [_level(given, level) for level in made.levels],
    }  # fmt: skip


def _measure(made: Waterfall, name: str) -> Facts:
    bars = made.total(name)
    return {
        "measure": name, "label": t(_MEASURES[name]), "start": bars[START], "end": bars[END],
        "amounts": [bars[c] for c in CAUSES],
    }  # fmt: skip


def _level(given: CompareInput, level: str) -> Facts:
    """Give the groups of a level whose forecast moved most."""
    bars = given.made.bars("forecast", level)
    change = (bars[END] - bars[START]).abs().sort_values(ascending=False, kind="stable")
    hidden: dict[str, int] = {}
    groups = []
    for group in change.index[:MOST_GROUPS]:
        row = bars.loc[group]
        causes = sorted(((cause_word(c), float(row[c])) for c in CAUSES if round(row[c])), key=lambda x: -abs(x[1]))
        groups.append({
            "name": _name(given, level, str(group), hidden), "start": float(row[START]), "end": float(row[END]),
            "change": float(row[END] - row[START]),
            "causes": [{"label": label, "amount": amount} for label, amount in causes[:2]],
        })  # fmt: skip
    return {"level": level, "label": column_word(level), "groups": groups, "count": len(bars)}


def _name(given: CompareInput, level: str, group: str, hidden: dict[str, int]) -> str:
    if group in ("", NO_GROUP):
        return t("(none)")
    if group == NOT_YET_ASSIGNED:
        return t(NOT_YET_ASSIGNED)
    if level in PERSONS and given.team is not None and group not in given.team:
        return t("Person {number}", number=hidden.setdefault(group, len(hidden) + 1))
    if level == "deal_type":
        return retold("deal type", clean(group))
    return clean(given.names.get(group, group) if level in PERSONS else group)


def render_compare(facts: Facts) -> str:
    """Give the page as text."""
    with speaking(facts["head"]["language"]):
        script = source_of("page.js")
        return environment().get_template("compare.html").render(
            f=facts, currency=facts["head"]["currency"], script=script, fingerprint=fingerprint_of(script),
            style=source_of("page.css") + source_of("charts.css") + source_of("sections.css"),
            figures={"moved": drawn(facts)},
        )  # fmt: skip


def write_compare_page(given: CompareInput, path: Path) -> Path:
    """Write the page; who reads the old one meanwhile never sees half of the new one."""
    return written(render_compare(compare_facts(given)), path)
