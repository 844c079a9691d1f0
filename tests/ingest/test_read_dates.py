import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeforecast.errors import DataError
from pipeforecast.ingest.dates import day_from_parts, parse_dates
from pipeforecast.mapping import DateSettings

AUTO = DateSettings()
DAYS = st.dates(min_value=pd.Timestamp("1980-01-01").date(), max_value=pd.Timestamp("2068-12-31").date())
WRITTEN = {
    "iso": "%Y-%m-%d",
    "month_first": "%m/%d/%Y",
    "day_first": "%d-%m-%y",
    "dotted": "%d.%m.%Y",
    "named": "%d %b %Y",
}


def parse(texts, order=AUTO, format_=None):
    return parse_dates(pd.Series(texts, dtype="string"), "deals.csv, column 'd'", order, format_)


@settings(deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=30), st.sampled_from(list(WRITTEN)))
def test_a_column_is_read_as_it_was_written_or_refused(days, how):
    texts = [d.strftime(WRITTEN[how]) for d in days]
    numbers = how in ("month_first", "day_first", "dotted")
    ambiguous = numbers and all(d.day <= 12 for d in days) and any(d.day != d.month for d in days)
    if ambiguous:  # and only then: what can be known is not asked
        with pytest.raises(DataError, match=r"dates\.order"):
            parse(texts)
        return
    found = parse(texts)
    assert found.tolist() == [pd.Timestamp(d) for d in days]


@settings(deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=30), st.sampled_from(["month_first", "day_first"]))
def test_with_the_order_set_nothing_is_ambiguous(days, order):
    found = parse([d.strftime(WRITTEN[order]) for d in days], DateSettings(order=order))
    assert found.tolist() == [pd.Timestamp(d) for d in days]
    iso = parse([d.isoformat() for d in days], DateSettings(order=order))
    assert iso.tolist() == [pd.Timestamp(d) for d in days]


def test_one_value_settles_the_whole_column():
    assert parse(["03/04/2024", "25/04/2024"]).tolist() == [pd.Timestamp("2024-04-03"), pd.Timestamp("2024-04-25")]
    assert parse(["03/04/2024", "04/25/2024"]).tolist() == [pd.Timestamp("2024-03-04"), pd.Timestamp("2024-04-25")]


def test_orders_are_never_mixed_within_a_column():
    with pytest.raises(DataError, match=r"dates\.formats"):
        parse(["25/04/2024", "04/25/2024"])


def test_ambiguity_names_column_example_and_setting():
    with pytest.raises(DataError, match=r"column 'd'.*03/04/2024.*dates\.order"):
        parse(["03/04/2024", "05/06/2024"])


def test_what_is_no_date_is_named_with_its_row():
    with pytest.raises(DataError, match=r"soon \(row 3\)"):
        parse(["2024-01-01", "soon"])
    with pytest.raises(DataError, match="2024-02-30"):
        parse(["2024-01-01", "2024-02-30"])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-03-01T14:03:22.123Z", "2024-03-01 14:03:22"),
        ("2024-03-01 14:03", "2024-03-01 14:03:00"),
        ("2024-03-01T00:00:00+02:00", "2024-03-01"),
        ("25/12/2023 2:05 PM", "2023-12-25 14:05:00"),
        ("12/25/2023 12:00:01 AM", "2023-12-25 00:00:01"),
        ("Jan 5, 2024", "2024-01-05"),
        ("5-Sep-24", "2024-09-05"),
        ("2050/1/31", "2050-01-31"),
        ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
    ],
)
def test_spellings(text, meant):
    found = parse([text])
    assert found.dtype == np.dtype("datetime64[s]")
    assert str(found.to_numpy()[0]) == str(np.datetime64(meant, "s"))


def test_two_digit_year_in_front_needs_a_format():
    assert parse(["24-01-31"], format_="%y-%m-%d").tolist() == [pd.Timestamp("2024-01-31")]
    with pytest.raises(DataError, match=r"dates\.formats"):
        parse(["31-01-24", "24-31-01"], format_="%d-%m-%y")


def test_missing_stays_missing_and_empty_columns_are_fine():
    assert parse([None, "2024-01-31"]).isna().tolist() == [True, False]
    assert parse([None, None]).isna().all()


def test_days_from_parts():
    parts = [pd.Series(x, dtype="string") for x in (["2015", "2016", None], ["July", "2", "3"], ["1", "29", "1"])]
    assert day_from_parts(*parts, "x").tolist()[:2] == [pd.Timestamp("2015-07-01"), pd.Timestamp("2016-02-29")]
    assert day_from_parts(*parts, "x").isna().tolist() == [False, False, True]
    with pytest.raises(DataError, match="2015-2-30"):
        day_from_parts(*(pd.Series([v], dtype="string") for v in ("2015", "2", "30")), "x")
