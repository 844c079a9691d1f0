"""Win rates and close rates: of the deals closed, created or qualified, and of the leads worked on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.metrics.deals import won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.stages import YOUNG, cohorts_of
from pipeforecast.metrics.statuses import leads_of
from pipeforecast.metrics.stays import open_stages
from pipeforecast.metrics.touches import touched, touches_of
from pipeforecast.metrics.values import NotAvailable, Values, proportion, quotient, ratio
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

#: Touches by which a lead is spoken to, whether it answers or not.
CONTACTS = ("sent", "delivered", "called", "answered", "meeting_booked", "meeting_held", "proposal_sent")


def qualified_from(view: View) -> int:
    """Rank of the first qualified stage: the one that is chosen, else the first that the export marks."""
    stages = open_stages(view.known.stages)
    chosen = view.choices.qualified_stage
    if chosen:
        hit = stages[(stages["stage"] == chosen).to_numpy(dtype=bool)]
        if hit.empty:
            raise NotAvailable(
                pnoop("reason", "qualified_stage: the export has no open stage {stage}").format(stage=repr(chosen))
            )
        return int(hit["rank"].min())
    source = view.known.stages
    marked = (
        source[source["qualified"].fillna(False).to_numpy(dtype=bool)] if "qualified" in source else source.iloc[:0]
    )
    found = stages[stages["stage"].isin(marked["stage"]).to_numpy(dtype=bool)]
    if found.empty:
        raise NotAvailable(pnoop("reason", "no stage is marked as qualified; say qualified_stage=STAGE"))
    return int(found["rank"].min())


def was_qualified(view: View) -> np.ndarray:
    """Whether each deal had ever reached the qualified stage (N,); a deal won without a word of it had too."""

    def make() -> np.ndarray:
        reached = cohorts_of(view).rows
        keys = reached.loc[(reached["rank"] >= qualified_from(view)).to_numpy(), "deal"]
        return np.asarray(view.deal_frame.index.isin(keys))

    return view.once("was qualified", make)  # type: ignore[no-any-return]


def win_rate(view: View, window: str = "period", where: Any = None) -> Values:
    """Won ÷ closed, of the deals closed in the window."""
    closed = view.deals.within("closed_at", where, window)
    return proportion(closed.where(view.deals.rows["won"]).count(), closed.count())


def win_rate_by_value(view: View, window: str = "period", where: Any = None) -> Values:
    """Won amount ÷ closed amount, of the deals closed in the window."""
    closed = view.deals.within("closed_at", where, window).known("amount")
    return quotient(closed.where(view.deals.rows["won"]).sum("amount"), closed.sum("amount"), closed.count())


def _qualified(view: View) -> Values:
    return win_rate(view, where=was_qualified(view))


def _qualified_by_value(view: View) -> Values:
    return win_rate_by_value(view, where=was_qualified(view))


def _created(view: View) -> Values:
    new = view.deals.within("created_at")
    values = proportion(new.where(view.deals.rows["won"]).count(), new.count())
    return replace(values, immature=ratio(new.where(view.deals.rows["open"]).count(), new.count()) > YOUNG)


def _created_by_value(view: View) -> Values:
    new = view.deals.within("created_at").known("amount")
    values = quotient(new.where(view.deals.rows["won"]).sum("amount"), new.sum("amount"), new.count())
    return replace(values, immature=ratio(new.where(view.deals.rows["open"]).count(), new.count()) > YOUNG)


def _created_still_open(view: View) -> Values:
    new = view.deals.within("created_at")
    return proportion(new.where(view.deals.rows["open"]).count(), new.count())


def _flow(view: View) -> Values:
    """Won in the period are not always among those created in it, so there may be more of them."""
    won, new = won_in(view).count(), view.deals.within("created_at").count()
    values = proportion(np.minimum(won, new), new)
    more = won > new
    lower, upper = (np.where(more, np.nan, v) for v in (values.lower, values.upper) if v is not None)
    return Values(ratio(won, new), new, lower, upper)


def _flow_by_value(view: View) -> Values:
    new = view.deals.within("created_at")
    return quotient(won_in(view).sum("amount"), new.sum("amount"), new.count())


def _close_rate(view: View) -> Values:
    """Leads are active when they are created or touched."""

    def make() -> Facts:
        touches, leads = touches_of(view), leads_of(view).facts
        touched = np.flatnonzero(touches.rows["lead"] >= 0)
        lead = touches.rows["lead"].to_numpy()[touched]
        days = np.r_[touches.rows["at"].to_numpy()[touched], leads.rows["created_at"].to_numpy()]
        rows = pd.DataFrame({"day": days, "lead": np.r_[lead, np.arange(len(leads.rows))]})
        codes = np.concatenate([touches.codes[:, touched], leads.codes], axis=1)
        codes[(codes == len(view.groups)).any(axis=1)] = len(view.groups)  # a grouping that not all of them have
        return view.facts(rows, codes)

    return _closed_of(view, view.once("active leads", make).within("day"))


def _closed_of(view: View, chosen: Chosen) -> Values:
    n = chosen.distinct("lead")
    return quotient(won_in(view).count(), n, n)


def _close_rate_contacted(view: View) -> Values:
    rows = touches_of(view).rows
    return _closed_of(view, touched(view).where(rows["kind"].isin(CONTACTS) & (rows["lead"] >= 0)))


def _close_rate_of(view: View, kind: str) -> Values:
    n = touched(view).where(touches_of(view).rows["kind"] == kind).count()
    return quotient(won_in(view).count(), n, n)


def _close_rate_meetings(view: View) -> Values:
    return _close_rate_of(view, "meeting_held")


def _close_rate_proposals(view: View) -> Values:
    return _close_rate_of(view, "proposal_sent")


_STAGED = {"deals": (), "stages": ("position",)}
_TOUCHED = {"deals": (), "leads": (), "touches": ("at", "kind")}

METRICS = (
    Metric(
        "win_rate", "Win rate", "won ÷ (won + lost), of deals closed in the period", "share", "deals closed", "closed",
        "up", "deals", win_rate, example="20 won of 50 closed = 0.40",
    ),
    Metric(
        "win_rate_by_value", "Win rate by value", "won amount ÷ (won + lost amount), of deals closed in the period",
        "share", "deals closed", "closed", "up", "deals", win_rate_by_value, example="300 of 1,200 = 0.25",
    ),
    Metric(
        "win_rate_created", "Win rate of the created", "won by now ÷ all deals created in the period; immature while "
        "more than a tenth is open", "share", "deals created", "created", "up", "deals", _created,
        example="20 of 100 = 0.20",
    ),
    Metric(
        "win_rate_created_by_value", "Win rate of the created by value",
        "amount won by now ÷ amount of all deals created in the period", "share", "deals created", "created", "up",
        "deals", _created_by_value, example="300 of 1,000 = 0.30",
    ),
    Metric(
        "created_still_open", "Share still open", "open ÷ all deals created in the period", "share", "deals created",
        "created", "neither", "deals", _created_still_open, example="1 of 4 = 0.25",
    ),
    Metric(
        "win_rate_flow", "Win rate as flow", "won in the period ÷ created in the period (no interval where more are "
        "won than created)", "share", "deals created", "created", "up", "deals", _flow,
        example="20 of 100 = 0.20 (0.133 to 0.289)",
    ),
    Metric(
        "win_rate_flow_by_value", "Win rate as flow by value", "amount won in the period ÷ amount created in it",
        "share", "deals created", "created", "up", "deals", _flow_by_value, example="300 ÷ 600 = 0.50",
    ),
    Metric(
        "win_rate_qualified", "Win rate of the qualified",
        "won ÷ closed, of deals closed in the period that had reached the qualified stage", "share",
        "deals closed", "closed", "up", "deals", _qualified, _STAGED, example="3 of 10 = 0.30",
    ),
    Metric(
        "win_rate_qualified_by_value", "Win rate of the qualified by value",
        "won ÷ closed amount, of deals closed in the period that had reached the qualified stage", "share",
        "deals closed", "closed", "up", "deals", _qualified_by_value, _STAGED, example="300 of 400 = 0.75",
    ),
    Metric(
        "close_rate", "Close rate", "deals won in the period ÷ distinct leads created or touched in it", "ratio",
        "leads active", "day", "up", "deals", _close_rate, _TOUCHED, example="2 won ÷ 8 active leads = 0.25",
    ),
    Metric(
        "close_rate_contacted", "Close rate of the contacted",
        "deals won in the period ÷ distinct leads written to, called or met in it", "ratio", "leads contacted", "day",
        "up", "deals", _close_rate_contacted, _TOUCHED, example="2 won ÷ 5 contacted leads = 0.40",
    ),
    Metric(
        "close_rate_meetings", "Close rate per meeting", "deals won in the period ÷ meetings held in it", "ratio",
        "meetings", "day", "up", "deals", _close_rate_meetings, _TOUCHED, example="2 won ÷ 4 meetings = 0.50",
    ),
    Metric(
        "close_rate_proposals", "Close rate per proposal", "deals won in the period ÷ proposals sent in it", "ratio",
        "proposals", "day", "up", "deals", _close_rate_proposals, _TOUCHED, example="2 won ÷ 2 proposals = 1.00",
    ),
)  # fmt: skip
