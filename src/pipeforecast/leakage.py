"""The audit before any training: columns that know the outcome, and values that mean missing.

It looks at a table of columns beside what became of each row, whatever the rows are. What leaks beyond doubt stops a
training, what is only suspicious is left out, and both give way where the user names the column.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.guess import nearest
from pipeforecast.scores import auc

#: A column that alone ranks so well is no description, it is the outcome.
SURE, STRONG = 0.97, 0.9
#: Fewest rows of each outcome before shares and ranks are believed.
FEWEST = 20
_ONLY_SHARE, _ONLY_FILLED = 0.005, 0.1
#: How seldom chance alone may put the filled rows all on one side, to speak of it and to be beyond doubt.
_SELDOM, _HARDLY_EVER = 1e-3, 1e-6
#: Words of names that are written with or after the outcome (of a whole name, split at capitals and underscores).
_AFTERWARDS = frozenset({
    "closed", "closing", "won", "lost", "outcome", "converted", "conversion", "disqualified", "disqualification",
    "duration", "resolution", "rejected", "signed", "invoice", "contracted", "churned",
})  # fmt: skip
_PHRASES = ("lost reason", "loss reason", "close date", "closed date", "deal id", "opportunity id", "call length")
_MEAN_MISSING = frozenset({
    "select", "unknown", "n/a", "na", "n.a.", "none", "null", "nil", "nan", "-", "--", "---", "?", "not specified",
    "not available", "not provided", "not applicable", "undefined", "missing", "(none)", "(blank)", "please select",
    "- select -", "-none-", "--none--", "tbd", "keine angabe", "brak", "tidak ada", "无", "未知",
})  # fmt: skip
_SWALLOWED = frozenset({"None", "NA", "N/A", "NULL", "NaN", "nan", "null", "n/a", "<NA>", "#N/A"})
_SENTINELS = (-1.0, -9.0, -99.0, -999.0, 99.0, 999.0, 9999.0, 99999.0)


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes
    ----------
    findings : tuple of Finding
    stops : mapping of column to why
        Columns in use that leak beyond doubt and that nobody allowed.
    left_out : tuple of str
        Columns in use that must not teach: suspicious, or without any value.
    sentinels : mapping of column to numbers
        Values that mean missing.
    """

    findings: tuple[Finding, ...] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    sentinels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def stop(self, setting: str) -> None:
        """Refuse the training where something leaks beyond doubt.

        Parameters
        ----------
        setting : str
            How the user allows a column, for the message.

        Raises
        ------
        DataError
        """
        if self.stops:
            told = "; ".join(f"{name} {why}" for name, why in list(self.stops.items())[:3])
            names = ",".join(self.stops)
            raise DataError(
                f"the leakage audit stops the training: {told}. Take {some(self.stops)} out of the mapping, or, if it "
                f"was known beforehand, say {setting}=[{names}]"
            )


def audit(
    columns: pd.DataFrame,
    reached: np.ndarray,
    used: Collection[str],
    allow: Collection[str] = (),
    outcome_at: np.ndarray | None = None,
    table: str = "leads",
    said: tuple[str, str] = ("reached it", "did not"),
) -> Audit:
    """Audit columns against what became of their rows.

    Parameters
    ----------
    columns : DataFrame (n, ·)
        Numbers, texts, flags and days.
    reached : float (n,)
        1 reached, 0 not, NaN not yet known.
    used : collection of str
        Columns that are to teach; of the others a leak is told and stops nothing.
    allow : collection of str
        Columns that the user allows by name.
    outcome_at : datetime64 (n,), optional
        Day of the outcome where it was reached (NaT elsewhere), for columns of days.
    table : str
        For the findings.
    said : (str, str)
        What is said of the rows of either outcome, after "those that".
    """
    known = ~np.isnan(reached)
    y = reached[known]
    enough = min((y == 0).sum(), (y == 1).sum()) >= FEWEST
    findings: list[Finding] = []
    stops: dict[str, str] = {}
    left: list[str] = []
    sentinels: dict[str, tuple[float, ...]] = {}
    empty = [str(n) for n in columns if columns[n].isna().all()]
    for name in (str(n) for n in columns if str(n) not in empty):
        column = columns[name]
        at = outcome_at[known] if outcome_at is not None else None
        told = _leak(column[known], y, at, said) if enough else None
        if told is not None:
            code, why, sure = told
            if sure and name in used and name not in allow:
                stops[name] = why
            findings.append(_finding(code, table, name, len(y), why, name in used, name in allow, sure))
        if _named_afterwards(name) and name in used:
            findings.append(_of_name(table, name, len(column), name in allow))
            left += [name] if name not in allow else []
        findings += _hidden(column, table, name, sentinels)
    if empty:
        findings.append(
            Finding(
                "COLUMN-EMPTY", "info", table, "", len(empty), first_examples(empty), "left out",
                "a column without any value teaches nothing: take it out of the mapping",
            )
        )  # fmt: skip
    findings += [_not_there(table, name, columns) for name in allow if name not in columns]
    left += [n for n in empty if n in used]
    return Audit(tuple(findings), stops, tuple(dict.fromkeys(left)), sentinels)


def _not_there(table: str, name: str, columns: pd.DataFrame) -> Finding:
    return Finding(
        "ALLOWED-UNKNOWN", "warning", table, name, 1, (), "allows nothing",
        f"allow_leaks names {name!r}, which is no column that is audited{nearest(name, map(str, columns))}",
    )  # fmt: skip


def _finding(code: str, table: str, name: str, count: int, why: str, used: bool, allowed: bool, sure: bool) -> Finding:
    if not used:
        return Finding(code, "info", table, name, count, (), "not used", f"{name} {why}: it must not become a feature")
    if allowed:
        return Finding(code, "warning", table, name, count, (), "used, as you allow it by name", f"{name} {why}")
    repair = "the training stops" if sure else "used"
    advice = f"{name} {why}: was it known before the outcome? If not, take it out; if so, allow it by name"
    return Finding(code, "error" if sure else "warning", table, name, count, (), repair, advice)


def _of_name(table: str, name: str, count: int, allowed: bool) -> Finding:
    return Finding(
        "LEAK-NAME", "warning", table, name, count, (), "used, as you allow it by name" if allowed else "left out",
        "by its name it is written with the outcome or after it; if it was known before, allow it by name",
    )  # fmt: skip


def _leak(
    column: pd.Series, y: np.ndarray, outcome_at: np.ndarray | None, said: tuple[str, str]
) -> tuple[str, str, bool] | None:
    """Name what a column gives away, in the order of how plain it is: code, why, whether beyond doubt."""
    filled = column.notna().to_numpy()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        late = _late(column, y, outcome_at)
        if late is not None:
            return late
    for side, code, words in ((1, "LEAK-ONLY-REACHED", said[0]), (0, "LEAK-ONLY-OTHERS", said[1])):
        mine, others = filled[y == side].mean(), filled[y != side].mean()
        if mine >= _ONLY_FILLED and others <= _ONLY_SHARE and (luck := _luck(filled, y == side)) < _SELDOM:
            why = f"is filled in {mine:.0%} of those that {words} and in {others:.1%} of the others"
            return code, why, luck < _HARDLY_EVER
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return None
    ranked = separation(column, y)
    if ranked >= STRONG:
        return "LEAK-SEPARATES", f"alone ranks {ranked:.1%} of the pairs rightly", ranked >= SURE
    return None


def _luck(filled: np.ndarray, mine: np.ndarray) -> float:
    """Probability that so few of the filled rows, or fewer, lie outside ``mine`` where filling knows nothing of it."""
    from scipy.stats import hypergeom

    return float(hypergeom.cdf((filled & ~mine).sum(), len(filled), (~mine).sum(), filled.sum()))


def _late(column: pd.Series, y: np.ndarray, outcome_at: np.ndarray | None) -> tuple[str, str, bool] | None:
    if outcome_at is None:
        return None
    there = (y == 1) & column.notna().to_numpy() & ~np.isnat(outcome_at.astype("datetime64[s]"))
    if there.sum() < FEWEST:
        return None
    share = float(
        (column.to_numpy().astype("datetime64[s]")[there] >= outcome_at.astype("datetime64[s]")[there]).mean()
    )
    if share < 0.5:
        return None
    return "LEAK-FILLED-AFTERWARDS", f"is a day on or after the outcome in {share:.0%} of those that reached it", True


def separation(column: pd.Series, y: np.ndarray) -> float:
    """AUC of one column by itself, the better way round; levels by their rate in the other half of the rows.

    Parameters
    ----------
    column : Series (n,)
    y : 0 or 1 (n,)
    """
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        x = column.to_numpy(dtype="float64", na_value=np.nan)
        rank = pd.Series(x).rank(pct=True).to_numpy()
        places = np.where(np.isnan(x), 0.0, rank)
        return max(_auc(y, score) for score in (places, 1 - places, np.where(np.isnan(x), 1.0, rank)))
    codes = pd.factorize(column.astype("string").fillna("").astype("object"))[0]
    half = np.random.default_rng(0).random(len(y)) < 0.5
    rate = np.zeros(len(y))
    for here in (half, ~half):
        n = codes.max() + 1
        hit, count = np.bincount(codes[~here], y[~here], n), np.bincount(codes[~here], minlength=n)
        rate[here] = ((hit + y.mean()) / (count + 1))[codes[here]]
    return _auc(y, rate)


def _auc(y: np.ndarray, score: np.ndarray) -> float:
    found = auc(y, np.clip(score, 0, 1))
    return 0.5 if np.isnan(found) else max(float(found), 1 - float(found))


def _named_afterwards(name: str) -> bool:
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").casefold()
    return bool(_AFTERWARDS & set(words.split())) or any(p in words for p in _PHRASES)


def _hidden(column: pd.Series, table: str, name: str, sentinels: dict[str, tuple[float, ...]]) -> list[Finding]:
    """Find values that mean missing, and levels that pandas would swallow."""
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return []
    if pd.api.types.is_numeric_dtype(column.dtype):
        x = column.to_numpy(dtype="float64", na_value=np.nan)
        found = _sentinels(x[np.isfinite(x)])
        if not found:
            return []
        sentinels[name] = found
        count = int(np.isin(x, found).sum())
        return [
            Finding(
                "HIDDEN-MISSING", "warning", table, name, count, first_examples(f"{v:g}" for v in found),
                "counted as missing", "say so in the mapping: {column: …, missing: [\"-1\"]}",
            )
        ]  # fmt: skip
    levels = column.dropna().astype("string").value_counts()
    hidden = [str(v) for v in levels.index if str(v).strip().casefold() in _MEAN_MISSING]
    swallowed = [v for v in hidden if v in _SWALLOWED]
    out = []
    if hidden:
        out.append(
            Finding(
                "HIDDEN-MISSING", "warning", table, name, int(levels[hidden].sum()), first_examples(hidden),
                "kept as a level of its own", "say so in the mapping: missing: [\"\", unknown]",
            )
        )  # fmt: skip
    if swallowed:
        out.append(
            Finding(
                "LEVEL-SWALLOWED", "info", table, name, int(levels[swallowed].sum()), first_examples(swallowed),
                "kept as a level of its own", "pandas.read_csv would take it for missing; here nothing is guessed",
            )
        )  # fmt: skip
    return out


def _sentinels(x: np.ndarray) -> tuple[float, ...]:
    """Numbers that stand for missing: common, alone on their side, and far from all others."""
    found = []
    for value in _SENTINELS:
        same = x == value
        rest = x[~same]
        if same.mean() < 0.005 or len(rest) < FEWEST if len(x) else True:
            continue
        below = value < 0 and rest.min() >= 0
        above = value > 0 and rest.max() <= value / 5 and np.allclose(rest, np.round(rest))
        if below or above:
            found.append(value)
    return tuple(found)
