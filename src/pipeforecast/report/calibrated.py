"""Whether chances came true as often as they said, on past days: in a sentence and as points of a plot."""

from __future__ import annotations

from typing import Any

from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import number

#: With fewer chances nothing is said of them.
FEWEST = 50
_WHOLE = ("n", "observed", "lower", "upper")


def chance_facts(given: ReportInput) -> dict[str, Any] | None:
    """Give the chances of deals on past days beside what came true; None where there are too few.

    Returns
    -------
    dict or None
        ``n`` chances, their ``mean`` and the share ``observed`` with its interval ``lower``, ``upper``; ``kind``: even
        (the mean lies within it), high or low; ``bins`` of rising chance; ``inside`` of ``bins``, in how many the mean
        chance lies within the interval of what came true.
    """
    table = given.chances
    if table is None or table.empty:
        return None
    told = [
        {c: number(r[c]) for c in ("forecast", "observed", "lower", "upper", "n")} for r in table.to_dict("records")
    ]
    whole, bins = told[0], told[1:]
    mean, lower, upper = whole["forecast"], whole["lower"], whole["upper"]
    if mean is None or lower is None or upper is None or (whole["n"] or 0) < FEWEST:
        return None
    inside = sum(b["lower"] <= b["forecast"] <= b["upper"] for b in bins)  # type: ignore[operator]  # counted, so known
    kind = "even" if lower <= mean <= upper else "high" if mean > upper else "low"
    return {"mean": mean, "kind": kind, "bins": bins, "inside": inside, **{c: whole[c] for c in _WHOLE}}
