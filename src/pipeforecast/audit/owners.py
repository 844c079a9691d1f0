"""Per owner: what to ask in the weekly review, and whether close dates are heaped on a period's last day."""

from __future__ import annotations

import pandas as pd

from pipeforecast.audit.flags import FLAGS
from pipeforecast.audit.record import wilson
from pipeforecast.fiscal import FiscalCalendar

REVIEW_COLUMNS = (
    "as_of", "owner", "owner_name", "rank", "deal_id", "name", "stage", "amount", "expected_close", "last_contact",
    "next_step", "flag", "flags", "at_stake", "expected_loss", "question",
)  # fmt: skip
OWNER_COLUMNS = (
    "as_of", "owner", "owner_name", "open_deals", "open_amount", "flagged_deals", "flagged_amount", "expected_loss",
    "close_dates", "on_last_day", "last_day_share", "lower", "upper", "chance_share",
)  # fmt: skip
#: The row of all owners together, and of deals without one.
ALL, NOBODY = "(all)", "(none)"


def review_rows(audit: pd.DataFrame, most: int) -> pd.DataFrame:
    """List each owner's deals to talk about this week: most money × what the flag costs first.

    Parameters
    ----------
    audit : DataFrame
        As of ``audit.csv``.
    most : int
        Deals per owner.
    """
    flagged = audit[audit["flag"].notna().to_numpy()]
    ranked = flagged.assign(owner=flagged["owner"].fillna(NOBODY)).sort_values(
        ["owner", "expected_loss", "at_stake", "deal_id"], ascending=[True, False, False, True], kind="stable"
    )
    ranked = ranked.assign(
        rank=ranked.groupby("owner").cumcount() + 1,
        question=ranked["flag"].map({n: f.question for n, f in FLAGS.items()}),
    )
    return ranked[(ranked["rank"] <= most).to_numpy()].reset_index(drop=True)[list(REVIEW_COLUMNS)]


def owner_rows(audit: pd.DataFrame, calendar: FiscalCalendar) -> pd.DataFrame:
    """Sum up each owner's open deals, all owners first; with the share of close dates on a period's last day.

    ``chance_share`` is what that share would be if the same dates were spread evenly over their periods; ``lower`` and
    ``upper`` are the Wilson 95 % interval of the share.
    """
    owner = audit["owner"].fillna(NOBODY)
    rows = [_summed(audit, ALL, calendar)]
    rows += [_summed(own, str(name), calendar) for name, own in audit.groupby(owner.to_numpy(dtype=object), sort=True)]
    return pd.DataFrame(rows, columns=list(OWNER_COLUMNS))


def _summed(own: pd.DataFrame, name: str, calendar: FiscalCalendar) -> dict[str, object]:
    flagged = own["flag"].notna().to_numpy()
    last, even = heaped(own["expected_close"], calendar)
    share, lower, upper = wilson(int(last.sum()), len(last))
    people = own["owner_name"].dropna().unique()
    return {
        "as_of": own["as_of"].iloc[0] if len(own) else pd.NaT,
        "owner": name,
        "owner_name": str(people[0]) if name != ALL and len(people) == 1 else None,
        "open_deals": len(own),
        "open_amount": float(own["at_stake"].sum()),
        "flagged_deals": int(flagged.sum()),
        "flagged_amount": float(own.loc[flagged, "at_stake"].sum()),
        "expected_loss": float(own["expected_loss"].sum()),
        "close_dates": len(last),
        "on_last_day": int(last.sum()),
        "last_day_share": share,
        "lower": lower,
        "upper": upper,
        "chance_share": float(even.mean()) if len(even) else float("nan"),
    }


def heaped(dates: pd.Series, calendar: FiscalCalendar) -> tuple[pd.Series, pd.Series]:
    """Whether each known date is its period's last day, and the chance of that if all days were alike."""
    known = pd.to_datetime(dates.dropna())
    periods = [calendar.containing(d) for d in known]
    last = pd.Series([d.normalize() == p.end for d, p in zip(known, periods, strict=True)], dtype="bool")
    return last, pd.Series([1 / p.days for p in periods], dtype="float64")
