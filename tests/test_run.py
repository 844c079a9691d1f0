"""What is read and built once: the period, the currency, the order of the findings."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeforecast.errors import SettingsError
from pipeforecast.run import period_of, prepared


def test_nothing_written_after_as_of_is_handed_on(told):
    run = prepared(told("forecast", "as_of=2023-03-31"))
    assert run.known.written_until == pd.Timestamp("2023-03-31")
    assert (run.known.states["recorded_at"] < pd.Timestamp("2023-04-01")).all()


def test_a_later_period_may_be_named_and_an_earlier_one_is_refused(told):
    named = told("forecast", "as_of=2023-06-29", "period=2023Q3")
    assert period_of(named, prepared(named)).name == "2023Q3"
    gone = told("forecast", "as_of=2023-06-29", "period=2023Q1")
    with pytest.raises(SettingsError, match="2023Q1 ended on 2023-03-31"):
        period_of(gone, prepared(gone))


def test_the_currency_is_the_mappings_where_the_deals_name_none(told):
    assert prepared(told("forecast")).currency == "units"
    assert prepared(told("forecast", "crm.currency=CHF")).currency == "CHF"


def test_serious_findings_come_first(told):
    order = {"error": 0, "warning": 1, "info": 2}
    found = [order[f.severity] for f in prepared(told("forecast")).findings]
    assert found == sorted(found)
