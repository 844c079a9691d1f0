from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made import (
    OWNERS,
    deals_frame,
    excluded_frame,
    findings_frame,
    made_empty,
    made_input,
    scenario_frame,
    scores_frame,
    tie_frame,
)

from pipeforecast.report import page, write_report
from pipeforecast.report.facts import facts as facts_of
from pipeforecast.report.figures import figures

NASTY = "<script>alert('x')</script>\"><img src=x onerror=alert(1)> {{ 7*7 }} \u202eevil \U0001f680 O'Hara & Söhne"
VOID = {"meta", "link", "input", "br", "wbr", "img", "hr"}


class Tree(HTMLParser):
    """Reads a page, keeps its elements, and notes every element that is not closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")


def read(html: str) -> Tree:
    tree = Tree()
    tree.feed(html)
    assert not tree.wrong
    assert not tree.open
    return tree


def html_of(given) -> str:
    return page.render(facts_of(given))


def nasty_input():
    return made_input(
        title=NASTY, company=NASTY, proof=NASTY, what_counts=NASTY, currency="<i>", period=NASTY,
        deals=deals_frame(8).assign(name=NASTY, account_name=NASTY, owner=NASTY, stage=NASTY, deal_id=NASTY),
        scores=scores_frame().replace({"method": {"last_year": NASTY}}),
        findings=findings_frame().assign(code=NASTY, examples=NASTY, advice=NASTY, repair=NASTY, table=NASTY),
        tie=tie_frame().assign(pipeline=NASTY, status=NASTY), excluded=excluded_frame().assign(reason=NASTY),
        group_labels={"owner": dict.fromkeys(OWNERS, NASTY)},
    )  # fmt: skip


def test_text_from_outside_is_escaped():
    html = html_of(nasty_input())
    tree = read(html)
    scripts = [given.get("type") for tag, given in tree.tags if tag == "script"]
    assert scripts == ["application/json", None]  # data, and the one script that the page's policy admits
    assert not [tag for tag, _ in tree.tags if tag in ("img", "i", "b")]
    assert not [k for _, given in tree.tags for k in given if k.startswith("on") or k == "{{"]
    assert "49 \u202e" not in html


def test_reasons_stand_beside_their_deals_and_only_where_there_are_any():
    given = made_input(
        deals=deals_frame(4).assign(reason_1="close date is today (+2.0 k)", reason_2=NASTY, reason_3=None)
    )
    html = html_of(given)
    tree = read(html)
    shown, data = html.split('id="page-data"')
    assert shown.count("close date is today (+2.0 k)") == data.count("close date is today (+2.0 k)") == 4
    assert not [tag for tag, _ in tree.tags if tag in ("img", "i", "b")]
    assert [a.get("class") for tag, a in tree.tags if tag == "td"].count("why") == 4
    assert "sets its chance apart" in html
    assert "sets its chance apart" not in html_of(made_input())


def test_nothing_comes_from_elsewhere():
    tree = read(html_of(made_input()))
    assert not [v for _, given in tree.tags for k, v in given.items() if k == "src"]
    links = [given["href"] for tag, given in tree.tags if "href" in given]
    assert all(link.startswith("#") or link == "data:," for link in links)
    html = re.sub(r'"draws": "[A-Za-z0-9+/=]*"', "", html_of(made_input()))  # packed numbers may hold any letters
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)


@pytest.mark.parametrize("given", [made_input(), made_empty(), made_input(people="anonymous")])
def test_ids_are_unique_and_links_lead_somewhere(given):
    tree = read(html_of(given))
    ids = [a["id"] for _, a in tree.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in tree.tags if tag == "a"} <= set(ids)
    assert all("scope" in a for tag, a in tree.tags if tag == "th")
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in tree.tags if a.get("class") == "chart")


def test_empty_inputs_say_so_honestly():
    html = html_of(made_empty())
    for words in ("No open deals", "No replay of past periods yet", "Run <code>pipeforecast backtest</code>",
                  "No past forecasts to show", "nothing can be tied", "No row was left out"):  # fmt: skip
        assert words in html
    assert "NOT-YET-PROVEN" in html


def test_no_model_ahead_of_its_bad_news():
    html = html_of(made_input(scores=scores_frame(1.2), proof="The model did worse than a rule."))
    assert html.index("The model did worse than a rule.") < html.index('id="most-likely"')
    assert 'class="proof behind" role="alert"' in html


def test_an_anonymous_page_shows_no_owner():
    html = html_of(made_input(people="anonymous"))
    assert not [x for pair in OWNERS.items() for x in pair if x in html]


def test_a_method_without_a_range_says_one_number():
    given = made_input(draws=None, model_name="last_year")
    html = html_of(given)
    assert "one number and no range" in html
    assert figures(facts_of(given))["quarter"] == ""


def test_long_names_are_cut_with_the_rest_in_a_title():
    html = html_of(made_input(deals=deals_frame(2).assign(name="y" * 10_000)))
    assert "y" * 401 not in html
    assert f'title="{"y" * 399}…"' in html


def test_the_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch):
    path = tmp_path / "new" / "report.html"
    assert write_report(made_empty(), path) == path
    before = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 6_000_000

    def fail(self, target):
        assert Path(target).read_text(encoding="utf-8") == before
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(made_input(), path)
    assert path.read_text(encoding="utf-8") == before
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_input_gives_the_same_page():
    assert html_of(made_input()) == html_of(made_input())


def test_a_scenario_is_told_only_where_there_is_one():
    html = html_of(made_input(scenario=scenario_frame().assign(scenario=NASTY)))
    tree = read(html)
    assert 'id="what-if"' in html
    assert not [tag for tag, _ in tree.tags if tag in ("img", "i", "b")]
    assert "what-if" not in html_of(made_input()).split("<script")[0].split("</style>")[1]
