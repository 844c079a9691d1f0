"""Companies with poor data: little happened, or nobody wrote it down."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from stories import Deal, day, deal

AS_OF = day("2024-04-30")


def book(n: int, status: Callable[[int], str], **facts: object) -> list[Deal]:
    """``n`` deals of the year before AS_OF, each closed after about two months as ``status`` says, or open."""
    out = []
    for i in range(n):
        begun = pd.Timestamp("2023-04-03") + pd.Timedelta(days=i * 380 // n)
        state = {"stage": ["Talk", "Offer"][i % 2], "amount": 100.0 + i, "owner": "ab"[i % 2], "probability": 0.3}
        state |= {"forecast_category": "Commit", "expected_close": str((begun + pd.Timedelta(days=60)).date())}
        states = [(str(begun.date()), state | facts)]
        closing = begun + pd.Timedelta(days=50 + i % 20)
        if status(i) != "open" and closing <= AS_OF:
            states.append((str(closing.date()), {"status": status(i)}))
        out.append(deal(f"d{i}", *states, segment="xy"[i % 2], region="r"))
    return out


WORLDS = {
    "nothing ever won": book(60, lambda i: "lost"),
    "nothing ever lost": book(60, lambda i: "won"),
    "nothing ever closed": book(30, lambda i: "open"),
    "ten deals": book(10, lambda i: ["won", "lost"][i % 2]),
    "one deal": book(1, lambda i: "open"),
    "no lessons at all": [deal("a", (str(AS_OF.date()), {"amount": 5.0, "stage": "Talk"}), segment="x")],
    "everything alike": book(80, lambda i: ["won", "lost"][i % 2], stage="Talk", amount=100.0, owner="a"),
    "no amounts": book(60, lambda i: ["won", "lost"][i % 2], amount=None),
    "no dates": book(60, lambda i: ["won", "lost"][i % 2], expected_close=None),
    "bare deals": book(60, lambda i: ["won", "lost"][i % 2], amount=None, expected_close=None, stage=None, owner=None,
                       probability=None, forecast_category=None),
    "amounts of nought": book(60, lambda i: ["won", "lost"][i % 2], amount=0.0),
}  # fmt: skip
