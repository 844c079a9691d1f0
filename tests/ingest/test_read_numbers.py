import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError
from pipeforecast.ingest.numbers import looks_grouped, parse_flags, parse_numbers
from pipeforecast.mapping import NumberSettings

ENGLISH = NumberSettings()
GERMAN = NumberSettings(decimal=",", thousands=".")


def parse(texts, style=ENGLISH):
    return parse_numbers(pd.Series(texts, dtype="string"), "deals.csv, column 'n'", style).tolist()


@settings(deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_cents_survive_in_every_spelling(cents):
    values = [c / 100 for c in cents]
    english = [f"{v:,.2f}" for v in values]
    german = [t.translate(str.maketrans(",.", ".,")) for t in english]
    assert parse(english) == values
    assert parse(german, GERMAN) == values
    assert parse([f"€ {t}" for t in german], GERMAN) == values


@pytest.mark.parametrize(
    ("text", "style", "meant"),
    [
        ("$1,234.50", ENGLISH, 1234.5), ("-$5", ENGLISH, -5), ("(1,000)", ENGLISH, -1000), ("1 234,5 EUR",
         NumberSettings(decimal=",", thousands=" "), 1234.5), ("1e+06", ENGLISH, 1e6), ("45%", ENGLISH, 45),
        ("USD 10", ENGLISH, 10), (".5", ENGLISH, 0.5), ("12.", ENGLISH, 12), ("CHF 1'200.50",
         NumberSettings(thousands="'"), 1200.5),
    ],
)  # fmt: skip
def test_spellings(text, style, meant):
    assert parse([text, "0"], style)[0] == meant


@pytest.mark.parametrize("text", ["1,5", "12,34.5", "nan", "inf", "1.2.3", "abc", "--1", "1,23,456"])
def test_what_is_no_number_is_refused_with_its_row_and_the_setting(text):
    with pytest.raises(DataError, match=r"row 3.*numbers\.decimal"):
        parse(["1", text])


def test_decimals_that_look_like_thousands_are_noticed():
    assert looks_grouped(pd.Series(["1.234", "12.500", "3.000"], dtype="string"), ENGLISH)
    assert not looks_grouped(pd.Series(["1.234", "12.50", "3.000"], dtype="string"), ENGLISH)
    assert not looks_grouped(pd.Series(["0.125", "0.375", "0.500"], dtype="string"), ENGLISH)


def test_flags():
    assert parse_flags(pd.Series(["TRUE", "0", None, "yes"], dtype="string"), "x").tolist() == [
        True,
        False,
        pd.NA,
        True,
    ]
    with pytest.raises(DataError, match="maybe"):
        parse_flags(pd.Series(["maybe"], dtype="string"), "x")
