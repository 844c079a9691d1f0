"""What do the audit's flags cost, from which threshold on, and do their win rates come true? See README.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import CALENDAR, history_of

from pipeforecast.audit import Asked, Audit, audit_of
from pipeforecast.contract import OPEN, WON
from pipeforecast.demo import make_company
from pipeforecast.history import DealHistory
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings

THRESHOLDS = {"pushes": (1, 2, 3, 4, 6), "silent_days": (7, 14, 21, 30, 45, 60), "stage_share": (0.5, 0.75, 0.9, 0.95)}
FLAG_OF = {"pushes": "pushed", "silent_days": "no_activity", "stage_share": "long_in_stage"}
#: How long deals are watched after the audit to see whether their flags' win rates came true.
YEAR = pd.Timedelta(days=365)


def audited(history: DealHistory, as_of: pd.Timestamp, **flags: float) -> Audit:
    """Audit one evening."""
    asked = Asked(FlagSettings(**flags), PastSettings(), ReviewSettings(), CriteriaSettings())  # type: ignore[arg-type]
    return audit_of(history.known_by(as_of), CALENDAR, as_of, asked, as_of >= history.written_until)


def companies(n_deals: int, seeds: range, kinds: tuple[str, ...]) -> Iterator[tuple[str, int, DealHistory]]:
    """Make companies and read their exports."""
    for kind in kinds:
        for seed in seeds:
            yield kind, seed, history_of(make_company(n_deals=n_deals, seed=seed, kind=kind))


def by_threshold(history: DealHistory) -> pd.DataFrame:
    """Each flag at each of its thresholds: how many open deals have it, and what it costs."""
    rows = []
    for name, values in THRESHOLDS.items():
        for value in values:
            flags = audited(history, history.written_until, **{name: value}).flags.set_index("flag")
            row = flags.loc[FLAG_OF[name]]
            rows.append({"flag": FLAG_OF[name], "threshold": value, **row[
                ["share", "n", "win_rate", "win_rate_without", "win_rate_same_stage"]]})  # fmt: skip
    return pd.DataFrame(rows)


def came_true(history: DealHistory) -> pd.DataFrame:
    """Audit a year before the end, then count what its flagged open deals became: of those closed since."""
    then = history.written_until.normalize() - YEAR
    made = audited(history, then)
    ids = history.deals["deal_id"].astype(str)
    status = history.latest()["status"].set_axis(ids.loc[history.latest().index].to_numpy())
    rows = []
    for flag, own in made.deal_flags.groupby("flag"):
        ended = status.reindex(own["deal_id"].astype(str))
        closed = ended[(ended != OPEN).to_numpy()]
        said = own.iloc[0]
        rows.append({"flag": flag, "said": said["flag_win_rate"], "year_said": said["year_share"],
                     "closed": len(closed), "won": int((closed == WON).sum()), "deals": len(ended)})  # fmt: skip
    return pd.DataFrame(rows)


def pooled(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Mean over companies of each threshold's figures, deals weighing the rates."""
    rows = []
    for (flag, threshold), own in pd.concat(tables).groupby(["flag", "threshold"], sort=False):
        weight = own["n"].astype(float).clip(lower=1e-9)
        rates = {c: float(np.average(own[c].astype(float).fillna(0), weights=weight))
                 for c in ("win_rate", "win_rate_without", "win_rate_same_stage")}  # fmt: skip
        rows.append({"flag": flag, "threshold": threshold, "share": own["share"].astype(float).mean(),
                     "n": int(own["n"].sum()), **rates,
                     "cost": rates["win_rate_same_stage"] - rates["win_rate"]})  # fmt: skip
    return pd.DataFrame(rows)


def summed(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Stated and actual win rates over all companies: of the closed, and of all that were open with the flag."""
    rows = []
    for flag, own in pd.concat(tables).groupby("flag", sort=False):
        known = own.dropna(subset=["said", "year_said"])
        sums = known[["won", "closed", "deals"]].sum()
        if not sums["closed"]:
            continue
        row = {"flag": flag}
        for said, below in (("said", "closed"), ("year_said", "deals")):
            low, high = proportion_confint(int(sums["won"]), int(sums[below]), method="wilson")
            row |= {said: float(np.average(known[said].astype(float), weights=known[below].clip(lower=1e-9))),
                    f"{said}_came": sums["won"] / sums[below], f"{said}_lower": low, f"{said}_upper": high,
                    below: int(sums[below])}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure both over made-up companies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/what_flags_cost"))
    parser.add_argument("--deals", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--small", action="store_true", help="one company of 800 deals")
    told = parser.parse_args()
    deals, seeds = (800, 1) if told.small else (told.deals, told.seeds)
    kinds = ("standard",) if told.small else ("standard", "other")
    told.out.mkdir(parents=True, exist_ok=True)
    thresholds, outcomes = [], []
    for kind, seed, history in companies(deals, range(31, 31 + seeds), kinds):
        print(kind, seed, flush=True)
        thresholds.append(by_threshold(history))
        outcomes.append(came_true(history))
    for name, table in (("thresholds", pooled(thresholds)), ("came_true", summed(outcomes))):
        table.to_csv(told.out / f"{name}.csv", index=False, float_format="%.4f")
        print(table.to_string(index=False, float_format="%.3f"), end="\n\n")


if __name__ == "__main__":
    main()
