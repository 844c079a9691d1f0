"""What a points card of few rows keeps of the full model, out of fold; and what a shorter one keeps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import studies

from pipeforecast.leads import ScoredLeads
from pipeforecast.points import CardRecipe, out_of_fold
from pipeforecast.thresholds.against import against_model

#: Lengths of card that are compared.
MOST_ROWS = (15, 8)


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


def rows(name: str, scored: ScoredLeads) -> list[dict]:
    return [row(name, scored, most) for most in MOST_ROWS]


if __name__ == "__main__":
    studies.asked(__doc__, rows, Path(__file__).with_name("card.csv"))
