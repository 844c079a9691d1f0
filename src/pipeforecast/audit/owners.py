"""Per owner: what to ask in the weekly review, and whether close dates are heaped on a period's last day."""

from __future__ import annotations

import numpy as np
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
_COUNTS = ("open_deals", "flagged_deals", "close_dates", "on_last_day")
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
    owner = audit["owner"].astype("object").where(audit["owner"].notna(), NOBODY)
    last, even = heaped(audit["expected_close"], calendar)
    flagged = audit["flag"].notna()
    facts = pd.DataFrame({
        "open_deals": 1, "open_amount": audit["at_stake"], "flagged_deals": flagged.astype("int64"),
        "flagged_amount": audit["at_stake"].where(flagged, 0.0), "expected_loss": audit["expected_loss"],
        "close_dates": audit["expected_close"].notna().astype("int64"),
        "on_last_day": last.reindex(audit.index, fill_value=False).astype("int64"), "chance": even,
    }, index=audit.index)  # fmt: skip
    by = facts.groupby(owner.to_numpy(dtype=object), sort=True)
    chance = even.mean() if len(even) else float("nan")
    whole = facts.drop(columns="chance").sum().to_frame(ALL).T.assign(chance_share=chance)
    out = pd.concat([whole, by.sum().drop(columns="chance").assign(chance_share=by["chance"].mean())])
    shares = [wilson(int(k), int(n)) for k, n in zip(out["on_last_day"], out["close_dates"], strict=True)]
    out[["last_day_share", "lower", "upper"]] = np.array(shares).reshape(-1, 3)
    out = out.astype(dict.fromkeys(_COUNTS, "int64")).rename_axis("owner").reset_index()
    out["as_of"] = audit["as_of"].iloc[0] if len(audit) else pd.NaT
    out["owner_name"] = _names(audit, owner, out)
    return out[list(OWNER_COLUMNS)]


def _names(audit: pd.DataFrame, owner: pd.Series, out: pd.DataFrame) -> list[str | None]:
    """Name of each owner; None where there is none, or more than one, and for all together."""
    known = pd.DataFrame({"owner": owner, "name": audit["owner_name"]}).dropna().drop_duplicates()
    single = known.drop_duplicates("owner", keep=False).set_index("owner")["name"]
    return [None if o == ALL or o not in single.index else str(single[o]) for o in out["owner"]]


def heaped(dates: pd.Series, calendar: FiscalCalendar) -> tuple[pd.Series, pd.Series]:
    """Whether each known date is its period's last day, and the chance of that if all days were alike."""
    known = pd.to_datetime(dates.dropna())
    kinds = known.dt.normalize().drop_duplicates()
    periods = {d: calendar.containing(d) for d in kinds}
    last = known.dt.normalize().map({d: d == p.end for d, p in periods.items()})
    even = known.dt.normalize().map({d: 1 / p.days for d, p in periods.items()})
    return last.astype("bool"), even.astype("float64")
