"""Numbers and days as the readers of a language write them, by the tables of CLDR that come with Babel.

English keeps the page's own way (``1.23 M``, ``12 %``, ``14 May 2024``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pipeforecast.wording import spoken_language

#: A no-break space: a number and its unit stay on one line.
NBSP = "\u00a0"


@dataclass(frozen=True)
class Numerals:
    """How numbers and days are written.

    Attributes
    ----------
    decimal, group : str
        Signs before the fraction and between thousands.
    units : tuple of (float, str)
        Units of large amounts, the largest first, with what stands behind the number, its space included.
    percent : str
        What stands behind a share, its space included.
    currency_first : bool
        Whether the currency stands before the amount.
    group_units : bool
        Whether thousands of a unit are grouped.
    day : str
        Pattern of a day: ``d``, ``MMM`` (a name of ``months``), ``M`` and ``y``.
    months : tuple of str
    """

    decimal: str
    group: str
    units: tuple[tuple[float, str], ...]
    percent: str
    currency_first: bool
    group_units: bool
    day: str
    months: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Give them as the page's script reads them."""
        return asdict(self)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ENGLISH = Numerals(
    ".", ",", ((1e9, NBSP + "bn"), (1e6, NBSP + "M"), (1e3, NBSP + "k")), NBSP + "%", False, True,
    f"d{NBSP}MMM{NBSP}y", _MONTHS,
)  # fmt: skip


@cache
def numerals_of(language: str) -> Numerals:
    """Give how numbers are written in one of ``LANGUAGES``."""
    if language == "en":
        return ENGLISH
    from babel import Locale

    told = Locale.parse(language)
    symbols = told.number_symbols["latn"]
    months = told.months["format"]["abbreviated"]
    return Numerals(
        decimal=symbols["decimal"], group=symbols["group"],
        units=_units(told.compact_decimal_formats["short"]["other"]),
        percent=told.percent_formats[None].suffix[0].replace(" ", NBSP),
        currency_first=told.currency_formats["standard"].pattern.startswith("¤"), group_units=False,
        day=told.date_formats["medium"].pattern.replace(" ", NBSP), months=tuple(months[i] for i in range(1, 13)),
    )  # fmt: skip


def _units(patterns: Any) -> tuple[tuple[float, str], ...]:
    """Each unit once: ``000M`` from a hundred million on is millions as ``0M`` is."""
    units: dict[float, str] = {}
    for size, pattern in patterns.items():
        suffix = pattern.suffix[0].replace("'", "").replace(" ", NBSP)
        if suffix:
            digits = pattern.pattern.count("0")
            units[float(size) / 10 ** (digits - 1)] = suffix
    return tuple(sorted(units.items(), reverse=True))


def numerals() -> Numerals:
    """Give how numbers are written in the language that is spoken now."""
    return numerals_of(spoken_language())


def written(text: str) -> str:
    """Put the reader's signs into a number that Python wrote: ``1,234.5`` is ``1.234,5`` in Indonesian."""
    told = numerals()
    return text if told is ENGLISH else text.translate({ord(","): told.group, ord("."): told.decimal})


def grouped(number: float) -> str:
    """Give a whole number with its thousands apart."""
    return written(f"{number:,.0f}")


def calendar_day(year: int, month: int, day: int) -> str:
    """Give a day as people write it: ``14 May 2024``."""
    told = numerals()
    out = told.day.replace("y", str(year)).replace("d", str(day))
    # The month goes in last: its name may hold the letters of the pattern.
    return out.replace("MMM", told.months[month - 1]) if "MMM" in out else out.replace("M", str(month))
