"""What moved the mean since an earlier evening: the bars of ``compare`` and the deals that moved it most."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeforecast.compare import CAUSES
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean, iso
from pipeforecast.wording import noop, t

MOST_MOVERS = 10
#: A change below this is not told: it would be written as 0.
_SEEN = 0.5
_CAUSES = {
    "new_deals": noop("New deals"), "won": noop("Won"), "lost": noop("Lost"), "pushed": noop("Pushed"),
    "pulled_in": noop("Pulled in"), "amount": noop("Amount"), "probability": noop("Probability"),
    "time_passing": noop("Time passing"), "new_business": noop("New business"), "model_change": noop("Model change"),
}  # fmt: skip


def cause_word(cause: str) -> str:
    """Name a cause."""
    return t(_CAUSES[cause])


def moved_facts(given: ReportInput) -> dict[str, Any] | None:
    """Give start, bars and end of the model's mean, and the deals with the largest change; None without a past.

    The bars add up from the start to the end.
    """
    if given.moves is None or given.moves.empty:
        return None
    return told_moves(given.moves, given.moves_since)


def told_moves(moves: pd.DataFrame, since: pd.Timestamp | None) -> dict[str, Any]:
    """Tell the rows of ``Waterfall.moves`` since an evening: the same as ``moved_facts``."""
    rows = moves[(moves["measure"] == "forecast").to_numpy()]
    sums = {c: float(rows[c].sum()) for c in CAUSES}
    bars = [{"cause": c, "label": cause_word(c), "amount": x, "size": abs(x)} for c, x in sums.items()]
    return {
        "since": iso(since), "start": float(rows["start"].sum()), "end": float(rows["end"].sum()),
        "bars": bars, "movers": _movers(rows.dropna(subset="deal_id")),
    }  # fmt: skip


def _movers(rows: pd.DataFrame) -> list[dict[str, Any]]:
    change = rows["end"] - rows["start"]
    out = []
    for at in change.abs().sort_values(ascending=False, kind="stable").index[:MOST_MOVERS]:
        row = rows.loc[at]
        causes = [(cause_word(c), float(row[c])) for c in CAUSES if abs(row[c]) >= _SEEN]
        if causes:
            causes.sort(key=lambda cause: -abs(cause[1]))
            told = [{"label": label, "amount": amount} for label, amount in causes[:2]]
            out.append(
                {"name": clean(row["name"]) or clean(row["deal_id"]), "change": float(change[at]), "causes": told}
            )
    return out
