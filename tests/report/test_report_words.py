from __future__ import annotations

import pytest

from pipeforecast.report.svg import Scale, scale_of, tag
from pipeforecast.report.words import clean, count, day, full_money, money, percent, shortened, spoken, units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (12.4, "12"), (999.4, "999"), (999.6, "1.00 k"), (12_345, "12.3 k"), (99_960, "100 k"),
        (999_499, "999 k"), (999_600, "1.00 M"), (1_234_567, "1.23 M"), (2.5e9, "2.50 bn"), (-1_234_567, "−1.23 M"),
        (-0.2, "0"), (None, "–"),
    ],
)  # fmt: skip
def test_money(value, text):
    assert money(value).replace("\u00a0", " ") == text


def test_full_money():
    assert full_money(1234567.891, "EUR").replace("\u00a0", " ") == "1,234,567.89 EUR"
    assert full_money(-0.001) == "0.00"
    assert full_money(-5) == "−5.00"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.0004, "<0.1 %"), (0.9999, ">99.9 %"), (0.125, "12 %"), (0.083, "8.3 %"),
     (0.996, "99.6 %"), (-0.05, "−5 %"), (None, "–")],
)  # fmt: skip
def test_percent(share, text):
    assert percent(share).replace("\u00a0", " ") == text


def test_other_words():
    assert day("2024-05-14").replace("\u00a0", " ") == "14 May 2024"
    assert count(1, "deal") == "1\u00a0deal"
    assert count(3204, "deal") == "3,204\u00a0deals"
    assert spoken("same_stage") == "Same stage"
    assert shortened("abcdef", 4) == "abc…"
    assert clean(float("nan")) == clean(None) == ""


def test_scale_stays_within_its_ends():
    scale = Scale(0, 10)
    assert scale.at(-5) == 1
    assert scale.at(50) == 99
    assert Scale(3, 3).at(3) == 50
    assert scale_of([None]).ticks()
    assert scale.ticks() == [0, 2, 4, 6, 8, 10]


def test_tag_escapes():
    assert tag("a", "<b>", class_='"x"', data_tip="&") == '<a class="&#34;x&#34;" data-tip="&amp;">&lt;b&gt;</a>'


def test_one_of_what_a_metric_counts_is_one():
    said = [units(n, name).replace("\u00a0", " ") for n, name in ((1, "deals won"), (2, "deals won"))]
    assert said == ["1 deal won", "2 deals won"]
    more = ("campaign touches", "replies", "existing accounts", "e-mails")
    assert [units(1, x).split("\u00a0")[1] for x in more] == [
        "campaign touch", "reply", "existing account", "e-mail",
    ]  # fmt: skip
