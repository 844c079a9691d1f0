"""Engagement of existing accounts: how often and how recently they were touched, and what that goes with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.keys import place_of
from pipeforecast.metrics.marketing import first_wins
from pipeforecast.metrics.parts import in_all
from pipeforecast.metrics.spells import at_start, customers_on, months_over, of_accounts, picked
from pipeforecast.metrics.touches import touched, touches_of
from pipeforecast.metrics.values import NotAvailable, Values, proportion, quotient
from pipeforecast.metrics.view import View
from pipeforecast.wording import pnoop

_DAY = np.timedelta64(86400, "s")
_MONTH = 30.4375
#: Deals are put into bands by the touches of their account in so many days before they were created.
LOOK_BACK = 90
#: Upper ends of the bands, in touches a month.
BANDS = {"no touch": 0.0, "up to 1 a month": 1.0, "1 to 4 a month": 4.0, "over 4 a month": np.inf}
#: Wider than any time in seconds: makes one sorted key of account and time.
_WIDTH = 10**11


def existing_of(view: View) -> Facts:
    """Give accounts from their first won deal on (``from``), with the groups of their latest deal; made once."""

    def make() -> Facts:
        first = first_wins(view)
        rows = pd.DataFrame({"account_id": first["account_id"].array, "from": first["closed_at"].array})
        return of_accounts(view, rows.assign(lost=np.datetime64("NaT", "s")))

    made: Facts = view.once("existing accounts", make)
    return made


def accounts_touched(view: View) -> np.ndarray:
    """Place in ``existing_of`` of the account of each touch: its own, else that of its deal or lead; −1: none (N,)."""
    made: np.ndarray = view.once("accounts of touches", lambda: _accounts_touched(view))
    return made


def _accounts_touched(view: View) -> np.ndarray:
    rows, known = touches_of(view).rows, existing_of(view).rows["account_id"]
    deals = place_of(known, view.deal_frame["account_id"])
    out = np.append(deals, -1)[rows["deal"].to_numpy()]
    if "account_id" in rows:
        own = place_of(known, rows["account_id"])
        out = np.where(rows["account_id"].notna().to_numpy(), own, out)
    return np.asarray(out)


def _keys(view: View) -> np.ndarray:
    """Give account and time of every touch of an existing account as one number, sorted (K,)."""

    def make() -> np.ndarray:
        account = accounts_touched(view)
        at = touches_of(view).rows["at"].to_numpy().astype("datetime64[s]").astype("int64")
        return np.sort(account[account >= 0] * _WIDTH + at[account >= 0])

    made: np.ndarray = view.once("touches by account and time", make)
    return made


def _engagement(view: View) -> Values:
    account, every = accounts_touched(view), touched(view)
    since = np.r_[existing_of(view).rows["from"].to_numpy().astype("datetime64[s]"), [np.datetime64("NaT")]]
    begins = since[account[every.at]]
    theirs = picked(every, (account[every.at] >= 0) & (begins < view.windows.starts[every.window]))
    theirs = Chosen(_by_account(view), theirs.at, theirs.window, theirs.n_windows)
    n = at_start(view, existing_of(view)).count()
    return quotient(theirs.count(), n * months_over(view), n)


def _by_account(view: View) -> Facts:
    """Touches with the groups of their account, so that they are counted where the account is."""

    def make() -> Facts:
        account = accounts_touched(view)
        rows = pd.DataFrame(index=range(len(account)))
        return view.facts(rows, view.groups.borrowed(rows, [(existing_of(view).codes, account)]))

    made: Facts = view.once("touches by the groups of accounts", make)
    return made


def _days_since(view: View) -> Values:
    facts, evenings = existing_of(view), view.windows.evenings
    there = customers_on(facts, evenings)
    limit = (evenings + _DAY).astype("int64")[there.window]
    key, floor = there.at * _WIDTH + limit, there.at * _WIDTH
    found = np.searchsorted(_keys(view), key, side="left") - 1
    last = np.append(_keys(view), -1)[found]
    known = (found >= 0) & (last >= floor)
    days = np.where(known, (limit - 1 - (last - floor)) // 86400, np.nan)
    pairs = view.facts(pd.DataFrame(index=range(len(days))), facts.codes[:, there.at])
    mine = Chosen(pairs, np.arange(len(days)), there.window, there.n_windows).known(days)
    return Values(mine.quantile(days), mine.count())


def _win_rate(view: View) -> Mapping[str, Values]:
    deals = view.deal_frame
    account = place_of(existing_of(view).rows["account_id"], deals["account_id"])
    since = np.r_[existing_of(view).rows["from"].to_numpy().astype("datetime64[s]"), [np.datetime64("NaT")]][account]
    born = deals["created_at"].to_numpy().astype("datetime64[s]")
    existing = (account >= 0) & (since < born)
    end = np.where(np.isnat(born), np.datetime64("1970-01-02", "s"), born).astype("int64")
    key = np.maximum(account, 0) * _WIDTH
    n = np.searchsorted(_keys(view), key + end) - np.searchsorted(_keys(view), key + end - LOOK_BACK * 86400)
    band = np.searchsorted(list(BANDS.values()), n / (LOOK_BACK / _MONTH))
    closed = view.deals.within("closed_at", existing & (deals["won"] | deals["lost"]).to_numpy(dtype=bool))
    won = deals["won"].to_numpy(dtype="float64")
    out = {}
    for i, name in enumerate(BANDS):
        mine = closed.where(band == i)
        out[name] = proportion(mine.sum(won), mine.count())
    return out


def _sure(view: View) -> None:
    if not len(_keys(view)):
        raise NotAvailable(pnoop("reason", "no touch is of an account that ever bought"))


def engagement(view: View) -> Values:
    """Touches of existing accounts, per account and month."""
    _sure(view)
    told = in_all(view, existing_of(view))
    value = _engagement(view)
    return Values(value.value, np.where(told, value.n, 0.0))


_NEEDS: dict[str, tuple[str, ...]] = {"deals": ("account_id",), "touches": ("at",)}

METRICS = (
    Metric(
        "account_engagement", "Engagement of existing accounts",
        "touches in the period of accounts that had bought before it ÷ those accounts ÷ months that are over",
        "ratio", "existing accounts", "day", "up", "marketing", engagement, _NEEDS,
        example="24 touches of 4 accounts in 3 months = 2 a month",
    ),
    Metric(
        "account_days_since_touch", "Days since an account was touched",
        "median days since the last touch, of accounts that have bought and were ever touched", "days",
        "existing accounts", "as of", "down", "marketing", _days_since, _NEEDS, example="1, 4, 30 → 4",
    ),
    Metric(
        "account_engagement_win_rate", "Win rate by engagement",
        "won ÷ (won + lost) of deals of existing accounts closed in the period, by touches of the account a month in "
        "the 90 days before the deal was created", "share", "deals closed", "closed", "up", "marketing", _win_rate,
        _NEEDS, parts="band", example="1 to 4 a month: 3 of 4 = 0.75",
    ),
)  # fmt: skip
