"""Accounts as customers: from when to when each was one, whatever table says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding, first_examples
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.keys import place_of
from pipeforecast.metrics.values import NotAvailable
from pipeforecast.metrics.view import View
from pipeforecast.metrics.windows import rows_within
from pipeforecast.wording import pnoop

_DAY = np.timedelta64(86400, "s")
#: Days of a month: 365.25 ÷ 12.
_MONTH = 30.4375
_EVER = np.datetime64("1900-01-01", "s")
_NEVER = np.datetime64("9999-12-31", "s")


@dataclass(frozen=True)
class Spells:
    """Times as a customer: a row a spell; ``from`` is its first day, ``lost`` the day on whose evening it is over.

    Attributes
    ----------
    facts : Facts
        ``account_id``, ``from``, ``lost`` (NaT: goes on), the groups of the account.
    recurring : Facts
        Subscriptions (or customers) with ``recurring_amount``, ``from``, ``lost``: what is paid, and when.
    """

    facts: Facts
    recurring: Facts


def spells_of(view: View) -> Spells:
    """Give the spells of all accounts, of ``subscriptions`` where it is there, else of ``customers``; made once.

    A subscription that begins within ``customers.renewal_days`` after the last one's end goes on; otherwise that is
    lost on its last day.

    Raises
    ------
    NotAvailable
        If neither table tells when accounts are customers.
    """
    made: Spells = view.once("spells", lambda: _spells(view))
    return made


def _spells(view: View) -> Spells:
    if "subscriptions" in view.known.tables:
        rows = subscription_rows(view)
        rows = rows.assign(lost=rows["to"])
        return Spells(of_accounts(view, _joined(view, rows)), of_accounts(view, rows))
    if "customers" in view.known.tables and "started_at" in view.frame("customers"):
        rows = view.frame("customers")
        ended = rows["ended_at"] if "ended_at" in rows else pd.Series(pd.NaT, index=rows.index)
        rows = rows.assign(**{"from": rows["started_at"], "lost": ended.astype("datetime64[s]")})
        rows = _right_way_round(view, rows[rows["from"].notna().to_numpy()], "customers", "ended_at")
        facts = of_accounts(view, rows)
        return Spells(facts, facts)
    raise NotAvailable(pnoop("reason", "neither a table subscriptions nor customers.started_at is there"))


def subscription_rows(view: View) -> pd.DataFrame:
    """Give subscriptions that begin by the evening, with ``to`` (NaT: goes on); made once."""

    def make() -> pd.DataFrame:
        rows = view.frame("subscriptions")
        rows = rows if "to" in rows else rows.assign(to=pd.Series(pd.NaT, index=rows.index).astype("datetime64[s]"))
        rows = rows.assign(lost=rows["to"])[rows["from"].notna().to_numpy()]
        return _right_way_round(view, rows, "subscriptions", "to").drop(columns="lost")

    made: pd.DataFrame = view.once("subscriptions the right way round", make)
    return made


def _right_way_round(view: View, rows: pd.DataFrame, table: str, column: str) -> pd.DataFrame:
    wrong = (rows["lost"] < rows["from"]).to_numpy(dtype=bool)
    if wrong.any():
        view.note(Finding("ENDED-BEFORE-BEGUN", "warning", table, column, int(wrong.sum()),
                          first_examples(rows["account_id"][wrong]), "left out", "check both days"))  # fmt: skip
    return rows[~wrong].reset_index(drop=True)


def _joined(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """Join the subscriptions of an account that follow each other closely enough."""
    rows = rows.sort_values(["account_id", "from"], kind="stable")
    account = pd.factorize(rows["account_id"])[0]
    begin = rows["from"].to_numpy().astype("datetime64[s]")
    end = np.where(rows["to"].isna(), _NEVER, rows["to"].to_numpy().astype("datetime64[s]"))
    # The latest end so far within the account: running maxima that start anew with each account.
    step = (end - _EVER).astype("int64")
    width = int((_NEVER - _EVER).astype("int64")) + 1
    reach = _EVER + (np.maximum.accumulate(account * width + step) - account * width).astype("timedelta64[s]")
    grace = (view.choices.lifecycle.customers.renewal_days + 1) * _DAY
    goes_on = np.r_[False, (account[1:] == account[:-1]) & (begin[1:] <= reach[:-1] + grace)][: len(rows)]
    first = np.flatnonzero(~goes_on)
    last = np.r_[first[1:], len(rows)][: len(first)] - 1
    lost = reach[last]
    return pd.DataFrame({
        "account_id": rows["account_id"].to_numpy()[first], "from": begin[first],
        "lost": np.where(lost == _NEVER, np.datetime64("NaT", "s"), lost),
    })  # fmt: skip


def of_accounts(view: View, rows: pd.DataFrame) -> Facts:
    """Make countable facts of rows with an ``account_id``; groups are their own, else those of its latest deal."""
    if "account_id" not in view.deal_frame:
        return view.facts(rows)
    at, accounts = view.once("latest deal of each account", lambda: _latest_deals(view.deal_frame))
    place = np.append(at, -1)[place_of(accounts, rows["account_id"])]
    return view.facts(rows, view.groups.borrowed(rows, [(view.deals.codes, place)]))


def _latest_deals(deals: pd.DataFrame) -> tuple[np.ndarray, pd.Series]:
    """Place of the deal that was created last of each account, and the accounts."""
    order = np.argsort(deals["created_at"].to_numpy(), kind="stable")
    accounts = deals["account_id"].iloc[order].reset_index(drop=True)
    kept = ~accounts.duplicated(keep="last").to_numpy() & accounts.notna().to_numpy()
    return order[kept], accounts[kept].reset_index(drop=True)


def customers_on(facts: Facts, evenings: np.ndarray) -> Chosen:
    """Choose the spells that go on on each evening (one for each window)."""
    begin = facts.rows["from"].to_numpy().astype("datetime64[s]")
    lost = facts.rows["lost"].to_numpy().astype("datetime64[s]")
    rows, window = rows_within(begin, np.full(len(evenings), _EVER), evenings)
    stays = np.isnat(lost[rows]) | (lost[rows] > evenings[window])
    return Chosen(facts, rows[stays], window[stays], len(evenings))


def at_start(view: View, facts: Facts) -> Chosen:
    """Choose the spells that went on on the last evening before each window."""
    return customers_on(facts, view.windows.starts - _DAY)


def picked(chosen: Chosen, pairs: np.ndarray) -> Chosen:
    """Keep some of the chosen pairs of row and window (K,)."""
    return Chosen(chosen.facts, chosen.at[pairs], chosen.window[pairs], chosen.n_windows)


def months_over(view: View) -> np.ndarray:
    """Give the months of each window that are over (P, 1); those of a fiscal calendar are whole."""
    days = np.array([w.days for w in view.windows.items], dtype="float64")
    months = np.where(days < _MONTH / 2, days / _MONTH, np.rint(days / _MONTH))
    return np.asarray((months * view.windows.days_passed / days)[:, None])
