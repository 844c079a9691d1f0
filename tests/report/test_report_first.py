"""What is serious comes first: each code of the report's own stands on the first screen when it applies."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from made import AS_OF, backtest_frame, deals_frame, made_empty, made_input, scores_frame, tie_frame

from pipeforecast.forecast import QUANTILES
from pipeforecast.report.brief import first_lines
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.page import render


def few() -> ReportInput:
    return made_input(scores=scores_frame().assign(n_periods=5))


def past_due() -> ReportInput:
    return made_input(deals=deals_frame(6).assign(expected_close=AS_OF - pd.Timedelta(days=9)))


def overlapping() -> ReportInput:
    rows = backtest_frame()
    end = rows["as_of"] + pd.Timedelta(days=60)
    late = (rows["period"] == "2023Q4").to_numpy()
    return made_input(backtest=rows.assign(period_end=end.where(~late, rows["as_of"])))


CASES = {
    "WORSE-THAN-A-RULE": (lambda: made_input(scores=scores_frame(1.2)), "error"),
    "SUSPICIOUSLY-GOOD": (lambda: made_input(scores=scores_frame(0.02)), "warning"),
    "PAST-DUE-DATES": (past_due, "warning"),
    "OVERLAP-IN-TIME": (overlapping, "error"),
    "TOO-FEW-QUARTERS": (few, "warning"),
    "TIE-BROKEN": (lambda: made_input(tie=tie_frame().assign(used_count=1)), "error"),
}


@pytest.mark.parametrize("code", CASES)
def test_a_serious_finding_is_on_the_first_screen(code: str) -> None:
    make, severity = CASES[code]
    given = make()
    found = facts_of(given)["findings"]
    mine = next(f for f in found if f["code"] == code)
    assert mine["severity"] == severity
    ranks = [("error", "warning", "info").index(f["severity"]) for f in found]
    assert ranks == sorted(ranks)
    first = render(facts_of(given)).split('class="know"')[1].split("</ul>")[0]
    assert f"<code>{code}</code>" in first


def test_periods_that_were_forecast_before_their_end_do_not_overlap() -> None:
    rows = backtest_frame()
    clean = made_input(backtest=rows.assign(period_end=rows["as_of"] + pd.Timedelta(days=1)))
    assert facts_of(clean)["past"]["overlap"] == []
    assert facts_of(overlapping())["past"]["overlap"] == ["2023Q4"]
    assert facts_of(made_input())["past"]["overlap"] == []


def test_what_counts_and_in_which_currency_is_said() -> None:
    page = render(facts_of(made_input()))
    assert "What counts" in page
    assert "not recognised revenue" in page
    assert "Amounts in EUR" in page


def test_a_period_without_deals_says_what_is_missing_and_draws_no_range():
    """Nothing open, nothing expected: a range from 0 to 0 and a chance of 50 % would say what nobody knows."""
    given = made_empty()
    nought = given.forecast.assign(mean=0.0, **dict.fromkeys(QUANTILES, 0.0))
    told = facts_of(replace(given, forecast=nought))
    assert told["headline"]["settled"]
    page = render(told)
    assert "No deal is open, and no further one is expected" in page
    assert "export deals of some complete periods" in page
    assert 'id="range-80"' not in page
    assert 'id="reach"' not in page
    assert not facts_of(made_input())["headline"]["settled"]


def test_a_period_that_has_not_begun_says_when_it_does():
    early = replace(made_input(), day_of_period=-30)
    page, lines = render(facts_of(early)), first_lines(facts_of(early))
    assert "Begins in 31\u00a0days" in page
    assert "Day -30" not in page
    assert "31 days before it begins" in lines
