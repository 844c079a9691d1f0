"""Every text in every language, with the same names to put in; numbers and days as CLDR writes them."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from pipeforecast import configs
from pipeforecast.errors import SettingsError
from pipeforecast.metrics import CATALOGUE
from pipeforecast.metrics.counts import COUNTED
from pipeforecast.report.words import full_money, money, percent
from pipeforecast.wording import LANGUAGES, noop, nt, one_stop, retold, speaking, spoken_language, t
from pipeforecast.wording.catalogue import plural_forms, script_texts
from pipeforecast.wording.gather import ROOM, file_of, gathered, updated
from pipeforecast.wording.numerals import calendar_day, grouped, numerals_of, written

OTHERS = LANGUAGES[1:]
CONFIGS = Path(configs.__file__).parent
NAMES = re.compile(r"\{\w*\}")


@pytest.fixture(scope="module")
def texts():
    return gathered()


def forms(text) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (text,)


def test_the_code_says_something(texts):
    assert len(texts) > 300
    assert texts.get("Won so far") is not None


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_the_same_names(texts, language):
    told = read_po(file_of(language).open("rb"), locale=language)
    assert {(m.id, m.context) for m in told if m.id} == {(m.id, m.context) for m in texts if m.id}
    for message in told:
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        assert len(forms(message.string)) == (len(plural_forms(language)) if message.pluralizable else 1), message.id
        for said in forms(message.string):
            assert said, f"{message.id} has no translation"
            # Once for each: a name that is missing loses a number, one that is not there stops the page.
            assert set(NAMES.findall(said)) == set(NAMES.findall(forms(message.id)[-1])), said
            # Texts go into the page, and into its attributes, as they are; those of findings are escaped.
            assert message.context == "finding" or not re.search(r'[<>&"]', said), said


@pytest.mark.parametrize("language", OTHERS)
def test_files_are_up_to_date(texts, language):
    assert file_of(language).read_bytes() == updated(language, texts), "run python -m pipeforecast.wording.gather"


def test_polish_has_three_forms():
    with speaking("pl"):
        rows = [nt("{n} row", "{n} rows", n).replace("\u00a0", " ") for n in (1, 2, 4, 5, 12, 22, 112, 1000)]
    assert rows == ["1 wiersz", "2 wiersze", "4 wiersze", "5 wierszy", "12 wierszy", "22 wiersze", "112 wierszy",
                    "1 000 wierszy"]  # fmt: skip


def test_a_language_ends_with_its_block():
    with speaking("pl"):
        assert t("Won so far") == "Wygrane dotąd"
        with speaking("en"):
            assert t("Won so far") == "Won so far"
        assert spoken_language() == "pl"
    assert t("Won so far") == "Won so far"
    with pytest.raises(SettingsError, match=r"expected one of en, pl, zh, id, ms, came 'de'"), speaking("de"):
        pass


def test_a_text_that_is_not_known_is_said_in_english():
    with speaking("zh"):
        assert t(noop("nothing of the kind").upper()) == "NOTHING OF THE KIND"


@pytest.mark.parametrize("language", OTHERS)
@given(value=st.floats(0, 1e13), digits=st.integers(0, 2))
def test_numbers_are_those_of_babel(language, value, digits):
    text = f"{value:,.{digits}f}"
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    with speaking(language):
        assert written(text) == format_decimal(round(float(text.replace(",", "")), digits), pattern, locale=language)


@pytest.mark.parametrize("language", OTHERS)
@given(cents=st.integers(-(10**14), 10**14))
def test_an_amount_can_be_read_back(language, cents):
    told = numerals_of(language)
    with speaking(language):
        text = full_money(cents / 100)
    plain = text.replace(told.group, "").replace(told.decimal, ".").replace("−", "-")
    assert round(float(plain) * 100) == cents


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("value", [1_230, 45_600, 286_000, 2_860_000, 28_600_000, 286_000_000, 2_860_000_000])
def test_units_are_those_of_babel(language, value):
    with speaking(language):
        said = money(value).replace("\u00a0", " ")
    digits = len(said.split(numerals_of(language).decimal)[1].rstrip("\u00a0 " + "万亿千kKMJBTmlndtysrbj.")) if (
        numerals_of(language).decimal in said.rstrip(".")) else 0  # fmt: skip
    expected = format_compact_decimal(value, format_type="short", locale=language, fraction_digits=digits)
    if language != "zh" or value >= 10_000:
        assert said == expected.replace("\u00a0", " ")
    else:
        assert said == "1,230"


@pytest.mark.parametrize("language", OTHERS)
def test_percentages_and_days_are_those_of_babel(language):
    with speaking(language):
        assert percent(0.83) == format_percent(0.83, locale=language)
        for day in (date(2024, 5, 14), date(2023, 12, 1), date(2025, 1, 31)):
            said = calendar_day(day.year, day.month, day.day).replace("\u00a0", " ")
            assert said == format_date(day, "medium", locale=language).replace("\u00a0", " ")


def test_english_keeps_the_page_s_own_way():
    assert (money(2_860_000, "EUR"), percent(0.83), calendar_day(2024, 5, 14), grouped(1234)) == (
        "2.86\u00a0M\u00a0EUR", "83\u00a0%", "14\u00a0May\u00a02024", "1,234",
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_has_the_texts_that_it_says(texts, language):
    told = script_texts(language)
    said = {forms(m.id)[0] for m in texts if m.id and any(str(w).endswith(".js") for w, _ in m.locations)}
    assert set(told["texts"]) == (set() if language == "en" else said)
    assert told["tag"] == {"zh": "zh-Hans"}.get(language, language)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("context", ["reason", "finding", "benchmark", "currency", "part"])
def test_what_a_file_says_in_english_is_said_again(texts, language, context):
    """Filled in, every marked text is found by itself and no other, and what was put in stands in the translation."""
    marked = [m.id for m in texts if m.id and m.context == context]
    assert marked
    told = {m.id: m.string for m in read_po(file_of(language).open("rb"), locale=language) if m.context == context}
    for english in marked:
        names = list(dict.fromkeys(NAMES.findall(english)))
        values = {name: f"W{i}" for i, name in enumerate(names)}

        def put_in(text, values=values):
            for name, value in values.items():
                text = text.replace(name, value)
            return text

        with speaking(language):
            assert retold(context, put_in(english)) == put_in(told[english])
        assert retold(context, put_in(english)) == put_in(english)


def test_every_text_that_the_code_says_is_gathered(texts):
    """Also one within a string that is put together, where the gathering would not see it."""
    for path in sorted(ROOM.parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("t", "nt")
            if named and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                assert texts.get(node.args[0].value) is not None, f"{path.name}: {node.args[0].value}"


def test_what_is_put_into_a_text_is_said_too():
    with speaking("id"):
        assert retold("finding", "it rests on the history of the stage") == "ini bertumpu pada riwayat tahap"
        assert retold("finding", "nothing that we would say (…)") == "nothing that we would say (…)"
        # Braces that are no name stay.
        said = "stage A was last entered on 2024-01-01, B first on 2024-02-01: if they are one, say values: {A: B} for"
        assert "values: {A: B}" in retold("finding", f"{said} the stage in the mapping")


def test_every_metric_is_said_in_every_language(texts):
    """Formulas are gathered from the declarations; what they count has both its numbers; benchmarks are said."""
    for metric in CATALOGUE.values():
        assert texts.get(metric.formula) is not None, metric.name
        assert texts.get(COUNTED[metric.counts][0]) is not None
    shipped = yaml.safe_load((CONFIGS / "benchmarks" / "common.yaml").read_text(encoding="utf-8"))
    assert all(texts.get(b["what"], context="benchmark") for b in shipped["values"])


def test_a_sentence_ends_in_one_full_stop():
    """Also one that ends in an amount whose unit ends in one; English keeps whatever it is given."""
    with speaking("pl"):
        assert one_stop("zostanie 2 tys..") == "zostanie 2 tys."
        assert one_stop("do 2 tys.</span>.") == "do 2 tys.</span>"
        assert one_stop("… i tak dalej...") == "… i tak dalej..."
        assert one_stop("2 tys. i 3 tys.") == "2 tys. i 3 tys."
    assert one_stop("Acme Inc..") == "Acme Inc.."
