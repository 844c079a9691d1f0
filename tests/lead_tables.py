"""Small made-up tables of leads, and the ways in which a later day may rewrite them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import conform

BIRTH = ("lead_source", "employees")
STEPS = ("mql_at", "srl_at", "sql_at", "converted_at", "disqualified_at", "first_response_at")


def made(n: int = 60, seed: int = 0, start: str = "2024-01-01", span: int = 200) -> dict[str, pd.DataFrame]:
    """Leads with days of their steps, a status log and touches; better sources convert more."""
    rng = np.random.default_rng(seed)
    created = np.datetime64(start, "s") + (rng.integers(0, span, n) * 86_400).astype("timedelta64[s]")
    source = rng.choice(["Web", "Event", "Partner"], n)
    good = rng.random(n) < np.where(source == "Partner", 0.6, 0.15)
    leads = pd.DataFrame({
        "lead_id": [f"L{i}" for i in range(n)], "person_key": [f"p{i // 2}" for i in range(n)], "created_at": created,
        "lead_source": source, "employees": np.round(np.exp(rng.normal(4, 1, n))), "pages": rng.poisson(3, n),
    })  # fmt: skip
    day = created
    for name, share in zip(STEPS[:4], (0.8, 0.6, 0.9, 1.0), strict=True):
        day = day + (rng.integers(0, 20, n) * 86_400).astype("timedelta64[s]")
        leads[name] = np.where(
            good | (rng.random(n) < share * (name != "converted_at") * 0.5), day, np.datetime64("NaT")
        )
    leads["disqualified_at"] = np.where(~good & (rng.random(n) < 0.5), day, np.datetime64("NaT"))
    leads["first_response_at"] = np.where(
        rng.random(n) < 0.7, created + np.timedelta64(86_400, "s"), np.datetime64("NaT")
    )
    log = pd.concat([
        pd.DataFrame({"lead_id": leads["lead_id"], "changed_at": leads[c] + pd.Timedelta(hours=9), "field": "status",
                      "value": c.removesuffix("_at").upper() + " reached"})
        for c in STEPS[:4]
    ]).dropna()  # fmt: skip
    many = rng.integers(0, n, 3 * n)
    touches = pd.DataFrame({
        "lead_id": leads["lead_id"].to_numpy()[many], "kind": rng.choice(["sent", "called", "clicked"], 3 * n),
        "at": created[many] + (rng.random(3 * n) * 40 * 86_400).astype("timedelta64[s]"),
    })  # fmt: skip
    return {
        "leads": conform(leads, "leads"), "lead_changes": conform(log, "lead_changes"),
        "touches": conform(touches, "touches"),
    }  # fmt: skip


def rewritten(
    tables: dict[str, pd.DataFrame], as_of: pd.Timestamp, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Change all that was written after ``as_of``: other days, none, other values, more rows, more leads."""
    evening = as_of + pd.Timedelta(days=1)
    leads = tables["leads"].copy()
    for name in STEPS:
        later = ~(leads[name] < evening).to_numpy()
        days = evening + pd.to_timedelta(rng.integers(0, 300, len(leads)), unit="D")
        drawn = pd.Series(days.where(rng.random(len(leads)) < 0.5), index=leads.index).astype("datetime64[s]")
        leads[name] = leads[name].where(~later, drawn)
    more = made(7, int(rng.integers(1 << 30)), str(evening.date()))["leads"]
    more["lead_id"] = "N" + more["lead_id"]
    out = {"leads": conform(pd.concat([leads, more], ignore_index=True), "leads")}
    for name, at in (("lead_changes", "changed_at"), ("touches", "at")):
        table = tables[name]
        known = table[(table[at] < evening).to_numpy()]
        new = table.sample(20, replace=True, random_state=int(rng.integers(1 << 30)))
        new = new.assign(**{at: evening + pd.to_timedelta(rng.integers(0, 10**7, 20), unit="s")})
        if name == "lead_changes":
            new["value"] = "Something later"
        out[name] = conform(pd.concat([known, new], ignore_index=True), name)
    return out
