"""Any metric over time: change against the period before and the year before, campaigns, seasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.forecast import TOTAL
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.periods import AFTER, BEFORE, CAMPAIGN, DIFFERENCE, shifted
from pipeforecast.metrics.told import IMMATURE, OK, UNDEFINED
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


def with_changes(
    table: pd.DataFrame, windows: Sequence[Window], calendar: FiscalCalendar, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Keep the rows of ``windows`` and add ``change`` and ``change_year``: value less that of the earlier period.

    Parameters
    ----------
    table : DataFrame
        As of ``told``, of ``looked_back(windows)``.

    Notes
    -----
    What still grows in a period that is running (counts, sums) is not compared with a whole one: its change is null.
    What is seen on one evening is compared.
    """
    earlier = {w.name: pair for w in windows if (pair := shifted(w, calendar)) is not None}
    out = table[table["period"].isin([w.name for w in windows]).to_numpy()].reset_index(drop=True)
    cell = _numbered(table, _CELL)
    mine = cell[table["period"].isin([w.name for w in windows]).to_numpy()]
    for column, which in (("change", 0), ("change_year", 1)):
        before = out["period"].map({name: pair[which].name for name, pair in earlier.items()})
        out[column] = out["value"].to_numpy() - _looked_up(table, cell, mine, before)
    running = out["period"].isin([w.name for w in windows if w.end > as_of]).to_numpy()
    out.loc[running & out["metric"].isin(_growing(table)).to_numpy(), ["change", "change_year"]] = np.nan
    return out


def _numbered(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Number the rows by what stands in ``columns`` (strings are slow to join by)."""
    out = np.zeros(len(table), dtype="int64")
    for column in columns:
        code, names = pd.factorize(table[column])
        out = out * (len(names) + 1) + code
    return out


def _looked_up(table: pd.DataFrame, cell: np.ndarray, asked: np.ndarray, period: pd.Series) -> np.ndarray:
    """Value of each asked cell in its ``period``, NaN where there is none."""
    code, names = pd.factorize(table["period"])
    wanted = pd.Index(names).get_indexer(pd.Index(period))
    size = len(names) + 1
    place = pd.Index(cell * size + code).get_indexer(pd.Index(asked * size + np.where(wanted < 0, len(names), wanted)))
    found = table["value"].to_numpy(dtype="float64")[np.maximum(place, 0)]
    return np.where(place < 0, np.nan, found)


def _growing(table: pd.DataFrame) -> set[str]:
    from pipeforecast.metrics.catalogue import CATALOGUE

    told = [CATALOGUE[m] for m in table["metric"].unique() if m in CATALOGUE]
    return {m.name for m in told if (m.additive or m.grows) and m.clock != "as of"}


def with_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Add a row for the difference of each campaign's two sides (after less before), with a 95 % interval.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, method 10; for other values than proportions Zou and Donner (2008),
    Statistics in Medicine 27: the bounds of a difference from those of its two sides.
    """
    sides = [p for p in table["period"].unique() if p.startswith(CAMPAIGN) and p.endswith(f" {BEFORE}")]
    campaigns = [p.removesuffix(f" {BEFORE}") for p in sides]
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
    rows = table[((table["by"] == TOTAL) & table["period"].isin(over) & table["metric"].isin(adding)).to_numpy()]
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
