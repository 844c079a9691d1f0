"""The documentation says what is there: links lead somewhere, calls are calls, settings are settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeforecast import manual
from pipeforecast.cli import _taken_apart, main
from pipeforecast.mapping import CrmMapping
from pipeforecast.overrides import composed
from pipeforecast.settings import SETTINGS, settings_for

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
#: Pages that the site makes while it is built.
MADE = {DOCS / "reference" / "settings.md", DOCS / "reference" / "verbs.md", DOCS / "experiments" / "index.md"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)


def links() -> list[tuple[str, str]]:
    """Every link and picture of every page that leads to something of this repository."""
    found = []
    for page in PAGES:
        inline = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
        named = re.findall(r"^\[[^\]]+\]: (\S+)$", prose_of(page), re.M)
        found += [(name_of(page), to) for to in (*inline, *named) if not re.match(r"[a-z]+:", to)]
    return found


@pytest.mark.parametrize(("page", "to"), links())
def test_every_link_leads_somewhere(page: str, to: str) -> None:
    path, _, anchor = to.partition("#")
    target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
    if target in MADE:
        return
    assert target.exists()
    if anchor:
        heads = re.findall(r"^#+ (.*)$", text_of(target), re.M)
        assert anchor in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in heads}


def calls() -> list[tuple[str, str]]:
    """Every call of the command in a block of code or between backticks, one line each."""
    found = []
    for page in PAGES:
        text = re.sub(r"\\\n\s*", " ", text_of(page))
        fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
        spans = re.findall(r"`([^`\n]*pipeforecast [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        told = "\n".join([*(block for kind, block in fenced if kind in ("", "sh")), *spans])
        found += [(name_of(page), call.strip()) for call in re.findall(r"\bpipeforecast (\w.*)", told)]
    return [(page, call) for page, call in found if call.split()[0] in manual.PAGES or "=" in call]


CALLS = calls()


def words_of(call: str) -> list[str]:
    """Give the words of a call as a shell would, without what follows it in a line of a crontab."""
    plain = re.sub(r"\$\((?:[^()]|\([^)]*\))*\)", "week", re.split(r"\s+(?:>>|>|\||&&|;|#)\s*|[\"`]$", call)[0])
    return shlex.split(plain.replace("\\", "/"))


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with what the pages have their reader make."""
    for page in sorted(DOCS.rglob("*.md")):
        for path, text in re.findall(r"^```yaml\n# (configs/\S+)\n(.*?)^```", text_of(page), re.M | re.S):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_there_are_calls_of_every_verb() -> None:
    assert {call.split()[0] for _, call in CALLS} >= set(manual.PAGES) - {"score"}
    assert len({page for page, _ in CALLS}) >= 12


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(("page", "call"), CALLS)
def test_every_call_is_a_call(page: str, call: str) -> None:
    """It composes and is accepted; nothing runs."""
    if re.search(r"=\.\.\.|…", call):
        pytest.skip("a form, not a call")
    told = _taken_apart(words_of(call))
    if told.help or told.version or told.verb is None:
        return
    verb, words = told.verb, [w for w in told.overrides if not w.startswith("hydra/")]
    if told.multirun:
        words = [re.sub(r"=([^\[{]*?),.*", r"=\1", w) for w in words]
    given = [] if any(w.startswith("source=") for w in words) or verb in ("demo", "replay") else ["source=x"]
    settings_for(verb, composed(verb, [*words, *given]))


@pytest.mark.usefixtures("_elsewhere")
def test_a_scenario_of_ones_own_is_one() -> None:
    settings: Any = settings_for("forecast", composed("forecast", ["source=x", "scenario=bad_spring"]))
    assert [part.kind for part in settings.scenario.parts] == ["win_rate", "slip"]


def test_the_mapping_that_is_shown_is_a_mapping() -> None:
    (shown,) = re.findall(r"^```yaml\n(name: ours.*?)^```", text_of(DOCS / "reference" / "mapping.md"), re.M | re.S)
    assert CrmMapping.model_validate(yaml.safe_load(shown)).name == "ours"


@pytest.fixture
def _hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS / "hooks")


@pytest.mark.usefixtures("_hooks")
def test_the_page_of_settings_has_every_setting() -> None:
    import settings_page

    page = settings_page.page()
    told = {part.split("\n")[0]: part for part in page.split("\n## Of ")[1:]}
    for verb, settings in SETTINGS.items():
        assert all(f"| `{key}` |" in page for key in settings.model_fields)
        own = set(settings.model_fields) - set(SETTINGS["check"].model_fields)
        assert all(f"| `{key}` |" in told[verb] for key in own), verb
    for model in settings_page.sections():
        part = page[page.index(f"{{ #{model.__name__.lower()} }}") :].split("\n### ")[0]
        assert all(f"| `{f.alias or key}` |" in part for key, f in model.model_fields.items()), model
    assert page.count("](#") == sum(page.count(f"](#{m.__name__.lower()})") for m in settings_page.sections())


@pytest.mark.usefixtures("_hooks")
def test_the_page_of_verbs_is_the_programs_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    import verbs_page

    page = verbs_page.page().replace("\\|", "|")
    for verb, told in manual.PAGES.items():
        assert main([verb, "--help"]) == 0
        said = capsys.readouterr().out
        assert told.does in said
        assert f"\n## {verb}\n" in page
        assert all(key in said and f"| `{key}` | {text} |" in page for key, text in told.overrides.items())


@pytest.mark.usefixtures("_hooks")
@pytest.mark.parametrize(
    ("text", "suffix", "found"),
    [
        ('<script src="https://cdn.example/a.js"></script>', ".html", ["https://cdn.example/a.js"]),
        ("<img alt=x src=//cdn.example/a.png>", ".html", ["//cdn.example/a.png"]),
        ('<link rel="stylesheet" href="https://fonts.example/css">', ".html", ["https://fonts.example/css"]),
        ('<link href="https://fonts.example" rel="preconnect">', ".html", ["https://fonts.example"]),
        ("<style>@import 'https://a.example/b.css'</style>", ".html", ["https://a.example/b.css"]),
        ("@font-face{src:url(https://a.example/b.woff2)}", ".css", ["https://a.example/b.woff2"]),
        ('<a href="https://docs.example">read</a><script src="assets/a.js"></script>', ".html", []),
        ('<link rel="canonical" href="https://docs.example">', ".html", []),
        ("a{background:url(img/a.png)}", ".css", []),
    ],
)
def test_a_page_that_fetches_from_elsewhere_is_found(text: str, suffix: str, found: list[str]) -> None:
    from offline import fetched

    assert fetched(text, suffix) == found


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r": (\S+\.md)$", config, re.M))
    assert listed == {p.relative_to(DOCS).as_posix() for p in {*DOCS.rglob("*.md"), *MADE}}
