"""Values that cannot be meant as they stand: days that stand for none, amounts that nobody has, mixed time zones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.coded import decoded, distinct

#: Programs write these where there is no day: the first of Excel's and Unix' time, and ends that never come.
_NO_DAYS = np.array(["1900-01-01", "1970-01-01", "2099-12-31"], dtype="datetime64[D]")
_FIRST, _END = np.datetime64("1900-01-01", "D"), np.datetime64("2100-01-01", "D")
#: Up to here a float holds every cent, and sums of a million such amounts fit 64 bits.
MOST_MONEY = 1e13
_ZONE = r"(Z|UTC|[+-]\d{2}:?\d{2})$"
_UTC = {"UTC": "Z", "+00:00": "Z", "+0000": "Z", "-00:00": "Z", "-0000": "Z"}


def sane_times(
    values: pd.Series, text: pd.Series, nothing: pd.Series, table: str, column: str
) -> tuple[pd.Series, tuple[Finding, pd.Series] | None]:
    """Set days missing that stand for none; give the finding and the texts that stood there."""
    days = values.to_numpy().astype("datetime64[D]")
    with np.errstate(invalid="ignore"):
        wrong = (days < _FIRST) | (days >= _END) | np.isin(days, _NO_DAYS) | nothing.to_numpy(dtype=bool)
    if not wrong.any():
        return values, None
    before = decoded(text[wrong])
    finding = Finding(
        "DATE-MEANS-NONE", "warning", table, column, int(wrong.sum()), first_examples(before.unique()), "set missing",
        "leave such cells empty; a real day before 1900 or after 2099 cannot be read",
    )  # fmt: skip
    return values.mask(wrong), (finding, before)


def sane_money(values: pd.Series, table: str, column: str) -> tuple[pd.Series, Finding | None]:
    """Set amounts missing that are beyond ``MOST_MONEY`` or no number at all."""
    wrong = (values.abs() >= MOST_MONEY).to_numpy(dtype=bool, na_value=False)
    if not wrong.any():
        return values, None
    finding = Finding(
        "AMOUNT-IMPOSSIBLE", "warning", table, column, int(wrong.sum()),
        first_examples(f"row {i + 2}" for i in values.index[wrong]), "set missing",
        "correct the amount: a phone number or an id may have slipped into the column",
    )  # fmt: skip
    return values.mask(wrong), finding


def say_zones(text: pd.Series, table: str, column: str) -> Finding | None:
    """Say where times of one column are written in several time zones."""
    codes, texts = distinct(text)
    rows = np.bincount(codes[codes >= 0], minlength=len(texts))
    with_time = texts.str.contains(":", regex=False).fillna(False).to_numpy(dtype=bool)
    if not with_time.any():
        return None
    ends = (
        pd.Series(rows[with_time], index=texts[with_time].str.slice(-6).to_numpy()).groupby(level=0, sort=False).sum()
    )
    zone = pd.Series(ends.index, dtype="string").str.extract(_ZONE, expand=False).replace(_UTC).fillna("(none)")
    counts = pd.Series(ends.to_numpy(dtype="int64"), index=zone.to_numpy()).groupby(level=0).sum()
    counts = counts.sort_values(ascending=False, kind="stable")
    if len(counts) < 2:
        return None
    return Finding(
        "TIME-ZONES-MIXED", "warning", table, column, int(counts.iloc[1:].sum()), first_examples(counts.index),
        "read as written, each in its own zone; their order may be off by the hours between the zones",
        "export all times in one time zone",
    )  # fmt: skip


def enormous_amounts(amounts: pd.Series) -> np.ndarray:
    """Tell which amounts are over a thousand times the middle one of at least twenty."""
    positive = amounts[(amounts > 0).to_numpy(dtype=bool, na_value=False)]
    if len(positive) < 20:
        return np.zeros(len(amounts), dtype=bool)
    return np.asarray((amounts > 1000 * positive.median()).to_numpy(dtype=bool, na_value=False))
