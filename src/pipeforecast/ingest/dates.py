"""Reading dates: one order for the whole column, never row by row."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeforecast.errors import some
from pipeforecast.ingest.coded import arrow, distinct, is_coded
from pipeforecast.ingest.refusals import UnreadableError
from pipeforecast.mapping import DateSettings

_TIME = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?$"
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2})?(?:\.\d+)?Z?$")
_PARTS = r"^(\d{1,4}|[A-Za-z]{3,9})[/.\-\s]+(\d{1,2}|[A-Za-z]{3,9})[/.\-,\s]+(\d{1,4})" + _TIME
_DAY, _LONGEST = len("2024-01-05"), len("2024-01-05T10:30:00Z")
_NONE = np.datetime64("NaT", "s")
_ORDERS = {"iso": (0, 1, 2), "day_first": (2, 1, 0), "month_first": (2, 0, 1)}  # where year, month and day stand
_MONTHS = {name.casefold(): i for i in range(1, 13) for name in (dt.date(2000, i, 1).strftime("%B"),)}
_MONTHS |= {name[:3]: i for name, i in _MONTHS.items()} | {"sept": 9}


def months(names: pd.Series) -> pd.Series:
    """Turn months (numbers, English names or their beginnings) into numbers; others are missing."""
    numbers = pd.to_numeric(names, errors="coerce")
    named = names.str.casefold().map(_MONTHS)
    return numbers.astype("float64").fillna(named.astype("float64"))


def parse_dates(values: pd.Series, where: str, settings: DateSettings, format_: str | None = None) -> pd.Series:
    """Read text as dates with their time of day, as written (a time zone is not applied).

    Parameters
    ----------
    values : Series of text, missing where there is no date
    where : the column and its file, for errors
    settings : the order, or ``auto``: the one that fits every value of the column
    format_ : an explicit format for this column

    Returns
    -------
    Series of datetime64[s]

    Raises
    ------
    UnreadableError
        If a value is no date in the order, or if two orders fit and give different dates.
    """
    try:
        return _parsed(values, where, settings, format_)
    except UnreadableError as error:  # distinct texts were looked at: every cell that has one of them is meant
        error.bad = values.isin(error.bad.index[error.bad])
        raise


def _parsed(values: pd.Series, where: str, settings: DateSettings, format_: str | None) -> pd.Series:
    codes, text = distinct(values)
    if format_ is not None:
        found = _by_format(text, where, format_)
    elif _all_iso(text):
        found = _fast_iso(text, where)
    else:
        found = _by_order(text, where, settings.order)
    return pd.Series(np.append(found, _NONE)[codes], index=values.index)


def plain_times(text: pd.Series) -> pd.Series | None:
    """Read a whole column of ISO days, or of ISO times that all end in Z or all in nothing; None if it is no such one.

    Such text means the same in every order, and a day that is none makes it no such column.
    """
    if is_coded(text):
        return None
    texts = arrow(text)
    least, most = pc.min_max(pc.binary_length(texts)).as_py().values()
    zoned = most == _LONGEST and pc.all(pc.ends_with(texts, "Z")).as_py()
    if least != most or not (zoned or most in (_DAY, _LONGEST - 1)):
        return None
    try:
        read = texts.cast(pa.date32()) if most == _DAY else texts.cast(pa.timestamp("s", "UTC" if zoned else None))
    except pa.ArrowInvalid:
        return None
    return pd.Series(read.cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]"), index=text.index)


def _all_iso(text: pd.Series) -> bool:
    return bool(text.str.fullmatch(_ISO.pattern.strip("^$")).all())


def _fast_iso(text: pd.Series, where: str) -> np.ndarray:
    """Read ISO text by NumPy, which is ten times as fast; impossible days are told by the slow way."""
    try:
        return text.str.slice(0, 19).to_numpy(dtype="U19", na_value="NaT").astype("datetime64[s]")
    except ValueError:
        return _by_order(text, where, "iso")


def _shown(bad: pd.Series) -> str:
    """Show bad texts with their rows, counted as a spreadsheet does: the header is row 1."""
    return some(f"{text} (row {row + 2})" for row, text in zip(bad.index.astype("int64"), bad, strict=True))


def _of_texts(texts: pd.Series) -> pd.Series:
    """Mark distinct texts; ``parse_dates`` says in which cells they stand."""
    return pd.Series(True, index=pd.Index(texts.astype("object")))


def _by_format(text: pd.Series, where: str, format_: str) -> np.ndarray:
    out = np.full(len(text), np.datetime64("NaT", "s"), dtype="datetime64[s]")
    bad: list[int] = []
    for i, value in enumerate(text):
        try:
            out[i] = np.datetime64(dt.datetime.strptime(value, format_).replace(tzinfo=None), "s")
        except ValueError:
            bad.append(i)
    if bad:
        unread = text.iloc[bad]
        raise UnreadableError(
            f"{where}: {_shown(unread)} are no dates in the format {format_!r}; set dates.formats",
            "DATE-UNREADABLE", _of_texts(unread), "correct dates.formats for this column, or the cells",
        )  # fmt: skip
    return out


def _by_order(text: pd.Series, where: str, order: str) -> np.ndarray:
    parts = text.str.extract(_PARTS)
    orders = list(_ORDERS) if order == "auto" else ["iso", *([order] if order != "iso" else [])]
    tried = {o: _assemble(parts, o) for o in orders}
    fitting = {o: t for o, t in tried.items() if not np.isnat(t).any()}
    if not fitting:
        best = min(tried.values(), key=lambda t: int(np.isnat(t).sum()))
        bad = text[np.isnat(best)]
        raise UnreadableError(
            f"{where}: {_shown(bad)} are no dates in {'any order' if order == 'auto' else 'the order ' + order} that "
            "fits the rest of the column; set dates.formats for it, or list the text under missing",
            "DATE-UNREADABLE", _of_texts(bad),
            "write all days of the column alike, or set dates.formats for it, or list the text under missing",
        )  # fmt: skip
    first, *others = fitting.values()
    for other in others:
        differ = np.flatnonzero(first != other)
        if len(differ):
            raise UnreadableError(
                f"{where}: {text.iloc[differ[0]]!r} may be {first[differ[0]]} or {other[differ[0]]}, and nothing in "
                "the column decides; set dates.order to day_first or month_first",
                "DATES-AMBIGUOUS", _of_texts(text.iloc[differ]), "set dates.order to day_first or month_first",
            )  # fmt: skip
    return first


def _assemble(parts: pd.DataFrame, order: str) -> np.ndarray:
    """Put year, month and day together in one order; NaT where they are no date in it."""
    year_at, month_at, day_at = _ORDERS[order]
    month_text, day_text = parts[month_at], parts[day_at]
    if order != "iso":  # "5 Jan 2024" and "Jan 5, 2024" say by themselves which is the month
        named_first, named_second = (_is_name(parts[i]) for i in (0, 1))
        month_text = month_text.mask(named_first, parts[0]).mask(named_second, parts[1])
        day_text = day_text.mask(named_first, parts[1]).mask(named_second, parts[0])
    year = _number(parts[year_at].where(parts[year_at].str.len() != 3))
    long = (parts[year_at].str.len() == 4).fillna(False).to_numpy(dtype=bool)
    if order == "iso":
        year[~long] = np.nan  # a two-digit year in front is read only by an explicit format
    else:
        year = np.where(long, year, year + np.where(year < 70, 2000, 1900))
    days = _days(year, months(month_text).to_numpy(dtype="float64"), _number(day_text))
    return np.asarray(days + _seconds(parts))


def _is_name(text: pd.Series) -> Any:
    return text.str.contains("[A-Za-z]").fillna(False).astype(bool)


def _number(text: pd.Series) -> np.ndarray:
    return np.array(pd.to_numeric(text, errors="coerce").astype("float64").to_numpy(dtype="float64", na_value=np.nan))


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Give days, NaT where year, month and day are no date."""
    with np.errstate(invalid="ignore"):
        good = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    y, m, d = (np.where(good, part, fill).astype("int64") for part, fill in ((year, 1970), (month, 1), (day, 1)))
    first = ((y - 1970) * 12 + m - 1).astype("datetime64[M]")
    days = first.astype("datetime64[D]") + (d - 1)
    good &= days.astype("datetime64[M]") == first
    return np.where(good, days, np.datetime64("NaT")).astype("datetime64[s]")


def _seconds(parts: pd.DataFrame) -> np.ndarray:
    hour, minute, second = (np.nan_to_num(_number(parts[i])).astype("int64") for i in (3, 4, 5))
    half = parts[6].str.casefold()
    hour = np.where(
        (half == "pm").fillna(False), hour % 12 + 12, np.where((half == "am").fillna(False), hour % 12, hour)
    )
    wrong = (hour > 23) | (minute > 59) | (second > 59)
    out = (hour * 3600 + minute * 60 + second).astype("timedelta64[s]")
    out[wrong] = np.timedelta64("NaT")
    return np.asarray(out)


def day_from_parts(year: pd.Series, month: pd.Series, day: pd.Series, where: str) -> pd.Series:
    """Put days together from columns of text; missing where a part is.

    Raises
    ------
    UnreadableError
        If the parts of a row are no date.
    """
    found = _days(_number(year), months(month).to_numpy(dtype="float64"), _number(day))
    present = (year.notna() & month.notna() & day.notna()).to_numpy(dtype=bool)
    bad = np.isnat(found) & present
    if bad.any():
        shown = [f"{year.iloc[i]}-{month.iloc[i]}-{day.iloc[i]} (row {i + 2})" for i in np.flatnonzero(bad)[:5]]
        advice = "correct the parts of these days"
        raise UnreadableError(
            f"{where}: {some(shown)} are no dates", "DATE-UNREADABLE", pd.Series(bad, index=year.index), advice
        )
    return pd.Series(np.where(present, found, np.datetime64("NaT", "s")).astype("datetime64[s]"), index=year.index)
