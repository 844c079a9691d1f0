"""Contributions to log-odds become money and sentences: three for each deal, and every one of them for the analyst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.explain.pieces import short
from pipeforecast.explain.words import Said
from pipeforecast.findings import Finding, first_examples
from pipeforecast.fiscal import Period
from pipeforecast.forecast import DealForecast
from pipeforecast.models.contributions import Contributions, contributions
from pipeforecast.models.deals import FittedDeals
from pipeforecast.snapshot import Snapshot
from pipeforecast.wording import noop, t

#: Columns of ``reasons.csv``.
FACTOR_COLUMNS = ("as_of", "period", "deal_id", "factor", "log_odds", "money", "value")
#: Columns that ``deals.csv`` has of it.
REASON_COLUMNS = ("reason_1", "reason_2", "reason_3")
#: What a deal starts from in ``reasons.csv``: with it, rows add up to the deal's chance and money.
REFERENCE = "average_open_deal"
#: Less than this on the log-odds is no reason.
_LEAST = 0.05
#: A factor in which no open deal differs is left out of ``reasons.csv``.
_NOTHING = 1e-12
_USUAL = noop("nothing sets it apart from the average open deal")
_ALONE = noop("the only open deal: there is none to compare it with")


@dataclass(frozen=True)
class Explained:
    """Why chances are what they are.

    Attributes
    ----------
    reasons : DataFrame, one row per open deal of the snapshot, in its order
        ``reason_1`` … ``reason_3``, None where there is none (or none that is sure).
    factors : DataFrame with ``FACTOR_COLUMNS``
        Every factor of every explained deal, and the average open deal that it starts from: ``log_odds`` add up to
        those of the chance in the period, ``money`` to the amount expected in it.
    findings : list of Finding
    worded : function, optional
        Gives ``reasons`` anew.
    """

    reasons: pd.DataFrame
    factors: pd.DataFrame
    findings: list[Finding]
    worded: Callable[[], pd.DataFrame] | None = None

    def spoken(self) -> pd.DataFrame:
        """Give ``reasons`` in the language that is spoken now; they were worded in that of their making."""
        return self.reasons if self.worded is None else self.worded()


def explain(model: Any, deals: DealForecast | None, snapshot: Snapshot, period: Period) -> Explained:
    """Explain the forecast ``deals`` that ``model`` made of a snapshot.

    Parameters
    ----------
    model : FittedDeals, or anything else
        What is no deal model (a rule) gives no reasons.
    deals : DealForecast or None
    snapshot : Snapshot
        Of one day.
    period : Period
        A period that ends after the last day of ``deals`` is not explained: its chances are not in them.
    """
    nothing = Explained(_columns(snapshot), pd.DataFrame(columns=list(FACTOR_COLUMNS)), [])
    if not isinstance(model, FittedDeals) or deals is None or np.datetime64(period.end, "s") > deals.dates[-1]:
        return nothing
    expected = deals.won_between(period.start, period.end) * deals.amount
    found = contributions(model, snapshot, period, np.nan_to_num(expected))
    if found is None:
        return nothing
    amount = np.nan_to_num(deals.amount[found.rows])
    money = found.log_odds * _worth(found, amount)[:, None]
    said = Said(snapshot, period)
    factors = _factor_rows(found, money, amount, said, snapshot, period)
    worded = partial(_reasons, found, money, said, snapshot)
    return Explained(worded(), factors, _findings(found, snapshot), worded)


def _columns(snapshot: Snapshot) -> pd.DataFrame:
    return pd.DataFrame(None, index=range(len(snapshot.open)), columns=list(REASON_COLUMNS), dtype="object")


def _worth(found: Contributions, amount: np.ndarray) -> np.ndarray:
    """Money that one unit of log-odds stands for, so that contributions add up to (p − reference) × amount."""
    apart = found.log_odds.sum(axis=1)
    gained = found.p - found.reference
    slope = found.p * (1.0 - found.p)  # where nothing is apart
    far = np.abs(apart) > 1e-9
    return np.asarray(amount * np.where(far, gained / np.where(far, apart, 1.0), slope))


def _reasons(found: Contributions, money: np.ndarray, said: Said, snapshot: Snapshot) -> pd.DataFrame:
    """Word the factors that moved each deal most."""
    out = np.full((len(snapshot.open), len(REASON_COLUMNS)), None, dtype=object)
    if len(snapshot.open) == 1:
        out[0, 0] = t(_ALONE)
        return pd.DataFrame(out, columns=list(REASON_COLUMNS))
    size = np.where(found.sure, np.abs(found.log_odds), 0.0)
    order = np.argsort(-size, axis=1, kind="stable")[:, : len(REASON_COLUMNS)]
    big = np.take_along_axis(size, order, axis=1) >= _LEAST
    for f, factor in enumerate(found.factors):
        deal, place = np.nonzero((order == f) & big)
        words = said.phrases(factor, found.rows[deal])
        out[found.rows[deal], place] = [f"{w} ({short(m)})" for w, m in zip(words, money[deal, f], strict=True)]
    out[found.rows[~big.any(axis=1) & found.stable], 0] = t(_USUAL)
    return pd.DataFrame(out, columns=list(REASON_COLUMNS))


def _factor_rows(
    found: Contributions, money: np.ndarray, amount: np.ndarray, said: Said, snapshot: Snapshot, period: Period
) -> pd.DataFrame:
    ids = snapshot.labels["deal_id"].reindex(snapshot.open["deal"].to_numpy()).to_numpy()[found.rows]
    parts = [_one(REFERENCE, ids, _log_odds_of(found.reference, len(ids)), found.reference * amount, [""] * len(ids))]
    for f in np.flatnonzero((np.abs(found.log_odds) > _NOTHING).any(axis=0)):
        factor = found.factors[f]
        values = said.values(factor, found.rows)
        parts.append(_one(factor, ids, found.log_odds[:, f], money[:, f], values))
    table = pd.concat(parts).assign(as_of=snapshot.as_of, period=period.name, order=np.tile(found.rows, len(parts)))
    return table.sort_values("order", kind="stable", ignore_index=True)[list(FACTOR_COLUMNS)]


def _log_odds_of(p: float, n: int) -> np.ndarray:
    return np.full(n, np.log(p) - np.log1p(-p))


def _one(factor: str, ids: np.ndarray, log_odds: np.ndarray, money: np.ndarray, values: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"deal_id": ids, "factor": factor, "log_odds": log_odds, "money": money, "value": list(values)})


def _findings(found: Contributions, snapshot: Snapshot) -> list[Finding]:
    out, ids = [], snapshot.labels["deal_id"].reindex(snapshot.open["deal"].to_numpy()).to_numpy()
    unsure, left = found.rows[~found.stable], np.setdiff1d(np.arange(len(snapshot.open)), found.rows)
    if len(unsure):
        out.append(Finding(
            "REASONS-UNSTABLE", "info", "deals", "reason_1", len(unsure), first_examples(ids[unsure]),
            "Only factors that came out alike in two independent samples are named for these deals.",
            "Reasons of this kind of model are sampled; those of model=hazard are exact.",
        ))  # fmt: skip
    if len(left):
        out.append(Finding(
            "REASONS-FOR-SOME", "info", "deals", "reason_1", len(left), first_examples(ids[left]),
            f"The {len(found.rows)} deals with the most money expected in the period have reasons; these have none.",
            "Reasons of this kind of model are sampled; with model=hazard every deal has them.",
        ))  # fmt: skip
    return out
