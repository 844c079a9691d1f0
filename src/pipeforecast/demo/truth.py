"""What no export tells: how deals truly stood and ended, the shocks, and the skill of reps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeforecast.demo.book import Book
from pipeforecast.demo.leads import Leads


@dataclass(frozen=True)
class Truth:
    """Facts behind a company's exports.

    Attributes
    ----------
    deal_ids : array of shape (n_deals,)
        Raw ids by order of creation.
    deals : DataFrame
        One row a deal: days (numbers since `start`) of birth, true end, booking and silence (-1 for none so
        far), the cause of the end, the final amount, the quality of its lead.
    quarters : DataFrame
        One row a quarter: name, first day, shocks on winning and on arrivals in standard deviations,
        whether it lies in the downturn.
    reps : DataFrame
        One row a rep: user id, desk, first day, day after the last, skill, bias of calls and probabilities.
    lead_log_odds : float array of shape (n_leads,)
        Log-odds of conversion from a lead's person features, in the order of the raw table.
    """

    deal_ids: ExtensionArray
    deals: pd.DataFrame
    quarters: pd.DataFrame
    reps: pd.DataFrame
    lead_log_odds: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def truth_of(book: Book, leads: Leads) -> Truth:
    """Collect the truth of a company."""
    clock, world, n = book.clock, book.life.world, book.n_deals
    ended, booked, silent = (np.full(n, -1, dtype=np.int64) for _ in range(3))
    cause, amount = np.zeros(n, dtype=np.int64), book.facts["amount"].copy()
    ends = book.ends
    for target, name in ((ended, "true_day"), (booked, "book_day"), (cause, "cause"), (amount, "amount")):
        target[ends["deal"]] = ends[name]
    if book.silences:
        silent[book.silences["deal"]] = book.silences["day"]
    if book.returns:
        _forget(book, ended, booked, cause)
    deals = pd.DataFrame(
        {
            "Id": book.deal_ids,
            "born": book.facts["born"],
            "ended": ended,
            "booked": booked,
            "silent": silent,
            "cause": cause,
            "amount": amount,
            "lead_quality": book.facts["lead_quality"],
        }
    )
    number = np.arange(clock.n_quarters)
    quarters = pd.DataFrame(
        {
            "quarter": [clock.quarter_name(int(q)) for q in number],
            "first_day": [clock.quarter_start(int(q)) for q in number],
            "winning_shock": world.shocks.winning,
            "arrival_shock": world.shocks.arrivals,
            "downturn": (number >= clock.downturn[0]) & (number < clock.downturn[1]),
        }
    )
    people = world.people
    reps = pd.DataFrame(
        {
            "Id": book.user_ids[: len(people.rep_desk)],
            "desk": people.rep_desk,
            "first_day": people.rep_from,
            "after": people.rep_to,
            "skill": people.rep_skill,
            "bias": people.rep_bias,
        }
    )
    return Truth(book.deal_ids, deals, quarters, reps, leads.score)


def _forget(book: Book, *columns: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    """Deals that came back after their last end have not ended."""
    back = np.full(book.n_deals, -1)
    back[book.returns["deal"]] = book.returns["day"]
    again = back > columns[0]
    for column, empty in zip(columns, (-1, -1, 0), strict=True):
        column[again] = empty
