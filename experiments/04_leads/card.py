"""What a points card of few rows keeps of the full model, out of fold; and what a shorter one keeps."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import studies

from pipeforecast.leads import ScoredLeads
from pipeforecast.points import CardRecipe, out_of_fold
from pipeforecast.thresholds.against import against_model


def row(name: str, scored: ScoredLeads, most: int) -> dict:
    recipe = CardRecipe(most)
    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    came = scored.leads["converted_within"].fillna(False).to_numpy(dtype=float)
    card = recipe.learn(scored.features.rows(known), came[known])
    found = out_of_fold(scored, recipe)
    use = scored.judged & found.known
    p = scored.leads["p"].to_numpy(dtype=float)
    against = against_model(came[use], p[use], found.chance[use], found.base[use])
    half = card.half_life if card.half_life is not None else np.nan
    return {
        "leads": name, "most_rows": most, "rows": len(card.rows), "half_life": half, **asdict(against),
        "kept_auc": against.kept_auc, "kept_loss": against.kept_loss,
    }  # fmt: skip


def main(deals: int, seeds: list[int], every: int, rows: list[int], write: bool) -> None:
    out = []
    for name, scored in studies.all_of_them(deals, seeds, every):
        out += [row(name, scored, most) for most in rows]
        print(pd.DataFrame(out).round(4).to_string(index=False), flush=True)
    if write:
        pd.DataFrame(out).to_csv(Path(__file__).with_name("card.csv"), index=False, float_format="%.5g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    if small:
        main(400, [], 1, [15], False)
    else:
        main(5000, [0], 1, [15, 8], True)
