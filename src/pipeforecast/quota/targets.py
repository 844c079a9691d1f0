"""Which quotas are meant for a period: names of periods are text, and people write them in many ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.errors import SettingsError
from pipeforecast.findings import Finding, first_examples
from pipeforecast.fiscal import FiscalCalendar, Length, Period
from pipeforecast.forecast import TOTAL

#: Where no row says the total it is the sum of this level's quotas, if there are some.
_ADDS_UP = "owner"
_FINEST_FIRST: tuple[Length, ...] = ("month", "quarter", "year")


@dataclass(frozen=True)
class Targets:
    """Quotas of one period.

    Attributes
    ----------
    rows : DataFrame
        ``level``, ``group``, ``quota`` and ``known`` (whether any deal is of the group); the total first.
    findings : list of Finding
    """

    rows: pd.DataFrame
    findings: list[Finding]


def targets_of(
    table: pd.DataFrame | None, period: Period, calendar: FiscalCalendar, known: Mapping[str, Collection[str]]
) -> Targets:
    """Find the quotas of ``period``.

    Parameters
    ----------
    table : DataFrame or None
        The table ``quotas``: ``period``, ``level``, ``group``, ``amount``, and perhaps ``period_start``.
    period : Period
    calendar : FiscalCalendar
        Names of its periods come first; names of shorter ones add up to the period that they lie in; other names are
        read by ``period_start``. Names of longer periods (a year's quota beside quarters) are of no period.
    known : mapping of level to groups
        Levels by which the forecast is split, and the groups that deals have.

    Returns
    -------
    Targets
        The total is the row of level ``total``, else the sum over owners, else over the first level that is named.
        Quotas of groups that no deal has count in it.
    """
    if table is None or table.empty:
        return Targets(_no_rows(), [])
    start, named, findings = _starts(table, calendar)
    mine = table.assign(start=start, named=named, level=table["level"].str.strip().str.lower())
    here = (start >= period.start) & (start <= period.end) & np.isfinite(table["amount"])
    mine = mine[here.to_numpy(dtype=bool)]
    mine.loc[(mine["level"] == TOTAL).to_numpy(), "group"] = TOTAL
    # A quarter's quota may stand beside those of its months: then it alone counts.
    mine = mine[(mine["named"] == mine.groupby(["level", "group"])["named"].transform("max")).to_numpy(dtype=bool)]
    twice = mine.duplicated(["level", "group", "start"], keep="last")
    if twice.any():
        findings.append(Finding(
            "QUOTA-TWICE", "warning", "quotas", "amount", int(twice.sum()), first_examples(mine["period"].unique()),
            "the last one counts", "keep one quota for a group and period",
        ))  # fmt: skip
    sums = mine[~twice.to_numpy()].groupby(["level", "group"], sort=False)["amount"].sum().rename("quota").reset_index()
    rows, more = _judged(sums, known)
    return Targets(rows, [*findings, *more])


def _no_rows() -> pd.DataFrame:
    kinds = {"level": "object", "group": "object", "quota": "float64", "known": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _starts(table: pd.DataFrame, calendar: FiscalCalendar) -> tuple[pd.Series, pd.Series, list[Finding]]:
    """First day of what each row is for (NaT: of no period of this calendar), and whether it names such a period."""
    own = _FINEST_FIRST.index(calendar.length)
    others = [replace(calendar, length=length) for length in _FINEST_FIRST if length != calendar.length]
    read = {str(n): _named(str(n), [calendar, *others]) for n in table["period"].unique()}
    length = table["period"].map({n: p[0] for n, p in read.items() if p is not None}).astype("float64")
    start = table["period"].map({n: p[1].start for n, p in read.items() if p is not None}).astype("datetime64[s]")
    dated = table["period_start"] if "period_start" in table else pd.Series(pd.NaT, index=table.index)
    start = start.fillna(dated.astype("datetime64[s]")).mask((length > own).to_numpy())
    named, lost = length == own, start.isna()
    if not lost.any():
        return start, named, []
    repair = "left out: a longer period, or no period of this calendar and no first day"
    advice = "name quotas by the calendar's periods (2024Q1), or map the first day of each as period_start"
    names = first_examples(table["period"][lost.to_numpy()].unique())
    found = Finding("QUOTA-NO-PERIOD", "warning", "quotas", "period", int(lost.sum()), names, repair, advice)
    return start, named, [found]


def _named(name: str, calendars: Sequence[FiscalCalendar]) -> tuple[int, Period] | None:
    """Find the calendar that has a period of this name: the place of its length, and the period."""
    for calendar in calendars:
        try:
            return _FINEST_FIRST.index(calendar.length), calendar.named(name.strip())
        except SettingsError:
            continue
    return None


def _judged(sums: pd.DataFrame, known: Mapping[str, Collection[str]]) -> tuple[pd.DataFrame, list[Finding]]:
    """Add the total, leave out levels that the forecast does not have, mark groups that no deal has."""
    findings: list[Finding] = []
    if sums.empty:
        return _no_rows(), findings
    level = sums["level"].astype("object")
    whole = sums[(level == TOTAL).to_numpy()]
    if whole.empty:
        base = _ADDS_UP if (level == _ADDS_UP).any() else level.iloc[0]
        amount = float(sums.loc[(level == base).to_numpy(), "quota"].sum())
        whole = pd.DataFrame({"level": [TOTAL], "group": [TOTAL], "quota": [amount]})
    strange = sorted(set(level) - set(known) - {TOTAL})
    if strange:
        findings.append(Finding(
            "QUOTA-UNKNOWN-LEVEL", "warning", "quotas", "level", int(level.isin(strange).sum()),
            first_examples(strange), "not set beside the forecast", f"expected total or one of {', '.join(known)}",
        ))  # fmt: skip
    rows = pd.concat([whole, sums[level.isin(known).to_numpy()]], ignore_index=True).astype({"group": "object"})
    rows["known"] = [lev == TOTAL or g in known[lev] for lev, g in zip(rows["level"], rows["group"], strict=True)]
    if (~rows["known"]).any():
        levels = first_examples(rows.loc[~rows["known"], "level"].unique())  # groups may be people: none is named
        findings.append(Finding(
            "QUOTA-UNKNOWN-GROUP", "warning", "quotas", "group", int((~rows["known"]).sum()), levels,
            "count for the total, and have no forecast of their own",
            "use the ids that deals carry; a quota for somebody without any deal is well here",
        ))  # fmt: skip
    low = (rows["quota"] <= 0).sum()
    if low:
        findings.append(Finding(
            "QUOTA-NOT-POSITIVE", "warning", "quotas", "amount", int(low), (), "taken as reached",
            "leave out whoever has no quota",
        ))  # fmt: skip
    return rows.reset_index(drop=True), findings
