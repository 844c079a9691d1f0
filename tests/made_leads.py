"""Made-up scored leads whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.leads import MISSING, LeadFeatures, ScoredLeads

LEVELS = np.array(["Staff", "Manager", "C-Level, global", '=cmd|"/c calc"!A1', MISSING], dtype=object)


def made_leads(n: int = 3000, seed: int = 0, touches: bool = True, left: float = 0.15, half_life: float = 14.0):
    """Scored leads of which pages, level, a flag and touches matter, over three years; ``p`` is the true chance."""
    rng = np.random.default_rng(seed)
    pages = rng.poisson(4, n).astype(float)
    level = rng.choice(5, n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    demo = (rng.random(n) < 0.2).astype(float)
    per = rng.poisson(1.5, n) if touches else np.zeros(n, dtype=int)
    row = np.repeat(np.arange(n), per)
    ago = rng.uniform(0, 90, len(row))
    kind = rng.choice(["called", "opened"], len(row))
    called = np.bincount(row, np.where(kind == "called", 0.5 ** (ago / half_life), 0.0), minlength=n)
    odds = -2.6 + 0.2 * np.minimum(pages, 8) + np.array([-0.5, 0.2, 1.0, 0.5, -0.3])[level] + 1.2 * demo + 1.5 * called
    chance = 1 / (1 + np.exp(-odds))
    came = rng.random(n) < chance
    day = np.sort(rng.integers(0, 1095, n))
    as_of = pd.Timestamp("2022-01-01") + pd.to_timedelta(day, unit="D")
    features = LeadFeatures(
        pd.DataFrame({"pages": np.where(rng.random(n) < 0.1, np.nan, pages), "noise": rng.standard_normal(n)}),
        pd.DataFrame({"level": LEVELS[level]}), pd.DataFrame({"demo": demo}),
        engagement=("pages", "demo"),
        touches=pd.DataFrame({"row": row, "kind": kind.astype(object), "days_ago": ago}),
    )  # fmt: skip
    young = day > 1095 - 60
    leads = pd.DataFrame({
        "lead_id": pd.Series([f"L{i}" for i in range(n)], dtype="string"), "person": np.arange(n),
        "created_at": as_of.astype("datetime64[s]"), "as_of": as_of.astype("datetime64[s]"), "age_days": 0.0,
        "p": np.where(day < 300, np.nan, chance),
        "converted_within": pd.Series(came, dtype="boolean").mask(young),
        "contacted": pd.Series(rng.random(n) >= left, dtype="boolean"),
        "segment": pd.Series(rng.choice(["EMEA", "APAC", "tiny"], n, p=[0.6, 0.395, 0.005]), dtype="string"),
        "value": np.where(came, 1000.0, np.nan),
    })  # fmt: skip
    return ScoredLeads(leads, features, days=60, last=pd.Timestamp("2024-12-31"))
