"""Filters keep every number consistent: the page says what Python makes of the same draws."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pipeforecast.report import words, write_report
from pipeforecast.report.cells import DRAWN, unpacked
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.page import script_wording
from pipeforecast.report.words import count, day, full_money, money, percent
from pipeforecast.wording import LANGUAGES, nt, speaking

pytestmark = pytest.mark.browser
SETS = 30


@pytest.fixture(scope="module")
def report(made, tmp_path_factory) -> Path:
    return write_report(made.made_input(), tmp_path_factory.mktemp("filtered") / "report.html")


@pytest.fixture(scope="module")
def facts(made) -> dict:
    return facts_of(made.made_input())


def rolled(facts: dict, chosen: dict[str, int]) -> tuple[np.ndarray, dict[str, float], dict[str, np.ndarray]]:
    """Cells of a selection, and the means and draws of the parts that Python makes of them."""
    cells = facts["cells"]
    inside = np.ones(cells["n"], dtype=bool)
    for k, told in enumerate(cells["filters"]):
        if told["column"] in chosen:
            inside &= np.array(cells["groups"][k]) == chosen[told["column"]]
    mean = {part: sum(np.array(v)[inside]) / 100 for part, v in cells["mean"].items()}
    draws = {part: d[inside].sum(axis=0) for part, d in zip(DRAWN, unpacked(cells), strict=True)}
    draws["won"] = np.full(cells["kept"], mean["won"])
    draws["total"], mean["total"] = sum(draws.values()), sum(mean.values())
    return inside, mean, draws


def random_sets(facts: dict) -> list[dict[str, int]]:
    rng, out = np.random.default_rng(5), []
    for _ in range(SETS):
        told = facts["cells"]["filters"]
        some = rng.choice(len(told), size=rng.integers(1, len(told) + 1), replace=False)
        out.append({told[k]["column"]: int(rng.integers(0, len(told[k]["groups"]))) for k in some})
    return out


def choose(page, chosen: dict[str, int], facts: dict) -> None:
    for told in facts["cells"]["filters"]:
        at = chosen.get(told["column"])
        page.select_option(f"select[name={told['column']}]", "" if at is None else str(at))
    wanted = "false" if chosen else "true"
    page.wait_for_function(f"document.getElementById('filter-note').hidden === {wanted}")
    # The address is written last.
    hash_of = "&".join(
        f["column"] + "=" + f["groups"][chosen[f["column"]]] for f in facts["cells"]["filters"] if f["column"] in chosen
    )
    page.wait_for_function("h => decodeURIComponent(location.hash.slice(1)) === h", arg=hash_of)


def title(page, number: str) -> list[str]:
    return page.eval_on_selector_all(f"[data-number={number}] [title]", "all => all.map(e => e.title)")


def test_the_page_equals_the_roll_up_of_the_same_draws_for_any_filters(look, report, facts):
    page = look(report)
    for chosen in random_sets(facts):
        choose(page, chosen, facts)
        inside, mean, draws = rolled(facts, chosen)
        q = dict(zip((2.5, 10, 25, 50, 75, 90, 97.5), np.percentile(draws["total"], (2.5, 10, 25, 50, 75, 90, 97.5)),
                     strict=True))  # fmt: skip
        eur = facts["head"]["currency"]
        assert set(title(page, "p50")) == {full_money(q[50], eur)}, chosen
        assert set(title(page, "mean")) == {full_money(mean["total"], eur)}
        for name, low, high in (("50", 25, 75), ("80", 10, 90), ("95", 2.5, 97.5)):
            assert title(page, f"range{name}")[:2] == [full_money(q[low], eur), full_money(q[high], eur)]
        for part in ("won", *DRAWN, "total"):
            told = [title(page, f"part-{part}-{x}")[0] for x in ("mean", "p10", "p90")]
            ends = np.percentile(draws[part], (10, 90))
            assert told == [full_money(v, eur) for v in (mean[part], *ends)], (chosen, part)
        assert title(page, "open") == [full_money(mean["open_due"] + mean["open_pulled_in"], eur)]
        quota = quota_of(facts, chosen)
        said = "none is set for this selection"
        if quota is not None:
            said = f"reached with probability {percent(float((draws['total'] >= quota).mean()))}"
        assert page.inner_text("#p-hit") == said
        held = np.isin(facts["book"]["cell"], np.flatnonzero(inside))
        assert page.locator("#deals-table tbody tr").count() == held.sum()
        assert page.inner_text("#deals .found") == f"{held.sum()}\u00a0deal" + ("" if held.sum() == 1 else "s")
        amounts = [v or 0.0 for v, h in zip(facts["book"]["amount"], held, strict=True) if h]
        assert title(page, "deals-amount") == [full_money(sum(amounts), eur)]


def quota_of(facts: dict, chosen: dict[str, int]) -> float | None:
    """Quota of a chosen group from whose cells no other choice takes any away."""
    cells = facts["cells"]
    inside = rolled(facts, chosen)[0]
    for k, told in enumerate(cells["filters"]):
        at = chosen.get(told["column"])
        if at is None or told["quotas"][at] is None:
            continue
        if (np.array(cells["groups"][k]) == at).sum() == inside.sum():
            return told["quotas"][at]
    return None


def test_groups_of_a_selection_are_added_up_from_the_same_draws(look, report, facts):
    page = look(report)
    choose(page, {"segment": 0, "deal_type": 1}, facts)
    owners = next(f for f in facts["cells"]["filters"] if f["column"] == "owner")
    told = "rows => rows.map(r => [0, 2, 5].map(i => i ? Number(r.cells[i].dataset.value) : r.cells[i].textContent))"
    shown = page.eval_on_selector_all("#groups-panels [data-level=owner] tbody tr", told)
    assert [s[0] for s in shown] == [s[0] for s in sorted(shown, key=lambda s: -s[1])]
    assert len(shown) == len(owners["groups"])
    for name, mean, p90 in shown:
        told = rolled(facts, {"segment": 0, "deal_type": 1, "owner": owners["groups"].index(name)})
        assert mean == pytest.approx(told[1]["total"], abs=0.005)
        assert p90 == pytest.approx(np.percentile(told[2]["total"], 90))
    assert sum(s[1] for s in shown) == pytest.approx(rolled(facts, {"segment": 0, "deal_type": 1})[1]["total"])


def test_without_a_filter_the_page_says_what_forecast_csv_says_and_says_it_again_when_cleared(
    look, made, report, facts
):
    page = look(report)
    rows = made.forecast_frame().query("method == 'model' and level == 'total'").set_index("part")
    before = page.inner_text("main")
    for _ in range(2):
        assert title(page, "p50")[0] == full_money(rows.loc["total", "p50"], "EUR")
        assert title(page, "range80")[:2] == [full_money(rows.loc["total", q], "EUR") for q in ("p10", "p90")]
        for part in ("won", *DRAWN, "total"):
            assert title(page, f"part-{part}-mean") == [full_money(rows.loc[part, "mean"], "EUR")]
        assert page.inner_text("#p-hit") == "reached with probability 31\u00a0%"
        choose(page, {"owner": 1, "segment": 2}, facts)
        assert page.inner_text("main") != before
        page.click("#filters .clear")
        page.wait_for_function("document.getElementById('filter-note').hidden")
    assert page.inner_text("main") == before
    assert page.evaluate("location.hash") == ""
    assert page.evaluate("document.activeElement.tagName") == "SELECT"


def test_what_a_filter_cannot_keep_is_grey_and_says_why(look, report, facts):
    page = look(report)
    assert page.locator(".whole, .whole-note").count() == 0
    choose(page, {"region": 0}, facts)
    for place in (".proof", "#rules", "#past", "#data"):
        assert "whole" in page.get_attribute(place, "class").split()
        assert re.search("Not filtered: .*(whole company|as a whole)", page.inner_text(place))
    assert page.locator("#deals.whole, #parts.whole").count() == 0


def test_a_link_keeps_the_filters(look, report, facts, chromium):
    page = look(report)
    choose(page, {"owner": 0, "deal_type": 1}, facts)
    link, said = page.url, page.inner_text("#filter-words")
    assert "#" in link
    assert "Ada Osei" in said
    page.click(".contents a[href='#deals']")
    assert page.url == link
    page.reload()
    page.wait_for_function("!document.getElementById('filter-note').hidden")
    assert page.inner_text("#filter-words") == said
    assert page.get_attribute("#filter-words", "aria-live") == "polite"


def test_an_address_that_names_nothing_known_filters_nothing(look, report):
    page = look(report)
    page.evaluate("location.hash = 'owner=Nobody&colour=red'")
    page.wait_for_timeout(100)
    assert page.locator(".whole").count() == 0
    assert page.is_hidden("#filter-note")


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_those_of_python(chromium, language):
    """Money, percentages and days: the page's script writes what `report.words` writes, in every language."""
    script = (Path(words.__file__).parent / "templates" / "words.js").read_text(encoding="utf-8")
    rng = np.random.default_rng(2)
    values = [0.0, 0.5, 1.5, 2.5, 999.4, 999.5, 999.6, 12.5, 0.125, 99950.0, 1.005e6, 2.5e9, 1.2e13, -0.2, -1234567.891]
    values += np.round(np.exp(rng.uniform(0, 25, 300)), 2).tolist()
    shares = [0.0, 1.0, 0.0004, 0.9999, 0.125, 0.083, 0.996, 0.005, 0.0995, 0.995, 0.25, -0.05]
    shares += rng.uniform(0, 1, 300).tolist()
    days = list(range(19000, 20000, 7))
    say = """([source, values, shares, days, wording]) => {
      const names = "return [money, fullMoney, percent, day, count, nt];";
      const [m, f, p, d, c, nt] = new Function("page", source + names)({wording});
      const deals = [0, 1, 2, 5, 12, 22, 101, 1234];
      return [values.map(v => m(v)), values.map(v => m(v, "EUR")), values.map(v => f(v, "EUR")), shares.map(v => p(v)),
              days.map(v => d(v)), deals.map(n => c(n, "deal", "deals")),
              deals.map(n => nt("CRM date passed {n} day ago", "CRM date passed {n} days ago", n))];
    }"""
    page = chromium.new_page()
    with speaking(language):
        told = page.evaluate(say, [script, values, shares, days, script_wording()])
        deals = [0, 1, 2, 5, 12, 22, 101, 1234]
        said = [
            [money(v) for v in values], [money(v, "EUR") for v in values], [full_money(v, "EUR") for v in values],
            [percent(s) for s in shares], [day(str(np.datetime64(d, "D"))) for d in days],
            [count(n, "deal", "deals") for n in deals],
            [nt("CRM date passed {n} day ago", "CRM date passed {n} days ago", n) for n in deals],
        ]  # fmt: skip
    page.close()
    assert told == said


def test_an_owner_within_the_chosen_region_keeps_its_quota(look, report, facts):
    """Ada sells in EMEA alone: choosing both is choosing Ada, whose quota is hers; a segment more has none."""
    told = {f["column"]: f for f in facts["cells"]["filters"]}
    ada, emea = told["owner"]["groups"].index("Ada Osei"), told["region"]["groups"].index("EMEA")
    page = look(report)
    choose(page, {"owner": ada, "region": emea}, facts)
    assert page.inner_text("#quota") == money(900_000.0)
    assert "reached with probability" in page.inner_text("#p-hit")
    choose(page, {"owner": ada, "region": emea, "segment": 0}, facts)
    assert "none is set" in page.inner_text("#p-hit")
