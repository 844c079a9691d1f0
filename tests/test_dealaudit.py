"""A fact of birth that knows the outcome, or the closing, is met before any training; honest ones are left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeforecast.contract import OPEN, WON
from pipeforecast.dealaudit import audit_deals, cleaned_history
from pipeforecast.demo import make_company
from pipeforecast.errors import DataError
from pipeforecast.history import DealHistory
from pipeforecast.overrides import composed
from pipeforecast.run import prepared
from pipeforecast.settings import RunSettings, settings_for
from pipeforecast.snapshot import take_snapshots
from pipeforecast.workflow import check, forecast, train
from stories import MUTATIONS

Told = Callable[..., RunSettings]


def with_fact(history: DealHistory, values: object, role: str = "birth", name: str = "fact") -> DealHistory:
    deals = history.deals.assign(**{name: values})
    return replace(history, deals=deals, roles={**history.roles, name: role})


def codes(history: DealHistory, *allow: str) -> dict[str, str]:
    return {f.code: f.severity for f in audit_deals(history, allow).findings if f.column == "fact"}


@pytest.fixture(scope="module")
def status(company_history: DealHistory) -> pd.Series:
    return company_history.latest()["status"].reindex(company_history.deals.index)


def test_a_company_whose_facts_are_honest_has_no_leak(company_history: DealHistory) -> None:
    found = audit_deals(company_history)
    assert not found.stops
    assert not found.left_out
    assert not [f for f in found.findings if f.code.startswith("LEAK")]


@pytest.mark.parametrize(("leaks", "code"), [
    (lambda s: np.where(s == WON, "C-1", None), "LEAK-ONLY-REACHED"),
    (lambda s: np.where((s != WON) & (s != OPEN), "too dear", None), "LEAK-ONLY-OTHERS"),
    (lambda s: np.where(s != OPEN, "yes", None), "LEAK-ONLY-CLOSED"),
    (lambda s: np.where(s == OPEN, "prospect", "filed"), "LEAK-SEPARATES"),
    (lambda s: np.where(s == WON, 10.0, 1.0), "LEAK-SEPARATES"),
])  # fmt: skip
def test_a_leak_stops_unless_it_is_allowed_or_teaches_nothing(
    company_history: DealHistory, status: pd.Series, leaks: Callable, code: str
) -> None:
    values = leaks(status)
    column = pd.Series(values, dtype=None if values.dtype.kind == "f" else "string", index=status.index)
    leaky = with_fact(company_history, column)
    assert codes(leaky) == {code: "error"}
    with pytest.raises(DataError, match=r"leakage audit stops.*\+crm.roles.allow_leaks=\[fact\]"):
        audit_deals(leaky).stop("+crm.roles.allow_leaks")
    assert set(codes(leaky, "fact").values()) == {"warning"}
    assert not audit_deals(leaky, ["fact"]).stops
    assert not audit_deals(with_fact(company_history, column, "today")).stops
    assert not audit_deals(with_fact(company_history, column, "tracked")).stops


@pytest.mark.parametrize("since", [0.2, 0.5, 0.8, 0.95])
def test_a_field_that_was_introduced_one_day_is_no_leak(company_history: DealHistory, since: float) -> None:
    created = company_history.deals["created_at"]
    filled = created >= created.quantile(since)
    assert not audit_deals(
        with_fact(company_history, pd.Series("x", created.index, dtype="string").where(filled))
    ).stops


def test_a_name_of_what_comes_afterwards_teaches_nothing(company_history: DealHistory, as_of: pd.Timestamp) -> None:
    rng = np.random.default_rng(0)
    named = with_fact(company_history, rng.random(len(company_history.deals)), name="won_amount_band")
    found = audit_deals(named)
    assert found.left_out == ("won_amount_band",)
    assert "won_amount_band" in take_snapshots(named, [as_of]).birth_facts
    assert "won_amount_band" not in take_snapshots(cleaned_history(named, found), [as_of]).birth_facts


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_later_day_changes_no_judgement(company_history: DealHistory, as_of: pd.Timestamp, name: str) -> None:
    """Which facts stop a training, and which do not teach, is decided from what was known on the evening."""
    named = with_fact(company_history, 1.0, name="won_amount_band")
    mutated = MUTATIONS[name](named, as_of, np.random.default_rng(3))
    before, after = (audit_deals(h.known_by(as_of)) for h in (named, mutated))
    assert (after.stops, after.left_out) == (before.stops, before.left_out)
    assert before.left_out == ("won_amount_band",)


# The canary: a fact that is mapped as one of birth and filled at closing


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose product is filled in when a deal closes."""
    folder = tmp_path_factory.mktemp("canary")
    make_company(n_deals=700, seed=3).write(folder / "exports")
    path = folder / "exports" / "Opportunity.csv"
    table = pd.read_csv(path, dtype="string", keep_default_na=False)
    table["Product__c"] = table["Product__c"].where(table["IsClosed"].isin(["true", "1"]), "")
    table.to_csv(path, index=False)
    return folder


def asked(verb: str, canary: Path, *words: str) -> Any:
    own = (
        [] if verb == "check" else ["draws=100", "model.coefficient_draws=2", "origins.periods=2", "origins.days=[45]"]
    )
    own = [w for w in own if not ("model=rule" in words and w.startswith("model."))]
    said = [f"source={canary}/exports", f"out={canary}/out", "tracking=off", "crm=salesforce", *own, *words]
    return settings_for(verb, composed(verb, said))


def test_check_names_the_canary(canary: Path) -> None:
    assert "error   LEAK-ONLY-CLOSED" in check(asked("check", canary))
    found = pd.read_csv(canary / "out" / "findings.csv")
    errors = found.loc[found["severity"] == "error", ["code", "column", "repair"]].to_numpy().tolist()
    assert errors == [["LEAK-ONLY-CLOSED", "product", "the training stops"]]


@pytest.mark.parametrize(("verb", "run"), [("train", train), ("forecast", forecast)])
def test_what_teaches_refuses_the_canary(canary: Path, verb: str, run: Callable[[Any], str]) -> None:
    with pytest.raises(DataError, match=r"product is filled in 100% of those that closed.*allow_leaks=\[product\]"):
        run(asked(verb, canary))


@pytest.mark.parametrize("words", [
    ("+crm.roles.allow_leaks=[product]",), ("model=rule", "model.name=stage_rate"),
])  # fmt: skip
def test_a_canary_that_is_allowed_or_that_nothing_looks_at_stops_nothing(canary: Path, words: tuple[str, ...]) -> None:
    assert prepared(asked("forecast", canary, "proof=none", *words)).known.roles["product"] == "birth"


def test_check_audits_leads_too(tmp_path: Path, told: Told) -> None:
    settings = told("check")
    n = 200
    made = pd.date_range("2022-01-03", periods=n, freq="2D").strftime("%Y-%m-%d")
    leads = pd.DataFrame({"lead_id": [f"L{i}" for i in range(n)], "created_at": made, "lead_source": "Web"})
    leads["converted_at"] = [made[i] if i % 3 == 0 else "" for i in range(n)]
    leads["lead_source"] = ["Deal desk" if i % 3 == 0 else "" for i in range(n)]
    leads.to_csv(tmp_path / "exports" / "leads.csv", index=False)
    said = check(settings)  # type: ignore[arg-type]
    assert "LEAK-ONLY-REACHED" in said
    assert "lead_source is filled in 100% of those that reached it" in said
