"""What people's calls have shown, in words of the language that is spoken: layer by layer and person by person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.wording import noop, nt, t
from pipeforecast.wording.numerals import NBSP, grouped, numerals

#: Single people's revenue is heavy tailed: with fewer periods nothing is said.
FEWEST_PERIODS = 8
#: Row of ``value_added`` that speaks for all days together.
ALL_DAYS = -1
_LOWEST = {
    "rep": noop("Calls of reps missed by {error} of revenue"),
    "manager": noop("Calls of managers missed by {error} of revenue"),
    "executive": noop("Calls of the executive missed by {error} of revenue"),
}
_ABOVE = {
    "manager": noop("managers' by {error} ({gain}; {sure})"),
    "executive": noop("the executive's by {error} ({gain}; {sure})"),
    "model": noop("the model's by {error} ({gain}; {sure})"),
}


def percent(share: float) -> str:
    """Give a share in whole percent: ``18 %``."""
    return grouped(100 * share) + numerals().percent


def value_sentence(added: pd.DataFrame, level: float = 0.9) -> str:
    """Say in one sentence, for all days together, by how much each layer missed and what it gained; empty without rows.

    A gain whose interval holds nought, or has no ends, is one of which it cannot be told whether it is there.
    """
    whole = added[(added["day_of_period"] == ALL_DAYS).to_numpy(dtype=bool)]
    if whole.empty:
        return ""
    said = ", ".join(_missed(row, level) for row in whole.to_dict("records"))
    periods = nt("{n} past period", "{n} past periods", int(whole["n_periods"].iloc[0]))
    forecasts = nt("{n} forecast of each", "{n} forecasts of each", int(whole["n_origins"].iloc[0]))
    return f"{said} ({periods}, {forecasts}).".replace(NBSP, " ")


def _missed(row: Mapping[Any, Any], level: float) -> str:
    layer, error = row["layer"], percent(row["wape"])
    if not row["below"]:
        return t(_LOWEST[layer], error=error)
    points = abs(round(100 * row["added"]))
    better = row["added"] >= 0
    gain = (
        nt("{n} point better", "{n} points better", points)
        if better
        else nt("{n} point worse", "{n} points worse", points)
    )
    sure = t("cannot tell from luck")
    if row["lower"] > 0 or row["upper"] < 0:
        low, high = sorted(abs(round(100 * row[end])) for end in ("lower", "upper"))
        sure = t("{level} interval {low} to {high}", level=percent(level), low=low, high=high)
    return t(_ABOVE[layer], error=error, gain=gain, sure=sure)


def bias_words(table: pd.DataFrame, level: float = 0.9) -> list[str]:
    """Say of each row of ``people.csv`` whether the person closes above or below own calls; never more than is known.

    Parameters
    ----------
    table : DataFrame
        ``layer``, ``n_periods``, ``bias``, ``lower``, ``upper``, ``flagged``. Intervals are corrected for the people
        of the same layer who can be judged: those with a ``bias``.
    level : float
        Probability with which all intervals of a layer hold together.
    """
    people = table.groupby("layer")["bias"].transform("count")
    rows = zip(table.to_dict("records"), people, strict=True)
    return [_of_person(row, int(n), level).replace(NBSP, " ") for row, n in rows]


def _of_person(row: Mapping[Any, Any], people: int, level: float) -> str:
    """Say what is known, with the number of periods and the interval."""
    n, bias, low, high = int(row["n_periods"]), row["bias"], row["lower"], row["upper"]
    if np.isnan(bias):
        return _unknown(n)
    told: dict[str, object] = {"level": percent(level), "people": people}
    over = (
        nt("{n} period, {level} interval corrected for {people} people",
           "{n} periods, {level} interval corrected for {people} people", n, **told)
        if people > 1
        else nt("{n} period, {level} interval", "{n} periods, {level} interval", n, level=percent(level))
    )  # fmt: skip
    said: dict[str, object] = {"share": percent(abs(bias)), "over": over}
    if row["flagged"]:
        near, far = (percent(end) for end in sorted((abs(low), abs(high))))
        ends: dict[str, object] = {"near": near, "far": far}
        if bias >= 0:
            return t("closed {share} above own calls ({over}: {near} to {far})", **said, **ends)
        return t("closed {share} below own calls ({over}: {near} to {far})", **said, **ends)
    ends = {"low": _beside(low), "high": _beside(high)}
    if bias >= 0:
        return t("cannot tell whether above or below own calls: closed {share} above them ({over}: {low} to {high})",
                 **said, **ends)  # fmt: skip
    return t("cannot tell whether above or below own calls: closed {share} below them ({over}: {low} to {high})",
             **said, **ends)  # fmt: skip


def _unknown(n: int) -> str:
    if n == 0:
        return t("cannot tell: no complete period with a call and a deal that is known to be theirs")
    if n < FEWEST_PERIODS:
        return nt("cannot tell: {n} period, expected {least} or more",
                  "cannot tell: {n} periods, expected {least} or more", n, least=FEWEST_PERIODS)  # fmt: skip
    return nt("cannot tell: {n} period with calls of nothing", "cannot tell: {n} periods with calls of nothing", n)


def _beside(share: float) -> str:
    told = percent(abs(share))
    return t("{share} above", share=told) if share >= 0 else t("{share} below", share=told)
