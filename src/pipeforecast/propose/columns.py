"""Which heading is which column: by its name in five languages and in known CRMs, and by what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import pandas as pd

from pipeforecast.contract import TABLES
from pipeforecast.errors import SettingsError, some
from pipeforecast.guess import nearest
from pipeforecast.mapping import kind_of
from pipeforecast.names import same
from pipeforecast.propose.look import Table
from pipeforecast.propose.values import dates_in, present, ways_of
from pipeforecast.propose.words import aliases

#: Beyond so many columns likeness is not looked for.
_MANY = 400
#: So many values are looked at one by one where a column does not read whole.
_FEW = 100


@dataclass
class Match:
    """The headings that may be one canonical column, the likeliest first, and why."""

    columns: list[str] = field(default_factory=list)
    why: str = "by its name"
    unsure: bool = False


def matches(table: Table, canonical: str, named: Mapping[str, str]) -> dict[str, Match]:
    """Find the columns of a table.

    Parameters
    ----------
    table : Table
    canonical : str
        Which table of the contract it is taken for.
    named : mapping of canonical column to heading
        What the user said; it comes before any name.

    Raises
    ------
    SettingsError
        If the user names a column that is not there.
    """
    headings = [str(c) for c in table.frame.columns]
    known = aliases(canonical)
    found: dict[str, Match] = {}
    ranked: list[tuple[int, int, str, str, bool]] = []
    for place, heading in enumerate(headings):
        bare = same(heading)
        meant, unsure = known.get(bare, ()), False
        if not meant and len(headings) <= _MANY and len(bare) > 3:
            near = get_close_matches(bare, list(known), n=1, cutoff=0.88)
            meant, unsure = (known[near[0]], True) if near else ((), False)
        ranked += [(unsure * 100 + _rank(name, bare, known), place, name, heading, unsure) for name in meant]
    for _, _, name, heading, unsure in sorted(ranked):
        if not fits(table.frame[heading], kind_of(canonical, name) or "text"):
            continue
        match = found.setdefault(name, Match(unsure=unsure, why="by likeness of its name" if unsure else "by its name"))
        match.columns.append(heading)
    for name, heading in named.items():
        if heading in headings and name in TABLES[canonical]:
            found[name] = Match([heading], "as you said")
    return _one_each(found, named)


def _rank(name: str, bare: str, known: Mapping[str, tuple[str, ...]]) -> int:
    """How far a heading is from the first name of a column."""
    names = [h for h, meant in known.items() if name in meant]
    return (names.index(bare) if bare in names else len(names)) + 50 * (known.get(bare, (name,))[0] != name)


def _one_each(found: dict[str, Match], named: Mapping[str, str]) -> dict[str, Match]:
    """Let a heading stand for one column alone: the one that it names best."""
    taken: dict[str, str] = {found[n].columns[0]: n for n in named if n in found}
    for name, match in found.items():
        first = match.columns[0]
        taken.setdefault(first, name)
    out = {}
    for name, match in found.items():
        columns = [c for c in match.columns if taken.get(c, name) == name]
        if columns:
            out[name] = Match(columns, match.why, match.unsure)
    return out


def fits(values: pd.Series, kind: str) -> bool:
    """Tell whether a column may hold values of a kind; an empty one may, and one with a few spoilt cells.

    A column passed over for one spoilt cell would be lost without a word; taken, reading names the cell.
    """
    if not bool((values != "").any()) or kind not in ("date", "time", "money", "number"):
        return True

    def reads(some_: pd.Series) -> bool:
        return dates_in(some_) is not None if kind in ("date", "time") else bool(ways_of(some_))

    if reads(values):
        return True
    few = present(values).head(_FEW)
    return sum(reads(few.iloc[i : i + 1]) for i in range(len(few))) > 0.9 * len(few)


def check_named(named: Mapping[str, str], tables: Sequence[Table]) -> None:
    """Refuse what the user says of columns where there is no such column.

    Raises
    ------
    SettingsError
        It names what is there.
    """
    everywhere = [str(c) for t in tables for c in t.frame.columns]
    for name, heading in named.items():
        if name not in TABLES["deals"]:
            raise SettingsError(f"columns: deals have no {name!r}{nearest(name, TABLES['deals'])}")
        if heading not in everywhere:
            raise SettingsError(f"columns.{name}: expected one of {some(everywhere, 12)}, came {heading!r}")
