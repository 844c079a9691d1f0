"""Reading numbers, money and flags from text."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeforecast.errors import some
from pipeforecast.ingest.coded import arrow, distinct, is_coded
from pipeforecast.ingest.refusals import UnreadableError
from pipeforecast.mapping import NumberSettings

_CURRENCY = r"(?:[A-Z]{3}|[A-Za-z]{0,3}[$€£¥₹₽₩₺฿]|R\$|kr\.?|zł|Fr\.)"
#: Rows that are looked at first; and the most characters of a number that a float holds in any reading.
_FEW, _EXACT = 1000, 16
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
    if settings.decimal == "." and not is_coded(values) and (quick := _plain(values)) is not None:
        return quick
    codes, text = distinct(values)
    numbers = np.full(len(text), np.nan)
    if settings.decimal == ".":
        numbers = pd.to_numeric(text, errors="coerce").astype("float64").to_numpy()
    if not np.isfinite(numbers).all():
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
    return pd.Series(np.append(numbers, np.nan)[codes], index=values.index)


def _plain(values: pd.Series) -> pd.Series | None:
    """Read a whole column of plain numbers with so few digits that every way of reading gives the same; else None."""
    texts = arrow(values)
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > _EXACT:
        return None
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return pd.Series(numbers.to_numpy(), index=values.index) if pc.all(pc.is_finite(numbers)).as_py() else None


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
    grouped = rf"-?[1-9]\d{{0,2}}{point}\d{{3}}"
    for n in (_FEW, len(values)):  # a column of which some rows say otherwise is not looked through
        codes, text = distinct(values.iloc[:n])
        decimal = text.str.contains(settings.decimal, regex=False).fillna(False).to_numpy(dtype=bool)
        if not text[decimal].str.fullmatch(grouped).all():
            return False
    return int(np.append(decimal, False)[codes].sum()) >= 3


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
