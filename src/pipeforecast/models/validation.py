"""Validation inside the lessons: what was known on an earlier evening, and how recipes taught by it fared later.

Nothing but the lessons is looked at, so that whatever is chosen here was chosen from what was known at the cutoff.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN
from pipeforecast.errors import DataError
from pipeforecast.fiscal import Period
from pipeforecast.models.deals import Recipe
from pipeforecast.outcome import Lessons, Outcome, cause_in
from pipeforecast.scores import LEAST, log_loss
from pipeforecast.snapshot import Snapshot


def earlier(lessons: Lessons, cutoff: pd.Timestamp) -> Lessons:
    """Forget what was written after the evening of ``cutoff``: the lessons that were there to be taken on that day.

    Snapshots, outcomes and closings are exactly those of that evening. What lessons do not hold is told as far as it
    is known: a deal that was open then has the state of its last snapshot by then (or none), and the stages that were
    seen in snapshots.

    Parameters
    ----------
    lessons : Lessons
    cutoff : Timestamp
        Before the lessons' own.

    Raises
    ------
    DataError
        If ``cutoff`` lies after the lessons' own.
    """
    cutoff = pd.Timestamp(cutoff).normalize()
    if cutoff > lessons.cutoff:
        raise DataError(f"earlier lessons: expected a day up to {lessons.cutoff.date()}, came {cutoff.date()}")
    if cutoff == lessons.cutoff:
        return lessons
    evening = cutoff + pd.Timedelta(days=1)
    closed = lessons.snapshot.closed_by(cutoff).set_index("deal")
    past = lessons.snapshot.only(d for d in map(pd.Timestamp, lessons.snapshot.days) if d < cutoff)
    rows = lessons.snapshot.open
    seen = rows[(rows["as_of"] <= cutoff).to_numpy()].sort_values("as_of", kind="stable")
    return Lessons(
        cutoff=cutoff,
        calendar=lessons.calendar,
        snapshot=past.without_later_closings(evening),
        outcome=_outcome(past, closed, seen, cutoff),
        deals=_deals(lessons, closed, seen, evening),
        entered=_entered(lessons, closed, seen),
    )


def _outcome(past: Snapshot, closed: pd.DataFrame, seen: pd.DataFrame, cutoff: pd.Timestamp) -> Outcome:
    """What was written by the cutoff; a deal whose closing was written later is open."""
    deal = past.open["deal"].to_numpy()
    found = closed.reindex(deal)
    as_of = past.open["as_of"].to_numpy().astype("datetime64[s]")
    closed_at = found["closed_at"].to_numpy().astype("datetime64[s]")
    end = np.where(np.isnat(closed_at), np.datetime64(cutoff, "s"), closed_at)
    listed = seen.drop_duplicates("deal", keep="last").set_index("deal")["amount"].reindex(deal)
    is_closed = found["status"].notna().to_numpy()
    return Outcome(
        cutoff,
        pd.DataFrame({
            "status": found["status"].fillna(OPEN).to_numpy(),
            "closed_at": closed_at,
            "days": np.maximum((end - as_of).astype("int64") / 86400, 0.0),
            "amount": np.where(
                is_closed, found["amount"].to_numpy(dtype="float64"), listed.to_numpy(dtype="float64")
            ),
        }),
    )  # fmt: skip


def _deals(lessons: Lessons, closed: pd.DataFrame, seen: pd.DataFrame, evening: pd.Timestamp) -> pd.DataFrame:
    """Every deal that was written by the evening: closed ones as written, others as their last snapshot shows them."""
    known = lessons.deals[(lessons.deals["first_recorded_at"] < evening).to_numpy()]
    last = seen.drop_duplicates("deal", keep="last").set_index("deal")
    last = last.assign(recorded_at=last["last_change_at"])
    is_closed = known.index.isin(closed.index)
    out = known.copy()
    for name in known.columns:
        if lessons.snapshot.roles.get(name) == "birth" or name in ("created_at", "first_recorded_at"):
            continue
        before = last[name].reindex(known.index) if name in last else _blank(known, name)
        out[name] = closed[name].reindex(known.index).where(is_closed, before).astype(known[name].dtype)
    return out


def _blank(known: pd.DataFrame, name: str) -> pd.Series:
    """Values of what a snapshot of open deals does not hold."""
    default = {"status": OPEN, "seq": -1}.get(name)
    return pd.Series(default, index=known.index, dtype="object").astype(known[name].dtype)


def _entered(lessons: Lessons, closed: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """All stages of the deals that were closed and stayed so; of others those that were seen by then."""
    final = closed.index[closed["known_until"] > lessons.cutoff + pd.Timedelta(days=1)]
    whole = lessons.entered[lessons.entered["deal"].isin(final).to_numpy()]
    told = pd.concat([whole, seen[["deal", "stage"]], closed.reset_index()[["deal", "stage"]]])
    return told.dropna().drop_duplicates().sort_values("deal", kind="stable")


def split_day(lessons: Lessons, periods: int = 3, least: int = 2) -> pd.Timestamp | None:
    """Give the evening before the last ``periods`` complete periods: what came after it is kept for validation.

    Fewer are kept where the past is short, so that ``least`` complete periods are there to learn from; None where not
    even one can be spared.
    """
    past = lessons.past_periods(periods + least)
    kept = min(periods, len(past) - least)
    return past[-kept].evening(0) if kept > 0 else None


def later_chances(
    recipes: Sequence[Recipe], lessons: Lessons, cutoff: pd.Timestamp, most: int | None = None
) -> pd.DataFrame:
    """Teach each recipe by what was known at ``cutoff``; ask for P(won in the period) on the later lesson days.

    Only days of periods that were complete by the lessons' own cutoff are asked for: all, or ``most`` of them, evenly.

    Returns
    -------
    DataFrame
        ``as_of``, ``period`` (name), ``deal``, ``row`` (position in ``lessons.snapshot.open``), ``won`` (0, 1), and one
        column of chances for each recipe, by its name.
    """
    taught = earlier(lessons, cutoff)
    fitted = [recipe.fit(taught) for recipe in recipes]
    tables = [pd.DataFrame(columns=["as_of", "period", "deal", "row", "won", *(f.name for f in fitted)])]
    rng = np.random.default_rng(0)
    later = _later_days(lessons, cutoff)
    for day, period in later[:: max(1, -(-len(later) // most))] if most else later:
        now = lessons.snapshot.only([day])
        if len(now.open):
            columns = {f.name: f.won_between(now, period.start, period.end, 0, rng)[0] for f in fitted}
            tables.append(_came_true(lessons, day, period).assign(**columns))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _later_days(lessons: Lessons, cutoff: pd.Timestamp) -> list[tuple[pd.Timestamp, Period]]:
    days = [pd.Timestamp(d) for d in lessons.snapshot.days]
    pairs = [(d, lessons.calendar.containing(d + pd.Timedelta(days=1))) for d in days if d >= cutoff]
    return [(d, p) for d, p in pairs if p.end <= lessons.cutoff]


def _came_true(lessons: Lessons, day: pd.Timestamp, period: Period) -> pd.DataFrame:
    row = np.flatnonzero((lessons.snapshot.open["as_of"] == day).to_numpy())
    outcome = lessons.outcome.rows.iloc[row]
    return pd.DataFrame({
        "as_of": day, "period": period.name, "deal": lessons.snapshot.open["deal"].to_numpy()[row], "row": row,
        "won": (cause_in(outcome, period) == 1).astype("float64"),
    })  # fmt: skip


def later_scores(recipes: Sequence[Recipe], lessons: Lessons, cutoff: pd.Timestamp) -> pd.Series:
    """Mean log loss of P(won in the period) after ``cutoff`` of each recipe, by its name; NaN where nothing came."""
    table = later_chances(recipes, lessons, cutoff)
    won = table["won"].to_numpy(dtype="float64")
    names = [c for c in table.columns if c not in ("as_of", "period", "deal", "row", "won")]
    return pd.Series({
        n: log_loss(won, np.clip(table[n].to_numpy(dtype="float64"), LEAST, 1 - LEAST)) for n in names
    }, dtype="float64")  # fmt: skip
