"""Any metric over time: change against the period before and the year before, campaigns, seasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.periods import AFTER, BEFORE, CAMPAIGN, DIFFERENCE, shifted
from pipeforecast.metrics.told import IMMATURE, OK, UNDEFINED, Look, plain
from pipeforecast.metrics.windows import Window

_CELL = ["metric", "part", "by", "group"]
#: Fewest whole years of which a season is told.
_FEWEST_YEARS = 2
SEASON_COLUMNS = ("metric", "part", "season", "index", "years")


def looked_back(windows: Sequence[Window], calendar: FiscalCalendar) -> list[Window]:
    """Add to windows the periods before them and a year before that they are compared with."""
    named = {w.name: w for w in windows}
    for window in windows:
        named |= {w.name: w for w in shifted(window, calendar) or () if w.name not in named}
    return sorted(named.values(), key=lambda w: (w.start, w.end))


def looks(
    windows: Sequence[Window], every: Sequence[Window], calendar: FiscalCalendar, as_of: pd.Timestamp
) -> list[Look]:
    """Say what is told of ``every`` window: rows of ``windows`` with their changes, and totals of all for the seasons.

    Parameters
    ----------
    every : sequence of Window
        As of ``looked_back(windows, calendar)``.

    Notes
    -----
    What still grows in a period that is running (counts, sums) is not compared with a whole one: its change is null.
    What is seen on one evening is compared.
    """
    place = {w.name: i for i, w in enumerate(every)}
    asked = {w.name for w in windows}
    told = [w for w in every if w.name in asked]
    pairs = [shifted(w, calendar) for w in told]
    earlier = [[place.get(w.name, -1) for w in pair] if pair is not None else [-1, -1] for pair in pairs]
    own = np.array([place[w.name] for w in told])
    running = np.array([w.end > as_of for w in told])
    return [Look(own, False, np.array(earlier), running), Look(np.arange(len(every)), totals=True)]


def with_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Add a row for the difference of each campaign's two sides (after less before), with a 95 % interval.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, method 10; for other values than proportions Zou and Donner (2008),
    Statistics in Medicine 27: the bounds of a difference from those of its two sides.
    """
    sides = [p for p in table["period"].cat.categories if p.startswith(CAMPAIGN) and p.endswith(f" {BEFORE}")]
    campaigns = [p.removesuffix(f" {BEFORE}") for p in sides]
    if not campaigns:
        return table
    table = plain(table)
    return pd.concat([table, *(_difference(table, c) for c in campaigns)], ignore_index=True)


def _difference(table: pd.DataFrame, campaign: str) -> pd.DataFrame:
    sides = [table[(table["period"] == f"{campaign} {side}").to_numpy()] for side in (BEFORE, AFTER)]
    both = sides[1].merge(sides[0], on=_CELL, suffixes=("", "_before"))
    after, before = both["value"], both["value_before"]
    low, high = (both[shown].fillna(both[hidden]) for shown, hidden in (("lower", "low"), ("upper", "high")))
    low_b, high_b = (both[f"{a}_before"].fillna(both[f"{b}_before"]) for a, b in (("lower", "low"), ("upper", "high")))
    gap = after - before
    return both.assign(
        period=f"{campaign} {DIFFERENCE}",
        value=gap,
        n=both["n"] + both["n_before"],
        lower=gap - np.sqrt((after - low) ** 2 + (high_b - before) ** 2),
        upper=gap + np.sqrt((high - after) ** 2 + (before - low_b) ** 2),
        status=both["status"].mask(both["status"].isin([OK, IMMATURE]) & gap.isna(), UNDEFINED),
    )[list(table.columns)]


def seasons(
    table: pd.DataFrame,
    windows: Sequence[Window],
    metrics: Mapping[str, Metric],
    since: pd.Timestamp,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """Say how much of a year falls into each of its periods, against an even spread.

    Returns
    -------
    DataFrame
        ``SEASON_COLUMNS``: of totals of metrics that add up, over fiscal years whose periods are all there, over and
        held whole (since the first deal);
        ``index`` is the mean over ``years`` of value ÷ mean of its year. Without two such years nothing.
    """
    over = {w.name for w in windows if w.end <= as_of and w.start + pd.Timedelta(days=w.days // 10) >= since}
    adding = [m for m, declared in metrics.items() if declared.additive and declared.clock != "as of"]
    told = (table["by"] == TOTAL) & table["period"].isin(over) & table["metric"].isin(adding)
    rows = plain(table[told.to_numpy()])
    name = rows["period"].str.extract(r"^(\d{4})([QM]\d+)$")
    rows = rows.assign(year=name[0], season=name[1]).dropna(subset=["season", "value"])
    if rows.empty:
        return pd.DataFrame(columns=list(SEASON_COLUMNS))
    of_year = rows.groupby(["metric", "part", "year", rows["season"].str[0]])["value"]
    whole = of_year.transform("size") == rows["season"].str[0].map({"Q": 4, "M": 12})
    mean = of_year.transform("mean")
    rows = rows.assign(index=rows["value"] / mean.where(mean > 0))[whole.to_numpy()]
    found = rows.groupby(["metric", "part", "season"], sort=False)["index"].agg(["mean", "count"]).reset_index()
    found = found.rename(columns={"mean": "index", "count": "years"})
    return found[(found["years"] >= _FEWEST_YEARS).to_numpy()][list(SEASON_COLUMNS)].reset_index(drop=True)
