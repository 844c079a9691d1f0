"""The open deals as columns: every deal is there once, and what the tables say adds up to what the text says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import deals_frame, made_input

from pipeforecast.report import book
from pipeforecast.report.facts import facts as facts_of


def summed(values: list[float | None]) -> float:
    return sum(v or 0.0 for v in values)


def test_every_deal_is_there_and_sums_are_those_of_the_text(facts):
    told, deals, risk = facts["book"], facts["deals"], facts["risk"]
    assert told["n"] == deals["count"] == 90
    columns = [told[c] for c in ("name", "amount", "expected", "chance", "slip", "due", "likely", "risk", "cell")]
    assert {len(c) for c in columns} == {90}
    assert summed(told["amount"]) == pytest.approx(deals["amount"], abs=0.005)
    assert summed(told["expected"]) == pytest.approx(deals["expected"], abs=0.5)
    past = np.array(told["risk"]) == book.PAST
    slipping = np.array(told["risk"]) == book.SLIPPING
    assert past.sum() == risk["past_due"]["count"]
    assert slipping.sum() == risk["slipping"]["count"]
    amounts = np.array([v or 0.0 for v in told["amount"]])
    assert amounts[slipping].sum() == pytest.approx(risk["slipping"]["amount"])


def test_the_first_deals_are_those_of_the_text(facts):
    told, shown = facts["book"], facts["deals"]["shown"]
    for i, deal in enumerate(shown):
        day = pd.Timestamp(0) + pd.Timedelta(days=told["due"][i]) if told["due"][i] is not None else None
        mine = [told[c]["words"][told[c]["at"][i]] for c in ("account", "owner", "stage")]
        assert [told["name"][i], *mine] == [deal[c] for c in ("name", "account_name", "owner", "stage")]
        assert (day and str(day.date())) == deal["expected_close"]
        assert told["chance"][i] == pytest.approx(deal["p_win_in_period"], abs=1e-6)


def test_deals_keep_their_cell(given, facts):
    by_name = dict(zip(facts["book"]["name"], facts["book"]["cell"], strict=True))
    assert by_name == dict(zip(given.deals["name"], given.deals["cell"], strict=True))
    loose = facts_of(made_input(deals=deals_frame().drop(columns="cell"), cells=None))["book"]
    assert set(loose["cell"]) == {-1}


def test_reasons_are_told_of_the_largest(monkeypatch):
    deals = deals_frame().assign(reason_1="a", reason_2=None, reason_3="c")
    assert facts_of(made_input(deals=deals))["book"]["reasons"] == [["a", "c"]] * 90
    monkeypatch.setattr(book, "MOST_REASONED", 5)
    assert len(facts_of(made_input(deals=deals))["book"]["reasons"]) == 5


def test_no_deal_is_named_where_none_shall_be():
    assert facts_of(made_input(top_deals=0))["book"] is None
