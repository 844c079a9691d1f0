"""Cells: a forecast cut by several groupings at once, in a few of its draws, so that any of its parts can be added up.

``Forecast`` has the groups of each level by itself. A reader who asks for one owner's new customers needs the owners
crossed with the deal types: this room gives that, from the same draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse

from pipeforecast.forecast import ADDENDS, Forecast, group_names
from pipeforecast.rollup import Outlook, Source, sources_of
from pipeforecast.spread import multipliers

#: Draws that are kept, and cells beyond which the smallest are put together.
KEPT, MOST_CELLS = 400, 2000
#: Group, in every grouping, of the cells that were put together.
OTHER = "(other)"


@dataclass(frozen=True)
class Cells:
    """A forecast's parts by every combination of groups that occurs.

    Attributes
    ----------
    groups : DataFrame (C rows), one column per grouping
        The group of each cell; ``OTHER`` in every column where the smallest cells were put together.
    mean : mapping of part to float array (C,)
        Expected amounts; over all cells they add up to the forecast's mean of that part.
    draws : mapping of part to float array (C, D)
        Joint draws; in each of them the cells add up to the forecast's.
    chosen : int array (D,)
        Which of the forecast's draws these are: evenly many from every range of its total, in rising order of it.
    of : int
        How many the forecast has.
    deal : int array (n,)
        Cell of each open deal, in the order of the snapshot's rows.
    """

    groups: pd.DataFrame
    mean: dict[str, np.ndarray]
    draws: dict[str, np.ndarray]
    chosen: np.ndarray
    of: int
    deal: np.ndarray


def cut(
    outlook: Outlook, made: Forecast, lead: Forecast, groupings: Sequence[str], seed: int,
    keep: int = KEPT, most: int = MOST_CELLS,
) -> Cells:  # fmt: skip
    """Cut a forecast into cells.

    Parameters
    ----------
    outlook : Outlook
        What the forecast was rolled up from.
    made : Forecast
        As it was drawn from ``outlook`` with ``seed``.
    lead : Forecast
        The same with its spread and mean as they are told: the cells add up to this one.
    groupings : sequence of str
        Columns that deals are grouped by.
    seed : int
    keep, most : int
        Draws that are kept, and cells.

    Returns
    -------
    Cells
        Where there are more than ``most``, those with the largest means stay, the others become one.
    """
    total = lead.draw()
    parts = [s for s in sources_of(outlook, len(total), seed, made.open_draws)[1] if s.part in ADDENDS]
    groups, codes = _coded([*(s.rows for s in parts), outlook.snapshot.open], groupings)
    size = sum((_mean(s, code, len(groups)) for s, code in zip(parts, codes, strict=False)), np.zeros(len(groups)))
    groups, place = _largest(groups, size, most)
    codes = [place[c] for c in codes]
    chosen = spread_evenly(total, keep)
    times = multipliers(made.draw(), made.value("won"), total)[chosen]
    scale = _scale(made, lead)
    mean, draws = ({part: np.zeros(shape) for part in ADDENDS} for shape in (len(groups), (len(groups), len(chosen))))
    for source, code in zip(parts, codes, strict=False):
        sure = source.part == "won"
        mean[source.part] += _mean(source, code, len(groups)) * (1.0 if sure else scale)
        draws[source.part] += _drawn(source, code, len(groups), chosen) * (1.0 if sure else times)
    return Cells(groups, mean, draws, chosen, len(total), codes[-1])


def spread_evenly(total: np.ndarray, keep: int) -> np.ndarray:
    """Choose ``keep`` of the draws (D,) of a total so that their quantiles are nearly those of all; rising by total."""
    order = np.argsort(total, kind="stable")
    if keep >= len(order):
        return order
    return np.asarray(order[((np.arange(keep) + 0.5) * len(order) / keep).astype(int)])


def _coded(tables: Sequence[pd.DataFrame], groupings: Sequence[str]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Number the combinations of groups that occur, and say which one each row of each table is of."""
    named = [pd.DataFrame({g: group_names(t, g) for g in groupings}, index=range(len(t))) for t in tables]
    every = pd.concat(named, ignore_index=True)
    if not groupings:
        return pd.DataFrame(index=range(1)), [np.zeros(len(t), dtype=int) for t in tables]
    code = every.groupby(list(groupings), sort=True).ngroup().to_numpy()
    groups = every.assign(code=code).drop_duplicates("code").sort_values("code").drop(columns="code")
    ends = np.cumsum([len(t) for t in tables])[:-1]
    return groups.reset_index(drop=True), np.split(code, ends)


def _largest(groups: pd.DataFrame, mean: np.ndarray, most: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Keep the cells with the largest means; the others become the last one. Second: the new place of each."""
    if len(groups) <= most:
        return groups, np.arange(len(groups))
    stays = np.sort(np.argsort(-mean, kind="stable")[: most - 1])
    place = np.full(len(groups), most - 1)
    place[stays] = np.arange(most - 1)
    rest = pd.DataFrame([dict.fromkeys(groups, OTHER)])
    return pd.concat([groups.iloc[stays], rest], ignore_index=True), place


def _scale(made: Forecast, lead: Forecast) -> float:
    """By how much the mean of what is to come was changed."""
    won = made.value("won")
    to_come = made.value() - won
    return (lead.value() - won) / to_come if to_come > 0 else 1.0


def _mean(source: Source, code: np.ndarray, cells: int) -> np.ndarray:
    return np.bincount(code, weights=source.mean, minlength=cells)


def _drawn(source: Source, code: np.ndarray, cells: int, chosen: np.ndarray) -> np.ndarray:
    if isinstance(source.amounts, np.ndarray):  # certain: the same in every draw
        return np.bincount(code, weights=source.amounts, minlength=cells)[:, None]
    member = scipy.sparse.csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))), shape=(cells, len(code)))
    return np.asarray((member @ source.amounts[:, chosen]).todense())
