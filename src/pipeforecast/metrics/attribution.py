"""Attribution: a won amount shared over the touches that came before, by five models, exact to the cent.

Touches of one deal are ordered by time, then by source and campaign, so that the order of the rows decides nothing.
Cents that are left over by rounding go to the largest remainders, of equal ones to the earlier touch.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODELS = ("first", "last", "linear", "position", "time_decay")
HALF_LIFE_DAYS = 7.0
ENDS = 0.4
UNATTRIBUTED = "unattributed"
_DAY = 86400.0
#: A remainder is a share of a cent; what floats add to it is far smaller than this.
_DIGITS = 6


def weights(deal: Ints, at: Ints, model: str, half_life: float = HALF_LIFE_DAYS) -> Floats:
    """Give the share of each touch in its deal; shares of a deal add up to 1.

    Parameters
    ----------
    deal : int array (n,)
        Number of each touch's deal, rising.
    at : int array (n,)
        Time in seconds, rising within a deal.
    model : one of ``MODELS``
        ``position`` gives 40 % to the first and the last each and 20 % to those between; one touch has all, two have
        half each. ``time_decay`` halves a touch's share with every ``half_life`` days before the last.
    half_life : float
        Days.
    """
    first = np.r_[True, deal[1:] != deal[:-1]][: len(deal)]
    last = np.r_[first[1:], True][: len(deal)]
    group = np.cumsum(first) - 1
    count = np.bincount(group)[group].astype(np.float64)
    if model == "first":
        out = first.astype(np.float64)
    elif model == "last":
        out = last.astype(np.float64)
    elif model == "linear":
        out = 1.0 / count
    elif model == "position":
        between = (1.0 - 2 * ENDS) / np.maximum(count - 2, 1)
        out = np.where(count < 3, 1.0 / count, np.where(first | last, ENDS, between))
    elif model == "time_decay":
        raw = 0.5 ** ((at[last][group] - at) / _DAY / half_life)
        out = raw / np.bincount(group, raw)[group]
    else:
        raise ValueError(f"expected one of {', '.join(MODELS)}, came {model!r}")
    return np.asarray(out)


def in_cents(amount: pd.Series) -> Ints:
    """Give amounts as whole cents (n,); missing amounts are 0."""
    return np.asarray(np.rint(amount.fillna(0.0).to_numpy(dtype=np.float64) * 100).astype(np.int64))


def shared_out(cents: Ints, deal: Ints, weight: Floats) -> Ints:
    """Share each deal's cents over its touches by largest remainder: the parts add up exactly.

    Parameters
    ----------
    cents : int array (n_deals,)
        What is to be shared; negative amounts (credit notes) are shared like positive ones.
    deal : int array (n_touches,)
        Position of each touch's deal in ``cents``, rising.
    weight : float array (n_touches,)
        Shares that add up to 1 within a deal.

    References
    ----------
    Balinski and Young, *Fair Representation*, 1982 (Hamilton's method).
    """
    if not len(deal):
        return np.zeros(0, dtype=np.int64)
    exact = np.abs(cents)[deal] * weight
    part = np.floor(exact).astype(np.int64)
    rest = np.round(exact - part, _DIGITS)
    total = np.zeros(len(cents), dtype=np.int64)
    np.add.at(total, deal, part)
    left = (np.abs(cents) - total)[deal]
    order = np.lexsort((np.arange(len(deal)), -rest, deal))
    begins = np.r_[True, deal[1:] != deal[:-1]]
    rank = np.empty(len(deal), dtype=np.int64)
    rank[order] = np.arange(len(deal)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    out: Ints = (part + (rank < left)) * np.sign(cents)[deal]
    return out


def ordered(touches: pd.DataFrame) -> pd.DataFrame:
    """Order touches by deal, time, source and campaign: the tie rule."""
    keys = ["deal", "at", *(c for c in ("source", "campaign") if c in touches)]
    return touches.sort_values(keys, kind="stable", na_position="last", ignore_index=True)


def attributed(deals: pd.DataFrame, touches: pd.DataFrame, half_life: float = HALF_LIFE_DAYS) -> pd.DataFrame:
    """Share the amount of won deals over their touches, by every model.

    Parameters
    ----------
    deals : DataFrame, one row per won deal
        ``deal`` (key, unique), ``amount``.
    touches : DataFrame, one row per touch that counts
        ``deal``, ``at``, ``source``, ``campaign``; those of other deals do not count.
    half_life : float
        Days.

    Returns
    -------
    DataFrame
        ``deal``, ``source``, ``campaign`` and one column of whole cents a model; a row per touch, and one called
        ``unattributed`` per deal without a touch. Each model's cents add up to the deals' amounts.
    """
    deals = deals.reset_index(drop=True)
    cents = in_cents(deals["amount"])
    place = pd.Index(deals["deal"]).get_indexer(pd.Index(touches["deal"]))
    kept = touches[place >= 0].assign(deal=place[place >= 0])
    kept = ordered(kept)
    deal = kept["deal"].to_numpy(dtype=np.int64)
    at = kept["at"].astype("datetime64[s]").to_numpy().astype(np.int64)
    shares = {model: shared_out(cents, deal, weights(deal, at, model, half_life)) for model in MODELS}
    touched = pd.DataFrame({"deal": deal, "source": kept["source"], "campaign": kept["campaign"], **shares})
    without = np.setdiff1d(np.arange(len(deals)), deal)
    bare = pd.DataFrame({
        "deal": without, "source": UNATTRIBUTED, "campaign": UNATTRIBUTED, **dict.fromkeys(MODELS, cents[without]),
    })  # fmt: skip
    out = pd.concat([touched, bare.astype(touched.dtypes.to_dict())], ignore_index=True)
    return out.assign(deal=deals["deal"].to_numpy()[out["deal"].to_numpy(dtype=np.int64)])
