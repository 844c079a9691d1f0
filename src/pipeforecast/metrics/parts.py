"""Parts of a metric (one set of values for each source), and groupings that several tables have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from pipeforecast.forecast import group_names
from pipeforecast.metrics.facts import Chosen, Facts
from pipeforecast.metrics.values import Values
from pipeforecast.metrics.view import View

#: So many parts at most stand for themselves; the rest, those with the fewest rows, are one.
MOST_PARTS = 20
OTHERS = "(others)"


def part_names(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Name the part of each row (n,): its value, ``(none)``, or ``(others)`` where it is not among the commonest."""
    names = group_names(rows, column)
    code, found = pd.factorize(names)
    n = np.bincount(code, minlength=len(found))
    order = np.lexsort((found, -n))
    found = np.array(found, dtype=object)
    found[order[MOST_PARTS:]] = OTHERS
    return np.asarray(found[code]) if len(found) else names


def by_part(chosen: Chosen, column: str, told: Callable[[Chosen], Values]) -> Mapping[str, Values]:
    """Tell something of the chosen rows of every part, in alphabetical order."""
    names = part_names(chosen.facts.rows, column)
    return {str(name): told(chosen.where(names == name)) for name in sorted(set(names))}


def in_all(view: View, *tables: Facts) -> np.ndarray:
    """Whether all of these tables have each group's grouping (G,)."""
    there = np.ones(len(view.groups.by), dtype=bool)
    for facts in tables:
        if len(facts.rows):
            there &= facts.codes[:, 0] < len(view.groups)
    return np.repeat(there, [len(groups) for groups in view.groups.names.values()])
