"""The audit's page says what its tables say, and runs nothing that came with the data."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from small_pipeline import AS_OF, audited, company, small_audit

from english import left_in_english
from pipeforecast.audit import Audit
from pipeforecast.report.audit_page import audit_facts, render_audit, write_audit_page
from stories import tell

NASTY = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def made() -> Audit:
    return small_audit()


def test_it_is_said_in_the_reader_s_language_and_nobody_hidden_is_named(made: Audit) -> None:
    page = render_audit(audit_facts(made, AS_OF, "EUR", "zh"))
    assert left_in_english(page) == []
    owners = [o for o in made.owners["owner"] if not o.startswith("(")]
    facts = audit_facts(made, AS_OF, "EUR", "en", lambda owner: owner != owners[0])
    shown = {o["owner"] for o in facts["owners"]}
    assert "Person 1" in shown
    assert owners[0] not in shown | {d["owner"] for d in facts["shown"]}
    nobody = audit_facts(made, AS_OF, "EUR", "en", lambda _: False)
    assert {o["owner"] for o in nobody["owners"]} - {"(none)"} == {f"Person {i + 1}" for i in range(len(owners))}


def test_the_page_says_what_the_tables_say(made: Audit) -> None:
    facts = audit_facts(made, AS_OF, "EUR")
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["head"]["deals"], facts["head"]["flagged"]) == (len(made.deals), made.deals["flag"].notna().sum())
    assert facts["head"]["amount"] == pytest.approx(made.deals["at_stake"].sum())
    assert {r["flag"]: r["open_deals"] for r in facts["flags"]} == made.flags.set_index("flag")["open_deals"].to_dict()
    page = render_audit(facts)
    shown = re.findall(r'data-value="([^"]*)">', page[page.index('id="flag-table"') : page.index('id="review"')])
    told = made.flags[(made.flags["status"] != "not available").to_numpy()]
    expected = (
        told[["open_deals", "at_stake", "win_rate", "win_rate_same_stage", "win_rate_without", "year_share"]]
        .to_numpy()
        .ravel()
    )
    assert len(shown) == len(expected)
    for text, value in zip(shown, expected, strict=True):
        assert (text == "") == bool(pd.isna(value))
        assert text == "" or float(text) == pytest.approx(float(value))
    assert len(facts["review"]) == made.review["owner"].nunique()


def test_text_from_the_data_is_never_markup(made: Audit) -> None:
    nasty = dict.fromkeys(("name", "stage", "next_step", "owner_name"), NASTY)
    named = replace(made, deals=made.deals.assign(**nasty), review=made.review.assign(**nasty),
                    owners=made.owners.assign(owner_name=NASTY))  # fmt: skip
    page = render_audit(audit_facts(named, AS_OF, NASTY))
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page) == []


@pytest.mark.parametrize("deals", [[], company()], ids=["nothing", "nothing open"])
def test_nothing_open_is_a_page_that_says_so(deals: list, tmp_path) -> None:
    empty = audited(tell(deals, until="2024-04-30"))
    path = write_audit_page(audit_facts(empty, AS_OF, "EUR"), tmp_path / "audit.html")
    assert "No open deals on" in path.read_text(encoding="utf-8")
