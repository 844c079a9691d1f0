"""What today's deals have and no past one had: a stage renamed half-way, a new region. Nothing was learned of it."""

from __future__ import annotations

from pipeforecast.features import describe
from pipeforecast.findings import Finding, first_examples
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

#: Groups of deals are named as examples, never people: an owner is no category.
_MUCH = 0.1


def never_seen(lessons: Lessons, now: Snapshot) -> list[Finding]:
    """Name the levels of each category that no lesson has seen; they count as rare ones do."""
    today, past = describe(now).categories, lessons.snapshot.open
    out = []
    for name in map(str, today.columns if len(past) else ()):
        known = past[name].astype("string").dropna().unique()
        new = (~today[name].isin(known)).to_numpy() & now.open[name].notna().to_numpy()
        if new.any() and past[name].notna().any():
            out.append(Finding(
                "NEVER-SEEN", "warning" if new.mean() >= _MUCH else "info", "deals", name, int(new.sum()),
                first_examples(today[name][new].unique()),
                repair="counted like rare ones: nothing could be learned of them",
                advice=f"if a {name} was renamed, map its old name to the new one; if it is new, time will teach it",
            ))  # fmt: skip
    return out
