"""The stages: which are won and lost, and in which order deals have gone through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.contract import LOST, OPEN, WON
from pipeforecast.propose.words import status_of

_MOST = 200


@dataclass(frozen=True)
class Order:
    """Stages in an order, and what it rests on: moves seen between them, and how many of these go forward."""

    stages: tuple[str, ...]
    moves: int
    forward: float


def kinds_of(stage: pd.Series, status: pd.Series | None) -> dict[str, str]:
    """Tell of each stage whether it is open, won or lost: by its name, else by what all its deals are."""
    names = [s for s in stage.drop_duplicates() if s]
    out = {name: status_of(name) or OPEN for name in names}
    if status is not None:
        told = pd.DataFrame({"stage": stage.to_numpy(), "status": status.to_numpy()})
        for label, part in told.groupby("stage")["status"]:
            one = str(part.iloc[0])
            if out.get(str(label)) == OPEN and one in (WON, LOST) and len(part) >= 20 and bool((part == one).all()):
                out[str(label)] = one
    return out


def order_seen(deal: pd.Series, at: pd.Series, stage: pd.Series) -> Order | None:
    """Order stages by which deals entered first; None where no deal was seen in two of them.

    A stage comes before another if more deals entered it first than the other way round; stages that win more such
    comparisons stand further in front (Copeland's rule), so that a few steps back do not turn the order.
    """
    log = pd.DataFrame({"deal": deal.to_numpy(), "at": at.to_numpy(), "stage": stage.to_numpy()})
    log = log[(log["stage"] != "") & log["at"].notna()].sort_values(["deal", "at"], kind="stable")
    log = log.drop_duplicates(["deal", "stage"])
    names = list(dict.fromkeys(log["stage"]))
    if not 2 <= len(names) <= _MOST:
        return None
    log["rank"] = log.groupby("deal").cumcount()
    wide = log.pivot_table(index="deal", columns="stage", values="rank")[names].to_numpy(dtype="float64")
    first = np.array([[int((wide[:, a] < wide[:, b]).sum()) for b in range(len(names))] for a in range(len(names))])
    if not first.any():
        return None
    score = np.sign(first - first.T).sum(axis=1)
    mean = np.nan_to_num(np.nanmean(wide, axis=0), nan=99.0)
    order = sorted(range(len(names)), key=lambda i: (-score[i], mean[i], names[i]))
    ahead = sum(first[a, b] for i, a in enumerate(order) for b in order[i + 1 :])
    return Order(tuple(names[i] for i in order), int(first.sum()), float(ahead / first.sum()))
