"""Whether the threshold that earlier leads choose brings on later ones what it promised, and how near the best is."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import studies

from pipeforecast.leads import ScoredLeads
from pipeforecast.thresholds import ALL, Asked, Terms, studied
from pipeforecast.thresholds.curve import best_at, curve, cuts_of, priced

#: A contact pays where about so large a share converts, in multiples of the leads' own share.
PAYS = (0.5, 1.0, 2.0)


def rows(name: str, scored: ScoredLeads) -> list[dict]:
    """Choose on the earlier half of the judged leads, judge on the later half; net per hundred leads."""
    out = []
    share = float(scored.leads["converted_within"].fillna(False)[scored.judged].mean())
    for pays in PAYS:
        terms = Terms(pays * share, 1.0)
        made = studied(scored, Asked(terms))
        for scale in ("p", "points"):
            leads = made.leads[scale][ALL]
            early = np.arange(len(leads.score)) < len(leads.score) // 2
            then, later = (leads.rows(keep) for keep in (early, ~early))
            before = priced(curve(then, cuts_of(then.score, scale)), terms)
            chosen = before.iloc[best_at(before, terms)]
            got = priced(curve(later, np.array([chosen["threshold"]])), terms).iloc[0]
            own = priced(curve(later, cuts_of(later.score, scale)), terms)
            best = own.iloc[best_at(own, terms)]
            nets = [
                100 * r["net"] / share / n
                for r, n in ((chosen, early.sum()), (got, (~early).sum()), (best, (~early).sum()))
            ]
            everybody = 100 * (later.as_contacted.sum() - terms.cost * len(later.score)) / share / len(later.score)
            out.append({
                "leads": name, "pays_from": pays, "by": scale, "threshold": chosen["threshold"],
                "handed_then": chosen["leads"] / early.sum(), "handed_later": got["leads"] / (~early).sum(),
                "precision_then": chosen["precision"], "precision_later": got["precision"], "promised": nets[0],
                "got": nets[1], "best_in_hindsight": nets[2], "everybody": everybody,
            })  # fmt: skip
    return out


def main(deals: int, seeds: list[int], every: int, write: bool) -> None:
    out: list[dict] = []
    for name, scored in studies.all_of_them(deals, seeds, every):
        # What was done by nobody is what it is: a lead left is taken for contacted, so that the truth is known.
        contacted = pd.array([True] * len(scored.leads), dtype="boolean")
        out += rows(name, replace(scored, leads=scored.leads.assign(contacted=contacted)))
        print(pd.DataFrame(out).round(3).to_string(index=False), flush=True)
    if write:
        pd.DataFrame(out).to_csv(Path(__file__).with_name("thresholds.csv"), index=False, float_format="%.5g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    if small:
        main(700, [0], 20, False)
    else:
        main(5000, [0], 1, True)
