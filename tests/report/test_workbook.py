"""The workbook: what its formulas give is the forecast, whoever reckons; text is text; equal input, equal bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import made_empty
from made_book import made_book, open_deals, rule_book

from office import Sheets, edited, formulas_of, needs_office, recomputed, sheets_of, table_of
from pipeforecast.errors import DataError
from pipeforecast.forecast import Forecast
from pipeforecast.headline import Headline
from pipeforecast.report.workbook import BookInput, write_workbook
from pipeforecast.report.workbook.book import SHEETS
from pipeforecast.report.workbook.paper import LONGEST_CELL, plain
from pipeforecast.rules import RULES
from pipeforecast.spread import with_total
from pipeforecast.workflow.made import Made
from stories import day, lessons_of, tell
from worked_example import AS_OF, BOOK, CALENDAR, CALLS, PAST, PERIOD

ODD = ("=1+1", "+SUM(A1)", "-2", "@x", "<b>&amp;</b>", '=HYPERLINK("http://x")', "007", "*", ">0", "_x0041_", "شركة 🙂")
CENT = 0.005


def say(sheets: Sheets, name: str) -> str:
    """What the sheet Forecast says beside ``name``."""
    sheet = sheets["Forecast"]
    return str(sheet.loc[(sheet[0] == name).to_numpy(), 3].iloc[0])


def forecast(sheets: Sheets) -> pd.DataFrame:
    return table_of(sheets["Forecast"], "No.")


def assert_equal_to_forecast(book: BookInput, sheets: Sheets) -> None:
    """Every part of every group, to the cent."""
    table, cells = forecast(sheets), book.cells
    assert len(table) == len(cells)
    for column, part in (
        ("Won so far", "won"), ("Open, due by the period's end", "open_due"), ("Open, pulled in", "open_pulled_in"),
        ("All open deals", "open"), ("Deals not yet created", "new"), ("Total", "total"),
    ):  # fmt: skip
        found = table[column].astype("float64").to_numpy()
        np.testing.assert_allclose(found, cells[part, "mean"], rtol=0, atol=CENT, err_msg=part)
    for quantile in ("p10", "p50", "p90"):
        np.testing.assert_allclose(table[quantile.upper()].astype("float64"), cells["total", quantile], rtol=1e-12)
    assert (table["Difference in cents"].astype("float64") == 0).all()
    assert say(sheets, "Equal to forecast.csv") == "yes, to the cent"


def odd_book() -> BookInput:
    """Deals and groups with names that a spreadsheet would like to run, compare or match."""
    table = open_deals(len(ODD) * 2)
    named = list(ODD) * 2
    table = table.assign(name=named, account_name=named, owner=named, stage=named, forecast_category=named)
    return made_book(deals=table, group_labels={})


def example(as_of: pd.Timestamp, past: bool = True, book: bool = True) -> BookInput:
    """The company that can be reckoned by hand, on one of its days, with every rule."""
    told = tell([*(PAST if past else []), *(BOOK if book else [])], until="2024-12-31")
    period = CALENDAR.containing(as_of + pd.Timedelta(days=1))
    ks = (0, 30, period.day_of(as_of))
    lessons, now = lessons_of(told, CALENDAR, as_of, ks=ks)
    return rule_book((replace(lessons, tables={"calls": CALLS}), now), period)


def far_book() -> BookInput:
    """Deals dated before any day that a spreadsheet knows, after the last one, within one, and not at all."""
    table = open_deals(8)
    far = np.array(["1753-01-01", "1899-12-31", "1900-01-01", "12024-05-01", "9999-12-31", "2024-06-30T18", "NaT",
                    "2024-06-30"], dtype="datetime64[s]")  # fmt: skip
    return made_book(deals=table.assign(expected_close=far))


BOOKS: dict[str, BookInput] = {
    "far": far_book(),
    "plain": made_book(),
    "halved": made_book(factor=0.5),
    "odd": odd_book(),
    "empty": made_book(deals=open_deals(1).iloc[:0]),
    "day_30": example(AS_OF),
    "day_60": example(day("2024-05-30")),
    "day_0": example(day("2024-03-31"), book=False),
    "without_past": example(AS_OF, past=False),
    "summed": made_book(factor=0.5),
    "day_30_summed": example(AS_OF),
    "odd_summed": odd_book(),
}
#: Deals that are listed one by one where that is fewer than there are.
MOST = {"summed": 50, "day_30_summed": 1, "odd_summed": 3}
EDITED = {"edited_probability": ("Probability used", 0.999), "edited_amount": ("Amount used", 1e6)}


def deal_cell(sheets: Sheets, column: str, row: int) -> str:
    """Name of the cell of the deal ``row`` (from 0) in ``column`` of the sheet Deals."""
    head = int((sheets["Deals"][0] == "Deal").to_numpy().argmax())
    at = sheets["Deals"].iloc[head].tolist().index(column)
    return f"{chr(ord('A') + at)}{head + 2 + row}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("books")
    paths = {
        name: write_workbook(book, folder / f"{name}.xlsx", MOST.get(name, 10_000)) for name, book in BOOKS.items()
    }
    sheets = sheets_of(paths["plain"])
    for name, (column, value) in EDITED.items():
        at = deal_cell(sheets, column, 3)
        paths[name] = edited(paths["plain"], folder / f"{name}.xlsx", 1 + SHEETS.index("Deals"), at, value)
    return paths


@pytest.fixture(scope="module")
def reckoned(written: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    """All of them, recomputed in one go."""
    return recomputed(list(written.values()), tmp_path_factory.mktemp("office"))


# Values


@pytest.mark.parametrize("name", list(BOOKS))
def test_a_reader_that_does_not_reckon_sees_the_forecast(written: dict[str, Path], name: str) -> None:
    assert_equal_to_forecast(BOOKS[name], sheets_of(written[name]))


@needs_office
@pytest.mark.parametrize("name", list(BOOKS))
def test_recomputed_it_is_the_forecast_to_the_cent(reckoned: dict[str, Sheets], name: str) -> None:
    assert_equal_to_forecast(BOOKS[name], reckoned[name])


@needs_office
@pytest.mark.parametrize("name", list(EDITED))
def test_an_edit_of_one_deal_moves_its_groups_and_the_total_and_nothing_else(
    reckoned: dict[str, Sheets], name: str
) -> None:
    column, value = EDITED[name]
    deal, group = BOOKS["plain"].deals.iloc[3], BOOKS["plain"].groups.iloc[3]
    used = {"Probability used": deal["probability"], "Amount used": deal["amount_if_won"]}
    by = float(np.prod(list((used | {column: value}).values())) - np.prod(list(used.values())))
    was, now = forecast(reckoned["plain"]), forecast(reckoned[name])
    cells = BOOKS["plain"].cells.index
    hit = [level == "total" or group[level] == name for level, name in cells]
    moved = (now["Total"].astype("float64") - was["Total"].astype("float64")).to_numpy()
    np.testing.assert_allclose(moved, np.where(hit, by, 0.0), atol=CENT)
    assert sum(hit) == 3
    assert (now[["P10", "P50", "P90", "Won so far"]] == was[["P10", "P50", "P90", "Won so far"]]).all(axis=None)
    assert say(reckoned[name], "Equal to forecast.csv") == f"no: changed by hand, by up to {round(100 * abs(by))} cents"


@needs_office
@pytest.mark.parametrize("name", ["day_30", "day_60", "day_0", "without_past", "day_30_summed"])
def test_every_rule_that_is_a_sum_of_cells_is_recomputed(reckoned: dict[str, Sheets], name: str) -> None:
    table = table_of(reckoned[name]["Rules"], "Rule").set_index("Method")
    assert set(table.index) == set(RULES)
    own = {n: v for n, v in zip(BOOKS[name].given.forecast["method"], BOOKS[name].given.forecast["mean"], strict=True)
           if n in RULES}  # fmt: skip
    for rule, value in own.items():
        found = table.loc[rule, "By formula"]
        if not np.isfinite(value):
            assert table.loc[rule, "forecast.csv"] == "not known"
            assert pd.isna(found)
        elif rule == "ets" or rule.endswith("_call"):
            assert pd.isna(found)
            assert len(table.loc[rule, "How"]) > 20
        else:
            assert float(found) == pytest.approx(value, abs=CENT), rule
            assert table.loc[rule, "Difference in cents"] == 0
    if name == "day_30":  # by hand: W + 1000 · 0.6 + 400 · 0.2 + 80 · 0.5 + 10 · 0.1
        assert float(table.loc["crm_probability", "By formula"]) == pytest.approx(150 + 600 + 80 + 40 + 1)
        assert table["By formula"].notna().sum() >= 20


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 12), seed=st.integers(0, 999), factor=st.sampled_from([1.0, 0.0, 0.37, 2.5]))
def test_cached_values_are_the_forecast_of_any_book(tmp_path: Path, n: int, seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    table = open_deals(max(n, 8)).iloc[:n]
    table = table.assign(probability=rng.choice([0.0, 0.5, 1.0, 1 / 3], n), amount_if_won=rng.lognormal(10, 3, n))
    table["amount"] = np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(10, 3, n))
    table["expected_close"] = table["expected_close"].mask(rng.random(n) < 0.3)
    book = made_book(deals=table, factor=factor)
    assert_equal_to_forecast(book, sheets_of(write_workbook(book, tmp_path / "any.xlsx")))


# Text


@pytest.fixture(scope="module")
def tame(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Formulas of a workbook in which nothing is named oddly."""
    table = open_deals(8).assign(owner="x", stage="x")
    return formulas_of(write_workbook(made_book(deals=table), tmp_path_factory.mktemp("tame") / "tame.xlsx"))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(["=", "+", "-", "@", "<script>", "{=", "http://", "\t=", '"', ""]), rest=st.text())
def test_text_is_never_a_formula_and_reads_back_as_text(
    tmp_path: Path, tame: dict[str, list[str]], start: str, rest: str
) -> None:
    text = start + rest + "!"
    table = open_deals(8).assign(name=text, account_name=text, owner=text, stage=text, forecast_category=text)
    book = made_book(deals=table, group_labels={}, title=text, company=text, proof=text, what_counts=text)
    path = write_workbook(book, tmp_path / "text.xlsx")
    assert formulas_of(path) == tame
    shown = table_of(sheets_of(path)["Deals"], "Deal")
    assert set(shown["Account"]) == {plain(text)}
    assert set(shown["Stage"]) == {plain(text)}
    with zipfile.ZipFile(path) as file:
        assert not [n for n in file.namelist() if "vba" in n or "external" in n]
        assert not [n for n in file.namelist() if b"<hyperlink" in file.read(n)]


@given(st.text(st.characters(), max_size=40), st.integers(2, 30))
def test_text_is_cut_by_what_a_cell_holds(text: str, longest: int) -> None:
    cut = plain(text, longest)
    assert len(cut.encode("utf-16-le")) // 2 <= longest
    assert cut == plain(cut, longest)
    assert not re.search("[\x00-\x1f\ufffe\uffff]", cut)


def test_the_longest_text_stays_within_a_cell(tmp_path: Path) -> None:
    table = open_deals(8).assign(account_name="🙂" * 40_000)
    found = table_of(sheets_of(write_workbook(made_book(deals=table), tmp_path / "x.xlsx"))["Deals"], "Deal")
    text = str(found["Account"].iloc[0])
    assert text.endswith("…")
    assert LONGEST_CELL - 3 <= len(text.encode("utf-16-le")) // 2 <= LONGEST_CELL


def test_people_are_not_named_where_the_report_hides_them(tmp_path: Path) -> None:
    path = write_workbook(made_book(people="anonymous"), tmp_path / "x.xlsx")
    with zipfile.ZipFile(path) as file:
        text = " ".join(file.read(n).decode("utf-8") for n in file.namelist())
    assert "Person 1" in text
    assert not [x for pair in made_book().given.group_labels["owner"].items() for x in pair if x in text]


# The file


def test_equal_input_gives_equal_bytes_dated_by_the_forecast(tmp_path: Path) -> None:
    first, second = (write_workbook(made_book(), tmp_path / n).read_bytes() for n in ("a.xlsx", "b.xlsx"))
    assert first == second
    with zipfile.ZipFile(tmp_path / "a.xlsx") as file:
        assert set(re.findall(r"\d{4}-\d\d-\d\dT", file.read("docProps/core.xml").decode())) == {"2024-05-14T"}
        assert {i.date_time[0] for i in file.infolist()} == {1980}


def test_headers_are_frozen_and_repeated_and_one_page_wide(written: dict[str, Path]) -> None:
    with zipfile.ZipFile(written["plain"]) as file:
        texts = {n: file.read(f"xl/worksheets/sheet{i + 1}.xml").decode() for i, n in enumerate(SHEETS)}
        names = file.read("xl/workbook.xml").decode()
    for name in set(SHEETS) - {"About"}:
        assert 'state="frozen"' in texts[name], name
        assert f"{name}!$" in names
    assert all('fitToHeight="0"' in t and 'orientation="landscape"' in t for t in texts.values())


def test_the_deals_with_the_most_money_are_listed_and_the_others_summed_up(written: dict[str, Path]) -> None:
    sheets, book = sheets_of(written["summed"]), BOOKS["summed"]
    table = table_of(sheets["Deals"], "Deal")
    single, sums = table.iloc[:50], table.iloc[50:]
    assert single["Deal id"].tolist() == book.deals["deal_id"].head(50).tolist()
    further = sums["Deal"].str.extract(r"^(\d+) further deals?$", expand=False).astype(int)
    assert (further.sum(), 1 < len(sums) < 40) == (40, True)
    assert "last " + str(len(sums)) + " rows sum up 40 further" in str(sheets["Deals"].iloc[2, 0])
    others = book.deals.iloc[50:]
    for column, values in (
        ("Expected amount", others["probability"] * others["amount_if_won"]), ("Listed amount", others["amount"]),
        ("Amount for the rules", others["rule_amount"]),
    ):  # fmt: skip
        assert sums[column].astype("float64").sum() == pytest.approx(values.sum())
    promised = (sums["Amount for the rules"] * sums["CRM probability"]).astype("float64").sum()
    assert promised == pytest.approx((others["rule_amount"] * others["crm_probability"]).sum())
    assert sheets["About"].loc[(sheets["About"][0] == "Open deals").to_numpy(), 1].tolist() == [90]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(1, 30), most=st.integers(0, 12), seed=st.integers(0, 999))
def test_however_few_are_listed_every_part_of_every_group_stays(tmp_path: Path, n: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = open_deals(max(n, 8)).iloc[:n]
    table = table.assign(probability=rng.choice([0.0, 0.5, np.nan, 1 / 3], n), stage=rng.choice(["A", None], n))
    if table["probability"].isna().all():
        table["probability"] = 0.5
    table["amount_if_won"] = np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(10, 3, n))
    table["amount"] = np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(10, 3, n))
    table["rule_amount"] = np.where(rng.random(n) < 0.3, np.nan, table["amount"])
    table["expected_close"] = table["expected_close"].mask(rng.random(n) < 0.3)
    book = made_book(deals=table)
    assert_equal_to_forecast(book, sheets_of(write_workbook(book, tmp_path / "few.xlsx", most)))


def test_a_method_that_looks_at_no_deal_states_its_parts(tmp_path: Path) -> None:
    table = open_deals(8)
    book = made_book(deals=table)
    bare = replace(book, deals=table.assign(probability=np.nan, amount_if_won=np.nan))
    sheets = sheets_of(write_workbook(bare, tmp_path / "x.xlsx"))
    assert "stated, not added up" in str(sheets["Forecast"].iloc[3, 0])
    np.testing.assert_allclose(forecast(sheets)["Total"].astype("float64"), book.cells["total", "mean"], atol=CENT)


def test_only_a_total_and_nothing_else_is_a_workbook_too(tmp_path: Path) -> None:
    bare = made_empty()
    book = replace(made_book(deals=open_deals(1).iloc[:0]), given=bare)
    sheets = sheets_of(write_workbook(book, tmp_path / "x.xlsx"))
    assert list(sheets) == list(SHEETS)
    assert "Not yet proven" in str(sheets["Record"].iloc[1, 0])


def test_the_record_is_told_by_day_and_the_rest_in_wide_form(written: dict[str, Path]) -> None:
    sheets, given_ = sheets_of(written["plain"]), BOOKS["plain"].given
    record, parts = table_of(sheets["Record"], "Method"), table_of(sheets["Parts"], "Period")
    assert given_.scores is not None
    np.testing.assert_allclose(record["Wape"].astype("float64"), given_.scores["wape"], rtol=1e-12)
    assert record["Day of period (−1: all)"].astype(int).tolist() == given_.scores["day_of_period"].tolist()
    rows = given_.forecast.drop_duplicates(["method", "level", "group"])
    assert len(parts) == len(rows)
    assert parts["Total: mean"].astype("float64").sum() == pytest.approx(
        given_.forecast.loc[given_.forecast["part"] == "total", "mean"].sum()
    )


def test_deals_that_lack_a_column_are_refused() -> None:
    book = made_book()
    with pytest.raises(DataError, match="rule_amount"):
        replace(book, deals=book.deals.drop(columns="rule_amount"))
    with pytest.raises(DataError, match="expected groups of 90 deals, came 3"):
        replace(book, groups=book.groups.head(3))


@given(st.integers(0, 99), st.floats(0.2, 3.0))
def test_where_more_than_the_model_leads_one_factor_makes_its_means(seed: int, times: float) -> None:
    """Of all that is not won, at every level: the workbook multiplies the deals' sums by it."""
    rng = np.random.default_rng(seed)
    drawn = dict(zip(("won", "open_due", "open_pulled_in", "new"), rng.lognormal(3, 1, (4, 50)), strict=True))
    drawn["won"] = np.full(50, 7.0)
    drawn |= {"open": drawn["open_due"] + drawn["open_pulled_in"], "amount_change": np.zeros(50)}
    drawn["total"] = drawn["won"] + drawn["open"] + drawn["new"]
    cells = pd.DataFrame([("total", "total", p) for p in drawn], columns=["level", "group", "part"])
    draws = np.array(list(drawn.values()))
    model = Forecast(AS_OF, PERIOD, "model", cells, draws.mean(axis=1), draws)
    wanted = 7.0 + (drawn["total"] - 7.0) * times
    lead = with_total(model, wanted, float(wanted.mean()), "auto")
    none = pd.DataFrame()
    made = Made(Headline(lead, model, 1.0, "both", none), (), (), None, None, None, None, None, None)  # type: ignore[arg-type]
    assert made.factor == pytest.approx(times)
    for part in ("open_due", "open_pulled_in", "open", "new"):
        assert lead.value(part) == pytest.approx(made.factor * model.value(part))
    alone = replace(made, head=Headline(model, model, 1.0, "model", none))
    assert alone.factor == 1.0
