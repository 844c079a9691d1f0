"""Rows of the files that a study writes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeforecast.points import SavedThreshold
from pipeforecast.thresholds.explore import proposal
from pipeforecast.thresholds.study import ALL, Study

COLUMNS = (
    "segment", "threshold", "leads", "leads_per_week", "precision", "precision_lower", "precision_upper", "recall",
    "missed", "cost", "value", "net", "best", "scale", "step", "current", "uncontacted", "conversions",
    "conversions_lower", "missed_upper", "value_lower", "net_lower", "basis",
)  # fmt: skip


def threshold_rows(studies: Sequence[Study]) -> pd.DataFrame:
    """Give the rows of ``thresholds.csv``: every threshold of every step, scale and segment."""
    parts = [
        _with_rule(s).assign(step=s.scored.step, basis="explored" if s.explored else "association")[list(COLUMNS)]
        for s in studies
    ]
    return pd.concat(parts, ignore_index=True)


def _with_rule(made: Study) -> pd.DataFrame:
    return made.table if made.rule.empty else pd.concat([made.table, made.rule], ignore_index=True)


def history_rows(studies: Sequence[Study]) -> pd.DataFrame:
    """Give the rows of ``threshold_history.csv``."""
    parts = [s.past.assign(step=s.scored.step, scale=s.asked.scale) for s in studies]
    return pd.concat(parts, ignore_index=True)


def cuts_of_leads(made: Study, segment: np.ndarray) -> np.ndarray:
    """Give each lead's threshold: that of its segment, else of all, as float (n,)."""
    own = pd.Series(segment, dtype="object").map({k: v for k, v in made.threshold.items() if k != ALL})
    return own.astype("float64").fillna(made.threshold[ALL]).to_numpy()


def explore_rows(made: Study, share: float) -> pd.DataFrame:
    """Give the rows of ``explore.csv``: young leads below their threshold that are drawn at random."""
    leads = made.scored.leads
    score = leads["p"].to_numpy(dtype=float) if made.asked.scale == "p" else made.oof.points(made.card)
    open_ = leads["converted_within"].isna().to_numpy(dtype=bool) & ~np.isnan(score)
    cut = cuts_of_leads(made, leads["segment"].astype("object").where(leads["segment"].notna(), None).to_numpy())
    return proposal(leads[open_], score[open_], cut[open_], made.asked.scale, share, made.asked.seed)


def saved_of(made: Study, told: dict[str, object]) -> SavedThreshold:
    """Give the settings that ``score`` uses."""
    return SavedThreshold(
        card=made.card, grades=made.grades, scale=made.asked.scale, threshold=made.threshold[ALL],
        segments={k: v for k, v in made.threshold.items() if k != ALL}, step=made.scored.step, days=made.scored.days,
        told=told,
    )  # fmt: skip
