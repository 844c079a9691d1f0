"""Reading numbers, money and flags from text."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pipeforecast.errors import some
from pipeforecast.ingest.refusals import UnreadableError
from pipeforecast.mapping import NumberSettings

_CURRENCY = r"(?:[A-Z]{3}|[A-Za-z]{0,3}[$€£¥₹₽₩₺฿]|R\$|kr\.?|zł|Fr\.)"
_FLAGS = {
    "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "y": True, "n": False,
    "t": True, "f": False, "x": True,
}  # fmt: skip


def parse_numbers(values: pd.Series, where: str, settings: NumberSettings) -> pd.Series:
    """Read text such as ``1,234.50`` or ``€ 1.234,50`` as float64, by the setting and never by guessing.

    Raises
    ------
    UnreadableError
        If a value is no number; a separator of thousands must stand before three digits.
    """
    if settings.decimal == ".":
        plain = pd.to_numeric(values, errors="coerce").astype("float64")
        if bool((plain.notna() & np.isfinite(plain.fillna(0.0)) | values.isna()).all()):
            return plain
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    text = pd.Series(distinct, dtype="object").astype("string")
    numbers = _parse(text, settings)
    if np.isnan(numbers).any():
        bad = pd.Series(np.isin(codes, np.flatnonzero(np.isnan(numbers))), index=values.index)
        first = values[bad].iloc[:5]
        shown = [f"{text} (row {row + 2})" for row, text in zip(first.index.astype("int64"), first, strict=True)]
        advice = "set numbers.decimal and numbers.thousands, or list the text under missing"
        raise UnreadableError(
            f"{where}: {some(shown)} are no numbers with decimal {settings.decimal!r} and thousands "
            f"{settings.thousands!r}; {advice}",
            "NUMBER-UNREADABLE", bad, advice,
        )  # fmt: skip
    out = np.full(len(values), np.nan)
    out[codes >= 0] = numbers[codes[codes >= 0]]
    return pd.Series(out, index=values.index)


def _parse(text: pd.Series, settings: NumberSettings) -> np.ndarray:
    mark = re.escape(settings.thousands) if settings.thousands else r"\Z."
    mark = r"[\s\u00a0\u202f]" if settings.thousands == " " else mark
    point = re.escape(settings.decimal)
    bare = text.str.strip().str.replace("\u2212", "-", regex=False)
    negative = bare.str.fullmatch(r"\(.*\)").fillna(False)
    bare = bare.str.replace(r"^\((.*)\)$", r"-\1", regex=True)
    bare = bare.str.replace(rf"^([+-]?)\s*{_CURRENCY}\s*", r"\1", regex=True)
    bare = bare.str.replace(rf"\s*(?:{_CURRENCY}|%)$", "", regex=True).str.strip()
    good = bare.str.fullmatch(
        rf"[+-]?(?:\d+|\d{{1,3}}(?:{mark}\d{{3}})+)?(?:{point}\d*)?(?:[eE][+-]?\d+)?"
    ) & bare.str.contains(r"\d")
    clean = bare.str.replace(mark, "", regex=True).str.replace(settings.decimal, ".", regex=False)
    numbers = pd.to_numeric(clean.where(good.fillna(False)), errors="coerce").astype("float64")
    return np.asarray(numbers.where(~negative.to_numpy(dtype=bool), -numbers.abs()).to_numpy(dtype="float64"))


def looks_grouped(values: pd.Series, settings: NumberSettings) -> bool:
    """Tell whether every decimal of a column has three digits: ``1.234`` may mean one thousand."""
    point = re.escape(settings.decimal)
    with_point = values[values.str.contains(point).fillna(False).to_numpy(dtype=bool)]
    return len(with_point) >= 3 and bool(with_point.str.fullmatch(rf"-?[1-9]\d{{0,2}}{point}\d{{3}}").all())


def parse_flags(values: pd.Series, where: str) -> pd.Series:
    """Read yes and no in their usual spellings.

    Raises
    ------
    UnreadableError
        If a value is neither.
    """
    lowered = values.str.casefold()
    bad = lowered.notna() & ~lowered.isin(list(_FLAGS))
    if bad.any():
        advice = "map them with values"
        message = f"{where}: {some(values[bad].unique())} are neither true nor false; {advice}"
        raise UnreadableError(message, "FLAG-UNREADABLE", bad, advice)
    return lowered.map(_FLAGS).astype("boolean")
