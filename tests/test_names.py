"""Every column and every metric has a name in five languages, and no name means two things."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from pipeforecast.asked import AskedSettings
from pipeforecast.contract import TABLES
from pipeforecast.errors import SettingsError
from pipeforecast.metrics import CATALOGUE
from pipeforecast.names import LANGUAGES, names_in, read_names, same

ONE = "language: xx\ntitle: X\ncolumns: {all: {owner: [Owner]}}\nmetrics: {won_deals: [Won deals]}\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_name(language: str) -> None:
    names = names_in(language)
    assert names.language == language
    for table, columns in TABLES.items():
        for column in columns:
            assert names.column(table, column)[0].strip()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_no_name_stands_for_two_columns_of_a_table(language: str, table: str) -> None:
    names = names_in(language)
    used = [alias for c in TABLES[table] for alias in {same(a) for a in (c, *names.column(table, c))}]
    assert [name for name, n in Counter(used).items() if n > 1] == []
    assert "" not in used
    assert set(names.aliases(table).values()) == set(TABLES[table])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_has_a_name_of_its_own(language: str) -> None:
    names = names_in(language)
    names.check_metrics(CATALOGUE)
    assert [m for m in CATALOGUE if m not in names.metrics] == []
    used = Counter(same(alias) for several in names.metrics.values() for alias in several)
    assert [name for name, n in used.items() if n > 1] == []


def test_english_titles_are_those_of_the_declarations() -> None:
    names = names_in("en")
    assert {m.name: names.metric(m.name) for m in CATALOGUE.values()} == {m.name: m.title for m in CATALOGUE.values()}


@pytest.mark.parametrize("language", [x for x in LANGUAGES if x != "en"])
def test_a_language_is_not_a_copy_of_english(language: str) -> None:
    """Abbreviations may be the same; names as a whole are not."""
    own, english = names_in(language), names_in("en")
    same_titles = [m for m in CATALOGUE if own.metric(m) == english.metric(m)]
    assert len(same_titles) <= len(CATALOGUE) // 20
    shown = [(t, c) for t, columns in TABLES.items() for c in columns]
    copied = {c for t, c in shown if own.column(t, c)[0] == english.column(t, c)[0]}
    assert copied <= {"region", "segment", "pipeline", "status"}


def test_the_verb_knows_every_language() -> None:
    assert get_args(get_args(AskedSettings.model_fields["language"].annotation)[0]) == LANGUAGES


def test_spelling_does_not_matter() -> None:
    assert same("Close_Date") == same("closeDate") == same(" close date ")
    assert names_in("pl").aliases("deals")[same("data zamkniecia".replace("zamkniecia", "ZAMKNIĘCIA"))] == "closed_at"
    assert names_in("zh").aliases("deals")[same("商机金额")] == "amount"


def test_one_table_may_call_a_column_otherwise() -> None:
    names = names_in("en")
    assert names.column("spend", "amount")[0] == "Spend"
    assert names.column("deals", "amount")[0] == "Amount"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: X", "titel: X", "titel"),
        ("owner: [Owner]", "ownr: [Owner]", "ownr.*owner"),
        ("all:", "deal:", "no table 'deal'"),
        ("[Owner]", "[]", "owner"),
        ("[Owner]", "Owner", "owner"),
        ("language: xx", "language: [", "no YAML"),
    ],
)
def test_what_is_not_known_is_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read_names(ONE.replace(old, new), "xx.yaml")


def test_a_metric_that_is_not_of_the_catalogue_is_refused() -> None:
    names = read_names(ONE.replace("won_deals", "won_dels"), "xx.yaml")
    with pytest.raises(SettingsError, match=r"won_dels.*won_deals"):
        names.check_metrics(CATALOGUE)
    assert names.metric("never_named") == "never_named"


def test_a_language_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="'de'"):
        names_in("de")
    with pytest.raises(SettingsError, match="colour"):
        names_in("en").column("deals", "colour")
