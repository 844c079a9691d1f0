"""Whether the threshold that earlier leads choose brings on later ones what it promised, and how near the best is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import studies

from pipeforecast.leads import ScoredLeads
from pipeforecast.thresholds import ALL, SCALES, Asked, Terms, studied
from pipeforecast.thresholds.curve import best_at, curve, cuts_of, priced

#: A contact pays where about so large a share converts, in multiples of the leads' own share.
PAYS = (0.5, 1.0, 2.0)


def rows(name: str, scored: ScoredLeads) -> list[dict]:
    """Choose on the earlier half of the judged leads, judge on the later half; net per hundred leads."""
    out = []
    share = float(scored.leads["converted_within"].fillna(False)[scored.judged].mean())
    made = studied(scored, Asked(Terms(share, 1.0)))
    for scale in SCALES:
        leads = made.leads[scale][ALL]
        half, n = len(leads.score) // 2, len(leads.score) - len(leads.score) // 2
        then, later = leads.rows(np.arange(half)), leads.rows(np.arange(half, half + n))
        for pays in PAYS:
            terms = Terms(pays * share, 1.0)
            chosen = best_of(priced(curve(then, cuts_of(then.score, scale)), terms), terms)
            got = priced(curve(later, np.array([chosen["threshold"]])), terms).iloc[0]
            best = best_of(priced(curve(later, cuts_of(later.score, scale)), terms), terms)
            unit = 100 / share
            out.append({
                "leads": name, "pays_from": pays, "by": scale, "n_later": n, "threshold": chosen["threshold"],
                "handed_then": chosen["leads"] / half, "handed_later": got["leads"] / n,
                "precision_then": chosen["precision"], "precision_later": got["precision"],
                "promised": unit * chosen["net"] / half, "got": unit * got["net"] / n,
                "best_in_hindsight": unit * best["net"] / n,
                "everybody": unit * (later.came.sum() - terms.cost * n) / n,
            })  # fmt: skip
    return out


def best_of(table: pd.DataFrame, terms: Terms) -> pd.Series:
    return table.iloc[best_at(table, terms)]


def all_contacted(name: str, scored: ScoredLeads) -> list[dict]:
    """Rows where a lead that nobody turned to is taken for contacted, so that the truth is known of all."""
    contacted = pd.array([True] * len(scored.leads), dtype="boolean")
    return rows(name, replace(scored, leads=scored.leads.assign(contacted=contacted)))


if __name__ == "__main__":
    studies.asked(__doc__, all_contacted, Path(__file__).with_name("thresholds.csv"))
