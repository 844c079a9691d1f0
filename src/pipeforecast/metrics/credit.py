"""Attribution of won revenue: each won deal's amount shared over its touches, by source and by campaign."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.attribution import MODELS, attributed
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Facts
from pipeforecast.metrics.parts import part_names
from pipeforecast.metrics.touches import touches_of
from pipeforecast.metrics.values import Values
from pipeforecast.metrics.view import View

ATTRIBUTION_COLUMNS = ("period", "by", "group", "touches", *MODELS)
NO_SOURCE = "(none)"
_DAY = np.timedelta64(86400, "s")


def credits_of(view: View) -> Facts:
    """Give what each touch of a won deal is credited with; made once.

    A deal's touches are those that name it, or its lead, or (naming neither) its account, up to the evening of its
    close (``attribution.before: creation``: of its creation).

    Returns
    -------
    Facts
        ``source``, ``campaign`` of the touch, whole cents by model, ``closed_at`` and the groups of the deal. A touch's
        source is its own, else that of its campaign (where leads or spend name one alone), else its deal's; its
        campaign is its own, else its deal's.
    """
    made: Facts = view.once("attribution", lambda: view.facts(_credits(view)))
    return made


def _credits(view: View) -> pd.DataFrame:
    deals, told = view.deal_frame, view.choices.lifecycle.attribution
    touches = touches_of(view).rows
    if told.kinds:
        touches = touches[touches["kind"].isin(told.kinds).to_numpy(dtype=bool)]
    place, row = _pairs(touches, deals)
    won = deals["won"].to_numpy(dtype=bool)
    last = (deals["closed_at"] if told.before == "close" else deals["created_at"]).to_numpy().astype("datetime64[s]")
    at = touches["at"].to_numpy().astype("datetime64[s]")
    keep = won[place] & (at[row] < last[place] + _DAY)
    place, row = place[keep], row[keep]
    source, campaign = _sources(view, touches.iloc[row], place)
    shared = attributed(
        pd.DataFrame({"deal": np.flatnonzero(won), "amount": deals["amount"].to_numpy()[won]}),
        pd.DataFrame({"deal": place, "at": at[row], "source": source, "campaign": campaign}),
        told.half_life_days,
    )
    # A group by campaign is that of the touch; every other is the deal's.
    own = [c for c in dict.fromkeys(("closed_at", *view.groups.by)) if c in deals and c not in (TOTAL, "campaign")]
    place = shared["deal"].to_numpy()
    return shared.assign(**{c: deals[c].array.take(place) for c in own})


def _pairs(touches: pd.DataFrame, deals: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Give place of the deal and row of the touch of every touch that is a deal's (K,)."""
    deal = touches["deal"].to_numpy()
    row = np.flatnonzero(deal >= 0)
    place = deal[row]
    if "account_id" not in touches or "account_id" not in deals:
        return place, row
    names = [c for c in ("deal_id", "lead_id") if c in touches]
    loose = (deal < 0) & touches[names].isna().all(axis=1).to_numpy() & touches["account_id"].notna().to_numpy()
    left = pd.DataFrame({"account": touches["account_id"].to_numpy(dtype=object)[loose], "row": np.flatnonzero(loose)})
    right = pd.DataFrame({"account": deals["account_id"].to_numpy(dtype=object), "place": np.arange(len(deals))})
    more = left.merge(right.dropna(subset="account"), on="account")
    return np.r_[place, more["place"].to_numpy(dtype=int)], np.r_[row, more["row"].to_numpy(dtype=int)]


def _sources(view: View, touches: pd.DataFrame, place: np.ndarray) -> tuple[pd.Series, pd.Series]:
    campaign = _column(touches, "campaign")
    found = _column(touches, "lead_source").fillna(campaign.map(_source_of_campaign(view)).astype("string"))
    deals = {c: pd.Series(_column(view.deal_frame, c).array.take(place)) for c in ("lead_source", "campaign")}
    return found.fillna(deals["lead_source"]).fillna(NO_SOURCE), campaign.fillna(deals["campaign"]).fillna(NO_SOURCE)


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    """Give a column as text with a fresh index, missing where it is not there."""
    values = rows[name].array if name in rows else [pd.NA] * len(rows)
    return pd.Series(values, dtype="string")


def _source_of_campaign(view: View) -> pd.Series:
    """Give the lead source of each campaign that is of one alone, by spend and leads."""
    tables = (("spend", "day"), ("leads", "created_at"))
    frames = [
        view.frame(t).dropna(subset=day)[["campaign", "lead_source"]] for t, day in tables
        if t in view.known.tables and {"campaign", "lead_source"} <= set(view.frame(t))
    ]  # fmt: skip
    if not frames:
        return pd.Series(dtype="string")
    pairs = pd.concat(frames).dropna().drop_duplicates()
    alone = pairs[~pairs["campaign"].duplicated(keep=False).to_numpy()]
    return alone.set_index("campaign")["lead_source"]


def _attribution(view: View) -> Mapping[str, Values]:
    facts = credits_of(view)
    names = part_names(facts.rows, "source")
    chosen = facts.within("closed_at")
    out: dict[str, Values] = {}
    for source in sorted(set(names)):
        mine = chosen.where(names == source)
        n = mine.count()
        out |= {f"{model}: {source}": Values(mine.sum(model) / 100, n) for model in MODELS}
    return dict(sorted(out.items(), key=lambda item: MODELS.index(item[0].split(":")[0])))


def attribution_table(view: View) -> pd.DataFrame:
    """Set all models side by side, by source and by campaign.

    Returns
    -------
    DataFrame
        ``ATTRIBUTION_COLUMNS``: a row for each period, ``by`` (source, campaign) and group with anything in the period.
        In every period each model's amounts add up to the won amount, to the cent.

    Raises
    ------
    NotAvailable
        Without touches.
    """
    rows = credits_of(view).rows
    chosen = credits_of(view).within("closed_at")
    picked = rows.iloc[chosen.at].assign(
        period=chosen.window, touches=(rows["source"] != "unattributed").iloc[chosen.at]
    )
    parts = []
    for by in ("source", "campaign"):
        sums = picked.groupby(["period", by], observed=True)[["touches", *MODELS]].sum().reset_index()
        parts.append(sums.rename(columns={by: "group"}).assign(by=by))
    out = pd.concat(parts, ignore_index=True).sort_values(["period", "by", "group"], kind="stable", ignore_index=True)
    out[list(MODELS)] = out[list(MODELS)] / 100
    out["period"] = [view.windows.names[i] for i in out["period"]]
    return out[list(ATTRIBUTION_COLUMNS)]


METRICS = (
    Metric(
        "attribution", "Attributed revenue",
        "won amount shared over the touches before the close: all to the first or the last; evenly; 40/20/40; halved "
        "with every 7 days before the last; without a touch unattributed", "currency", "touches", "closed", "up",
        "attribution", _attribution, {"deals": (), "touches": ("at", "kind")}, additive=True, parts="model: source",
        example="900 over three touches: linear 300 each, position 360, 180, 360; 700 over touches 14, 7 and 0 days "
        "before: 100, 200, 400",
    ),
)  # fmt: skip
