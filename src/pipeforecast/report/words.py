"""Numbers, days and names put into words: short for the eye, in full where somebody looks closer."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import pandas as pd

from pipeforecast.contract import TABLES
from pipeforecast.metrics.counts import COUNTED
from pipeforecast.names import names_in
from pipeforecast.wording import noop, plural, spoken_language, t
from pipeforecast.wording.numerals import NBSP, calendar_day, grouped, numerals, written

MISSING = "–"
#: A number that asks for the form of many in every language.
MANY = 5
#: Units that are said; of money ``a day`` is what stands behind the amount.
_UNITS = (noop("days"), noop("hours"), noop(" a day"))
LONGEST_NAME = 60
LONGEST_TITLE = 400


def money(value: float | None, currency: str = "") -> str:
    """Give an amount with three figures and a unit: ``1.23 M EUR``."""
    if value is None:
        return MISSING
    size = abs(value)
    sign = "−" if value < 0 and round(size) > 0 else ""
    text = grouped(size)
    for unit, letter in numerals().units:
        if size >= unit * 0.9995:
            text = _three_figures(size / unit) + letter
            break
    return with_currency(sign + text, currency)


def with_currency(amount: str, currency: str) -> str:
    """Put the currency before or behind an amount, as its readers do."""
    if not currency:
        return amount
    return currency + NBSP + amount if numerals().currency_first else amount + NBSP + currency


def _three_figures(value: float) -> str:
    if value >= 99.95:
        return grouped(value) if numerals().group_units else f"{value:.0f}"
    return written(f"{value:.1f}" if value >= 9.995 else f"{value:.2f}")


def signed_money(value: float) -> str:
    """Give a change with its sign: ``+1.23 M``; what rounds to nothing is 0."""
    return ("+" if round(value) > 0 else "") + money(value)


def full_money(value: float | None, currency: str = "") -> str:
    """Give an amount to the cent: ``1,234,567.89 EUR``."""
    if value is None:
        return MISSING
    text = f"{abs(value):,.2f}"
    return with_currency(("−" if value < 0 and text.strip("0.,") else "") + written(text), currency)


def percent(share: float | None, signed: bool = False) -> str:
    """Give a share in percent; small ones with a digit after the point, none rounded to certainty."""
    if share is None:
        return MISSING
    value = 100 * share
    size = abs(value)
    if 0 < size < 0.1 or 99.95 < size < 100:
        return written("<0.1" if size < 0.1 else ">99.9") + numerals().percent
    text = f"{size:.1f}" if size < 9.95 and round(size, 1) % 1 else f"{size:,.0f}"
    if 99.5 <= size < 100:
        text = f"{size:.1f}"
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return sign + written(text) + numerals().percent


def day(value: str | None) -> str:
    """Give an ISO day as people write it: ``14 May 2024``."""
    if not value:
        return MISSING
    stamp = pd.Timestamp(value)
    return calendar_day(stamp.year, stamp.month, stamp.day)


def to_words(low: float | None, high: float | None) -> str:
    """Give a range of amounts: ``1.20 M to 1.50 M``."""
    return t("{low} to {high}", low=money(low), high=money(high))


def range_words(share: str, low: float | None, high: float | None) -> str:
    """Give a range with its name: ``80 % range 1.20 M to 1.50 M``."""
    return t("{share} % range {range}", share=share, range=to_words(low, high))


def figure(value: float | None, unit: str, signed: bool = False) -> str:
    """Give a value in its unit: a share in percent (a change of one in points), money, days, a count, a ratio."""
    if value is None:
        return MISSING
    sign = "+" if signed and value > 0 else ""
    if unit == "share":
        points = ("−" if value < 0 else "+") + written(f"{abs(100 * value):.1f}")
        return points + NBSP + t("points") if signed else percent(value)
    if unit.startswith("currency"):
        per = unit.removeprefix("currency")
        return sign + money(value) + (t(per) if per else "")
    size = abs(value)
    text = f"{size:,.0f}" if (unit == "count" and round(size) == round(size, 6)) or size >= 99.5 else f"{size:,.3g}"
    sign = "−" if value < 0 and text.strip("0.,") else sign
    return sign + written(text) + (NBSP + t(unit) if unit in _UNITS else "")


def fixed(value: float | None, digits: int = 1) -> str:
    """Give a number with so many digits behind the point."""
    return MISSING if value is None else written(f"{value:,.{digits}f}")


def period(name: str) -> str:
    """Give a period's name short: of a campaign only the side, ``before`` or ``after``."""
    return name.rsplit(" ", 1)[-1] if name.startswith("campaign:") else shortened(name, 16)


def count(number: float, one: str, many: str = "") -> str:
    """Give a number with its noun: ``1 deal``, ``3,204 deals``; where both forms stand, the noun is translated."""
    return f"{grouped(number)}{NBSP}{plural(one, many or one + 's', number)}"


def units(number: float, name: str) -> str:
    """Give a number with what a metric counts: ``12 deals won``, ``1 deal won``."""
    return count(number, *COUNTED.get(name, (name, name)))


def counted_word(name: str) -> str:
    """Name what a metric counts, without a number."""
    one, many = COUNTED.get(name, (name, name))
    return plural(one, many, MANY)


def column_word(name: str) -> str:
    """Name a column of the deals: its words in English, else the name that its language has for it."""
    if spoken_language() == "en" or name not in TABLES["deals"]:
        return spoken(name)
    return names_in(spoken_language()).column("deals", name)[0]


def spoken(name: str) -> str:
    """Turn a column's or method's name into words: ``same_stage`` is ``Same stage``."""
    words = str(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def clean(value: object, longest: int = LONGEST_TITLE) -> str:
    """Take text from outside: no control characters, whitespace single, of bounded length; missing is empty."""
    if value is None or (not isinstance(value, str) and bool(pd.isna(value))):  # type: ignore[call-overload]
        return ""
    text = str(value)[: 4 * longest]
    if not text.isprintable():  # most are: then there is nothing to take out
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return shortened(" ".join(text.split()), longest)


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """Cut text after ``longest`` characters, with an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def number(value: Any) -> float | None:
    """Give a finite float, or None: facts are JSON, which knows no NaN."""
    try:
        out = float(value)
    except (TypeError, ValueError):
        return None
    return out if math.isfinite(out) else None


def iso(value: Any) -> str | None:
    """Give a day as ISO text, or None."""
    stamp = pd.to_datetime(value, errors="coerce")
    return None if pd.isna(stamp) else str(stamp.date())
