"""Whether a person closes above or below own calls, told only where chance and the number of people do not explain it.

Calls are added up and judged in money, so that a person is fair whose calls and closings agree in the long run: the
ratio is Σ actual ÷ Σ call. The mean of logs would call a fair caller of skewed deals an optimist, the mean of ratios
lets one small call speak for all, and neither survives a period in which nothing closed. Each period is one
observation, however often it was called, and half a period more that came true as called keeps a ratio of nought
within reach. Ends are taken on the log of the ratio, where a few large deals skew least.
"""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
import pandas as pd

from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.people.called import called_and_closed
from pipeforecast.people.words import FEWEST_PERIODS, bias_words

COLUMNS = ("person", "layer", "n_periods", "n_calls", "bias", "lower", "upper", "flagged", "words")
_HALF = 0.5
#: Of a person's own few periods and those of the layer, for how uneven revenue is: so many periods of the layer.
_SPREAD_PERIODS = 10
#: People are taken to differ by so much (sd of the log ratio) at the least, however alike few of them look.
_LEAST_BETWEEN = 0.2


def biases(history: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp, level: float = 0.9) -> pd.DataFrame:
    """Tell for each person who calls whether they close above or below own calls, as known on the evening of ``as_of``.

    Parameters
    ----------
    history : DealHistory
        May know more: only periods complete by ``as_of``, calls made and deals written by then are used.
    level : float
        Probability with which all intervals of a layer hold together.

    Returns
    -------
    DataFrame
        As ``judged`` gives it.
    """
    return judged(called_and_closed(history, calendar, as_of), level)


def judged(table: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Judge calls beside what came true, layer by layer.

    Parameters
    ----------
    table : DataFrame
        As ``called_and_closed`` gives it.
    level : float
        Probability with which all intervals of a layer hold together (Šidák).

    Returns
    -------
    DataFrame, one row per layer and person
        ``person``, ``layer``, ``n_periods``, ``n_calls``; ``bias``, Σ actual ÷ Σ call − 1, shrunk towards the layer's
        mean by empirical Bayes; ``lower``, ``upper``, corrected for the number of people of the layer; ``flagged``
        where they exclude 0; ``words``. NaN where fewer than ``FEWEST_PERIODS`` periods can be judged.

    References
    ----------
    DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986: the variance between
    people by the method of moments. Smyth, "Linear models and empirical Bayes methods", SAGMB 3, 2004: a person's own
    variance is pulled towards the layer's.
    """
    found = [_layer(str(name), rows, level) for name, rows in table.groupby("layer", sort=False)]
    out = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))
    return out[list(COLUMNS)]


def _layer(name: str, table: pd.DataFrame, level: float) -> pd.DataFrame:
    known = table[table["actual"].notna().to_numpy()]
    by = known.groupby("person")
    out = pd.DataFrame({"layer": name, "n_periods": by.size(), "n_calls": by["n_calls"].sum()})
    out = out.reindex(sorted(table["person"].unique())).fillna({"layer": name, "n_periods": 0, "n_calls": 0})
    out = out.astype({"n_periods": "int64", "n_calls": "int64"}).rename_axis("person")
    able = out.index[(out["n_periods"] >= FEWEST_PERIODS) & (by["call"].sum().reindex(out.index) > 0)]
    told = known[known["person"].isin(able).to_numpy()]
    out = out.join(_shrunk(told, level) if len(able) else pd.DataFrame(columns=["bias", "lower", "upper"], dtype=float))
    out["flagged"] = (out["lower"] > 0) | (out["upper"] < 0)
    words = bias_words(out, level)
    # An order that says nothing about names.
    out = out.assign(words=words, size=out["bias"].abs(), tie=[crc32(p.encode()) for p in out.index]).reset_index()
    return out.sort_values(["flagged", "size", "tie"], ascending=[False, False, True])


def _shrunk(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Bias and interval of each person (index ``person``), from the periods of one layer."""
    from scipy.stats import t

    log_ratio, variance, freedom = _own(table)
    mean, between = _between(log_ratio, variance)
    pulled = variance / (variance + between)
    centre = (1 - pulled) * log_ratio + pulled * mean
    # The mean of the layer is itself unsure; alone in a layer a person keeps the whole of the own variance.
    unsure = (1 - pulled) * variance + pulled**2 / (1 / (variance + between)).sum()
    each = level ** (1 / len(centre))
    reach = t.ppf((1 + each) / 2, freedom) * np.sqrt(unsure)
    ends = {"bias": centre, "lower": centre - reach, "upper": centre + reach}
    return pd.DataFrame({name: np.expm1(x) for name, x in ends.items()})


def _own(table: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Each person's log ratio, its variance, and the degrees of freedom of that."""
    by = table.groupby("person")
    n, call, actual = by.size(), by["call"].sum(), by["actual"].sum()
    half = _HALF * call / n
    ratio = (actual + half) / (call + half)
    off = table["actual"] - table["person"].map(ratio) * table["call"]
    square = (table["call"] ** 2).groupby(table["person"]).sum()
    own = (off**2).groupby(table["person"]).sum() / (ratio**2 * square) * n / (n - 1)
    free = n - 1.0
    # How uneven revenue is cannot be told from one person's few periods.
    borrowed = (free.sum() - free).clip(upper=_SPREAD_PERIODS)
    pooled = float((free * own).sum() / free.sum())
    uneven = (borrowed * pooled + free * own) / (borrowed + free)
    return ratio.map(math.log), uneven * square / call**2, borrowed + free


def _between(value: pd.Series, variance: pd.Series) -> tuple[float, float]:
    """Mean of the layer, and the variance between its people beyond chance (method of moments)."""
    w = 1 / variance
    spread = 0.0
    if len(value) > 1:
        q = (w * (value - (w * value).sum() / w.sum()) ** 2).sum()
        spread = float((q - (len(value) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    between = max(spread, _LEAST_BETWEEN**2)
    w = 1 / (variance + between)
    return float((w * value).sum() / w.sum()), between
