"""How dates and numbers are written, with the value that shows it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeforecast.errors import DataError
from pipeforecast.ingest.dates import parse_dates
from pipeforecast.ingest.numbers import looks_grouped, parse_numbers
from pipeforecast.mapping import DateSettings, NumberSettings
from pipeforecast.propose.words import MISSING

_FORMATS = ("%Y年%m月%d日", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S", "%Y%m%d")
_WAYS = [
    NumberSettings(decimal=d, thousands=t)
    for d, t in ((".", ","), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'"))
]
_MOST = 20_000


@dataclass(frozen=True)
class Dates:
    """How a column writes days: ``iso``, ``day_first``, ``month_first``, ``either``, or by ``format``; an example."""

    order: str
    example: str
    format: str | None = None


def present(text: pd.Series) -> pd.Series:
    """Give the distinct texts that are not missing."""
    distinct = text.drop_duplicates().head(_MOST).astype("string")
    return distinct[~distinct.str.casefold().isin(["", *MISSING]).to_numpy(dtype=bool)]


def missing_in(text: pd.Series) -> list[str]:
    """List the words of a column that stand for nothing."""
    distinct = text.drop_duplicates().head(_MOST).astype("string")
    return sorted(distinct[distinct.str.casefold().isin(MISSING).to_numpy(dtype=bool)].tolist())


def dates_in(text: pd.Series) -> Dates | None:
    """Tell how a column writes days; None if it holds none."""
    values = present(text)
    if values.empty or not bool(values.head(50).str.contains(r"\d").all()):
        return None
    fits = [o for o in ("iso", "day_first", "month_first") if _reads(values, o)]
    if "iso" in fits:
        return Dates("iso", str(values.iloc[0]))
    if len(fits) == 1:
        other = "month_first" if fits == ["day_first"] else "day_first"
        return Dates(fits[0], next((v for v in values if not _reads(pd.Series([v], dtype="string"), other)), ""))
    if fits:
        same = parse_dates(values, "", DateSettings(order="day_first")).equals(
            parse_dates(values, "", DateSettings(order="month_first"))
        )
        return Dates("iso" if same else "either", str(values.iloc[0]))
    for format_ in _FORMATS:
        if _reads(values, "auto", format_):
            return Dates("iso", str(values.iloc[0]), format_)
    return None


def _reads(values: pd.Series, order: str, format_: str | None = None) -> bool:
    try:
        parse_dates(values.reset_index(drop=True), "", DateSettings(order=order), format_)
    except DataError:
        return False
    return True


def ways_of(text: pd.Series) -> list[NumberSettings]:
    """List the ways in which a column can be read as numbers; none if it holds none."""
    values = present(text).reset_index(drop=True)
    return [w for w in _WAYS if len(values) and _numbers(values, w) is not None]


def _numbers(values: pd.Series, way: NumberSettings) -> pd.Series | None:
    try:
        return parse_numbers(values, "", way)
    except DataError:
        return None


def one_way(columns: list[pd.Series]) -> tuple[NumberSettings, str, bool] | None:
    """Choose how all these columns are read as numbers: the way, the value that shows it, whether it is in doubt."""
    texts = pd.concat([present(c) for c in columns]).drop_duplicates().reset_index(drop=True) if columns else None
    if texts is None or texts.empty:
        return None
    fitting = [w for w in _WAYS if _numbers(texts, w) is not None]
    if not fitting:
        return None
    first = fitting[0]
    read = [_numbers(texts, w) for w in fitting]
    differs = [other for other in read[1:] if read[0] is not None and other is not None and not read[0].equals(other)]
    telling = next((str(v) for v in texts if _numbers(pd.Series([v], dtype="string"), _WAYS[0]) is None), str(texts[0]))
    return first, telling, bool(differs) or looks_grouped(texts, first)
