"""The deals' table of an unknown export: its columns and its status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeforecast.contract import OPEN, WON
from pipeforecast.errors import DataError, some
from pipeforecast.names import same
from pipeforecast.propose.columns import Match, matches
from pipeforecast.propose.draft import Draft
from pipeforecast.propose.look import Table
from pipeforecast.propose.words import FLAGS, status_of

#: How the heading of an id ends, where its name says no more.
_ID = re.compile(r"(id|key|guid|编号|\b(no|nr|number)\.?|#)\s*$", re.IGNORECASE)
_BIRTH = ("lead_source", "campaign", "deal_type", "product")


@dataclass
class DealTable:
    """The deals' table and what is known of it; ``status`` is that of each row, where it can be told."""

    table: Table
    found: dict[str, Match]
    status: pd.Series | None = None

    def text(self, name: str) -> pd.Series | None:
        """Give a canonical column as text."""
        return self.table.frame[self.found[name].columns[0]] if name in self.found else None


def find_deals(tables: Sequence[Table], named: Mapping[str, str]) -> DealTable:
    """Find the table whose rows are deals.

    Raises
    ------
    DataError
        If there is none; it says what is missing in the likeliest.
    """
    best: tuple[int, DealTable] | None = None
    for table in tables:
        found = matches(table, "deals", named)
        made = DealTable(table, found)
        unique = _unique_id(made)
        tells = {"stage", "outcome", "closed_at", "amount", "expected_close"} & found.keys()
        score = len(found) + 5 * unique + 5 * ("created_at" in found) + 3 * len(tells) - 20 * (not tells)
        if len(table.frame) and (best is None or score > best[0]):
            best = (score, made)
    if best is None:
        raise DataError(f"{some((t.file for t in tables), 8)}: expected rows of deals, came headers alone")
    made = best[1]
    if "created_at" not in made.found or len(made.found) < 3:
        heads = some(made.table.frame.columns, 12)
        lacks = "created_at" if "created_at" not in made.found else "stage, outcome or closed_at"
        raise DataError(
            f"{made.table.file}: expected a table of deals, and no column is known as {lacks}; it has {heads}. If it "
            f"is one, say which: columns={{{lacks.split(',')[0]}: 'HEADING'}}"
        )
    return made


def _unique_id(made: DealTable) -> bool:
    """See to the deal's id: a column that names it and is unique, else one that is called so, else none."""
    frame, match = made.table.frame, made.found.get("deal_id")
    if match is not None:
        own = [c for c in match.columns if frame[c].is_unique and bool((frame[c] != "").all())]
        made.found["deal_id"] = Match([*own, *(c for c in match.columns if c not in own)], match.why, match.unsure)
        return bool(own)
    called = [c for c in frame.columns if _ID.search(str(c)) and frame[c].is_unique]
    if called:
        made.found["deal_id"] = Match([str(called[0])], "because it is called an id and no value stands twice", True)
    return bool(called)


def put_columns(draft: Draft, made: DealTable) -> None:
    """Write the columns of deals into the draft, with reasons, doubts and rivals."""
    frame = made.table.frame
    draft.set(("deals", "files"), [made.table.files])
    if made.table.encoding:
        draft.set(("deals", "encoding"), made.table.encoding)
        draft.note(("deals", "encoding"), "not UTF-8; taken because more headings are known words in it: check accents")
    if "deal_id" not in made.found:
        draft.set(("deals", "columns", "deal_id"), {"row_number": True})
        draft.doubt(("deals", "columns", "deal_id"), "no column is an id: rows are numbered, so no history can be kept")
    for name, match in made.found.items():
        if name in ("outcome", "closed_at", "expected_close"):
            continue
        part = "columns" if name in ("deal_id", "created_at", "amount", "stage") else "optional"
        place, first = ("deals", part, name), match.columns[0]
        draft.set(place, first)
        filled = f"{(frame[first] != '').mean():.0%} filled"
        if match.unsure:
            draft.doubt(place, f"{name}: {first!r} {match.why} ({filled})")
        else:
            draft.note(place, f"{match.why}; {filled}")
        rivals = match.columns[1:]
        if rivals:
            draft.doubt(
                place, f"{name}: {first!r} was taken; {some(rivals)} may be meant as well",
                *(f"{name}: {c!r}   # {(frame[c] != '').mean():.0%} filled" for c in rivals),
            )  # fmt: skip
    _put_order(draft)


def _put_order(draft: Draft) -> None:
    """Write deal_id and created_at first: they are what a reader looks for."""
    columns = draft.mapping["deals"]["columns"]
    draft.mapping["deals"]["columns"] = {n: columns[n] for n in ("deal_id", "created_at") if n in columns} | columns


def put_status(draft: Draft, made: DealTable) -> None:
    """Find out how open, won and lost are told, and write it.

    Raises
    ------
    DataError
        If nothing tells it.
    """
    frame = made.table.frame
    outcome = made.found.get("outcome")
    if outcome is not None:
        for column in outcome.columns:
            if _put_words(draft, made, column):
                return
    flags = {k: [c for c in frame.columns if same(str(c)) in map(same, words)] for k, words in FLAGS.items()}
    if flags["closed"] and flags["won"]:
        closed, won = str(flags["closed"][0]), str(flags["won"][0])
        draft.set(("status",), {"closed": closed, "won": won})
        draft.note(("status",), f"two flags tell it: {closed!r} and {won!r}")
        yes = {"true", "1", "yes", "y", "t", "x"}
        is_won, ended = (frame[c].str.casefold().isin(yes) for c in (won, closed))
        status = pd.Series("lost", index=frame.index).mask(is_won, WON).mask(~(is_won | ended), OPEN)
        made.status = status
        return
    stage = made.text("stage")
    words = {s: status_of(s) for s in stage.drop_duplicates() if s} if stage is not None else {}
    if WON in words.values() and "lost" in words.values():
        draft.set(("status",), {"stage_kind": True})
        ends = some([s for s, k in words.items() if k in (WON, "lost")])
        draft.note(("status",), f"by the stage: {ends} say by their names that a deal is won or lost")
        made.status = None if stage is None else stage.map(words).fillna(OPEN)
        return
    raise DataError(
        f"{made.table.file}: expected a column that tells won, lost and open deals, and found none (a status, two "
        f"flags or stages called won and lost); it has {some(frame.columns, 12)}. Say which: "
        "columns={outcome: 'HEADING'}"
    )


def _put_words(draft: Draft, made: DealTable, column: str) -> bool:
    """Write a column of status by its words; false if none of them says what it is."""
    values = made.table.frame[column]
    counts = values[values != ""].value_counts()
    meant = {str(word): status_of(str(word)) for word in counts.index}
    if len(counts) > 40 or not {WON, "lost"} & set(meant.values()):
        return False
    place = ("status", "value")
    closed = made.text("closed_at")
    unknown = [w for w, status in meant.items() if status is None]
    for word in unknown:
        ended = 0.0 if closed is None else float((closed[values == word] != "").mean())
        if closed is not None and ended < 0.05:
            meant[word] = OPEN
            draft.doubt(
                place, f"status {word!r} ({counts[word]:,} deals) is taken as open, because {1 - ended:.0%} have no "
                "closing date", f"{word!r}: won", f"{word!r}: lost",
            )  # fmt: skip
        else:
            draft.doubt(
                place, f"status {word!r} ({counts[word]:,} deals): whether it is open, won or lost is not known; "
                "`check` stops until it stands under values", f"{word!r}: open", f"{word!r}: won", f"{word!r}: lost",
            )  # fmt: skip
    known = {w: s for w, s in meant.items() if s is not None}
    draft.set(place, {"column": column, "values": known})
    draft.note(place, "by its words: " + ", ".join(f"{w} ({counts[w]:,}) is {s}" for w, s in known.items()))
    made.status = values.map(known).fillna(OPEN)
    return True


def put_roles(draft: Draft, made: DealTable) -> None:
    """Write which columns are taken as fixed at creation."""
    birth = [n for n in _BIRTH if n in made.found]
    draft.set(("roles",), {"birth": birth, "today": []})
    if birth:
        draft.doubt(
            ("roles",), f"{some(birth)} are taken as fixed when a deal is created; move to today what your company "
            "changes later, or it tells the past what only later was known",
        )  # fmt: skip
