"""Every file under configs/ composes into settings that are accepted, and is documented by the pages."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from omegaconf import OmegaConf

from pipeforecast import manual
from pipeforecast.mapping import CrmMapping
from pipeforecast.overrides import composed
from pipeforecast.settings import SETTINGS, ForecastSettings, ModelSettings, RunSettings, settings_for

ROOT = Path(str(files("pipeforecast.configs")))
PRIMARY = sorted(p.stem for p in ROOT.glob("*.yaml"))
CHOICES = sorted(p.relative_to(ROOT).with_suffix("").as_posix() for p in ROOT.glob("*/*.yaml"))
#: Every verb that reads an export of its own accord.
EXPORTS = [verb for verb, kind in SETTINGS.items() if issubclass(kind, RunSettings)]
#: The verb that has the group, where forecast has not.
VERBS = {
    "experiment": "train", "lead": "train", "lead_card": "train",
    "criteria": "audit",
}  # fmt: skip
NEEDED = {
    "model/rule": ["model.name=stage_rates"], "model/plugin": ["model.name=ours"],
    "scenario/rep_leaves": ["scenario.owner=ann"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_configs_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_verb_has_settings_a_page_and_a_file() -> None:
    assert list(SETTINGS) == list(manual.PAGES)
    assert sorted([*SETTINGS, "common"]) == PRIMARY


@pytest.mark.parametrize("verb", EXPORTS)
def test_a_verb_composes_into_its_defaults(verb: str) -> None:
    """YAML and pydantic must not disagree about a default: half of the users read the one, half the other."""
    settings = settings_for(verb, composed(verb, ["source=exports"]))
    plain = SETTINGS[verb](crm=settings.crm, source="exports")  # type: ignore[arg-type]
    # So that the first run proves what it shows; and benchmarks are data, of which there are none by default.
    own = {"demo": {"out", "origins", "proof"}}.get(verb, set()) | {"benchmarks"}
    same = set(SETTINGS[verb].model_fields) - {"crm"} - own
    assert {k: getattr(settings, k) for k in same} == {k: getattr(plain, k) for k in same}
    assert (settings.crm == {}) == (verb == "init")  # which proposes one
    if settings.crm:
        CrmMapping.model_validate(settings.crm)


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_is_accepted(choice: str) -> None:
    group, name = choice.split("/")
    verb, add = VERBS.get(group, "forecast"), "+" if group == "experiment" else ""
    settings = settings_for(verb, composed(verb, ["source=x", f"{add}{group}={name}", *NEEDED.get(choice, [])]))
    CrmMapping.model_validate(settings.crm)


KINDS = sorted(p.stem for p in (ROOT / "model").glob("*.yaml"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_model_has_a_file_of_its_defaults(kind: str) -> None:
    words = [f"model={kind}", *NEEDED.get(f"model/{kind}", [])]
    settings = settings_for("forecast", composed("forecast", ["source=x", *words]))
    assert isinstance(settings, ForecastSettings)
    own = type(settings.model)
    assert settings.model == own(**{n: getattr(settings.model, n) for n in own.model_fields if n == "name"})


def test_every_kind_of_model_has_a_file() -> None:
    branches = get_args(get_args(ModelSettings)[0])
    assert sorted(b.model_fields["kind"].default for b in branches) == KINDS


def test_draws_of_the_model_follow_those_of_the_run() -> None:
    settings = settings_for("forecast", composed("forecast", ["source=x", "draws=300"]))
    assert isinstance(settings, ForecastSettings)
    assert (settings.draws, settings.model.model_dump()["draws"]) == (300, 300)


def test_the_demo_reads_what_it_made() -> None:
    settings = settings_for("demo", composed("demo", ["demo.folder=company"]))
    assert settings.source == Path.cwd() / "company"


def test_a_folder_of_ones_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "configs" / "calendar").mkdir(parents=True)
    (tmp_path / "configs" / "calendar" / "quarter.yaml").write_text("length: quarter\nstart_month: 7\n")
    (tmp_path / "configs" / "calendar" / "ours.yaml").write_text("length: month\n")
    assert settings_for("check", composed("check", ["source=x"])).calendar.start_month == 7
    assert settings_for("check", composed("check", ["source=x", "calendar=ours"])).calendar.length == "month"
    assert settings_for("check", composed("check", ["source=x", "calendar=year"])).calendar.length == "year"
    assert manual.choices_of_groups()["calendar"].count("quarter") == 1
    assert "ours" in manual.choices_of_groups()["calendar"]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.yaml")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_file_names_code(path: Path) -> None:
    """Configuration that names a class to build would be code from a file."""
    assert "_target_" not in path.read_text()
    yaml.safe_load(path.read_text())


@pytest.mark.parametrize("verb", EXPORTS)
def test_the_pages_name_settings_that_exist(verb: str) -> None:
    searching = ["+experiment=search_deal_model"] if verb == "train" else []
    known: Any = OmegaConf.to_container(composed(verb, searching), resolve=False)
    groups = manual.choices_of_groups()
    for key in manual.PAGES[verb].overrides:
        if key.endswith("=NAME") and key.removesuffix("=NAME") in groups:
            continue  # a choice of a file; what it sets may stand elsewhere
        node = known
        for part in key.split("=")[0].split("."):
            assert part in node, key
            node = node[part]
