"""A verb and its overrides composed by Hydra, and Hydra's complaints in the words of this project.

With ``settings`` the only room that knows Hydra. The compose API serves single runs (no change of folder, no log
files); a sweep goes through Hydra's own sweeper and launcher, so that other launchers can take it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeforecast.address import is_address, without_secrets
from pipeforecast.errors import SettingsError, some
from pipeforecast.guess import nearest

PACKAGE = "pipeforecast.configs"
#: Their last word tells a launcher from what their modules import: `….basic_launcher.Path.touch` is found there too.
_HYDRAS = re.compile(r"(hydra\._internal\.core_plugins|hydra_plugins)(\.[a-z_]\w*)+\.[A-Z][A-Za-z]*(Launcher|Sweeper)")


def composed(verb: str, overrides: Sequence[str]) -> Any:
    """Compose the configuration of one run (a DictConfig).

    Raises
    ------
    SettingsError
        If Hydra cannot: unknown key or choice, unreadable override or file.
    """
    from hydra import compose

    overrides = quoted(overrides)
    with _hydra(verb), _own_words(verb, overrides):
        return compose(config_name=verb, overrides=overrides)


def quoted(overrides: Sequence[str]) -> list[str]:
    """Put an address in quotes, so that Hydra's grammar leaves its signs alone."""
    out = []
    for word in overrides:
        key, _, value = word.partition("=")
        out.append(f"{key}='{value.replace(chr(39), chr(92) + chr(39))}'" if is_address(value) else word)
    return out


def shown(verb: str, overrides: Sequence[str], resolve: bool = False) -> str:
    """Write the composed configuration as YAML."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return without_secrets(OmegaConf.to_yaml(composed(verb, overrides), resolve=resolve))
    except OmegaConfBaseException as error:
        raise SettingsError(_first_lines(error)) from None


@dataclass(frozen=True)
class Job:
    """One job of a sweep that has ended: its number, the overrides that not all share, its folder and exit status."""

    number: int
    choice: str
    folder: Path
    status: int


def swept(verb: str, overrides: Sequence[str], job: Callable[[Any], int]) -> list[Job]:
    """Run ``job`` on every combination of the comma-separated values, one after another or as the launcher does.

    Every combination is composed before the first one runs, so a wrong value in the last stops the sweep at once.
    """
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    overrides = quoted(overrides)
    with _hydra(verb), _own_words(verb, overrides):
        hydra: Any = GlobalHydra.instance().hydra
        whole = hydra.compose_config(verb, overrides, RunMode.MULTIRUN, with_log_configuration=False)
        told = OmegaConf.to_container(whole.hydra, resolve=False)
        _refuse_code(told)
        _refuse_reach(told)
        batches = hydra.multirun(verb, job, overrides, with_log_configuration=False)
    runs = [run for batch in batches for run in batch]
    shared = set.intersection(*(set(run.overrides) for run in runs)) if len(runs) > 1 else set()
    jobs = []
    for run in runs:
        told, own = run.hydra_cfg.hydra, without_secrets(" ".join(o for o in run.overrides if o not in shared))
        jobs.append(Job(int(told.job.num), own, Path(told.runtime.output_dir), int(run.return_value)))
    return jobs


def _refuse_code(node: Any) -> None:
    """Refuse what is no launcher or sweeper of Hydra's: a sweep would run what a file names."""
    if isinstance(node, dict):
        target = node.get("_target_")
        if target is not None and not _HYDRAS.fullmatch(str(target)):
            raise SettingsError(f"hydra: expected a launcher or sweeper that is installed for Hydra, came {target!r}")
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _refuse_code(value)


def _refuse_reach(told: Any) -> None:
    """Refuse variables set for the jobs, and logging: its handlers are any class, and write to any file."""
    if told["job"].get("env_set"):
        raise SettingsError("hydra.job.env_set: a sweep sets no variables; set them where it is started")
    for name in ("job_logging", "hydra_logging"):
        logging = told.get(name)
        if logging is None or logging.get("root") is not None or logging.get("handlers"):
            raise SettingsError(f"hydra.{name}: expected none, because Hydra stays quiet here, came another")


def folder_of_job() -> tuple[int, str, Path]:
    """Inside a sweep's job: its number, its own overrides and the folder that is its alone."""
    from hydra.core.hydra_config import HydraConfig

    run = HydraConfig.get()
    return int(run.job.num), without_secrets(str(run.job.override_dirname)), Path(run.runtime.output_dir)


def words_of_job() -> list[str]:
    """Inside a sweep's job: all of its overrides."""
    from hydra.core.hydra_config import HydraConfig

    return [str(word) for word in HydraConfig.get().overrides.task]


@contextmanager
def _hydra(verb: str) -> Iterator[None]:
    """Start Hydra on the configs that ship, with the working directory's own in front."""
    from hydra import initialize_config_module
    from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    # hydra.searchpath only appends behind the main path; a plugin is the documented way to come before it.
    class OwnConfigsFirst(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if here.is_dir():
                search_path.prepend("working directory", here.as_uri(), SearchPathQuery(provider="main"))

    here = Path.cwd() / "configs"
    plugins = Plugins.instance()
    plugins.register(OwnConfigsFirst)
    try:
        with initialize_config_module(config_module=PACKAGE, version_base="1.3", job_name=verb):
            yield
    finally:
        for known in plugins.plugin_type_to_subclass_list.values():
            if OwnConfigsFirst in known:
                known.remove(OwnConfigsFirst)


@contextmanager
def _own_words(verb: str, overrides: Sequence[str]) -> Iterator[None]:
    """Say what Hydra refuses as a ``SettingsError`` of one or two lines."""
    import yaml
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except OverrideParseException as error:
        raise SettingsError(_unreadable(error)) from None
    except MissingConfigException as error:
        raise SettingsError(_no_such_choice(error)) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"a file in configs/ is not YAML: {' '.join(str(error).split())}") from None
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_explained(verb, overrides, error)) from None


def _unreadable(error: Any) -> str:
    """Explain an override that Hydra's grammar refuses."""
    said = str(error).splitlines()[0]
    return f"{error.override}: expected key=value, with quotes around a value that holds special signs ({said})"


def _several_values(overrides: Sequence[str]) -> str | None:
    """Find the first override that only a sweep can take."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.is_sweep_override():
            key = override.get_key_element()
            return (
                f"{override.input_line}: expected one value, came several; add --multirun to run once for each, "
                f"write {key}=[a,b] for a list, or quote a value that holds a comma"
            )
    return None


def _no_such_choice(error: Any) -> str:
    """Explain a choice that no file of its group bears."""
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    options = list(error.options or [])
    if (group, choice) == ("hydra/launcher", "joblib"):
        return "hydra/launcher: joblib is not installed; install pipeforecast[sweep], or leave the launcher out"
    return f"{group}: expected one of {some(options, 20)}, came {choice!r}{nearest(choice, options)}"


def _unknown_key(verb: str, overrides: Sequence[str]) -> str | None:
    """Find the first override whose key is neither a setting nor a group of this verb."""
    from hydra import compose
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    groups = set(GlobalHydra.instance().config_loader().list_groups("")) - {"hydra"}
    given = OverridesParser.create().parse_overrides(list(overrides))
    plain: Any = OmegaConf.to_container(compose(config_name=verb), resolve=False)
    # A choice of files decides which settings there are: model=rule has a name and no penalty.
    chosen = [str(o.input_line) for o in given if o.key_or_group in groups & plain.keys() and not o.is_sweep_override()]
    plain = OmegaConf.to_container(compose(config_name=verb, overrides=chosen), resolve=False)
    known = _keys(plain)
    for override in given:
        key = str(override.key_or_group).split("@")[0]
        if override.is_add() or key in known or key.startswith("hydra"):
            continue
        if key in groups and override.package is None and key in plain:
            continue
        branch = key.rpartition(".")[0]
        near = [k for k in known if k.rpartition(".")[0] == branch] or [k for k in known if "." not in k]
        return f"{key}: {verb} has no such setting{nearest(key, [*near, *known])} Known here: {some(near, 20)}"
    return None


def _keys(node: Any, before: str = "") -> list[str]:
    """List every dotted key of a plain configuration; a CRM's mapping is only judged by its own room."""
    out: list[str] = []
    for key, value in node.items():
        out.append(f"{before}{key}")
        if isinstance(value, dict):
            out += _keys(value, f"{before}{key}.")
    return out


def _explained(verb: str, overrides: Sequence[str], error: BaseException) -> str:
    """Look for the cause where Hydra's own text is long or wide of the mark."""
    if str(error).startswith("Ambiguous value"):
        return _several_values(overrides) or _first_lines(error)
    return _unknown_key(verb, overrides) or _first_lines(error)


def _first_lines(error: BaseException) -> str:
    """Give the first two telling lines of an error whose kind is not foreseen."""
    lines = [line.strip() for line in f"{error}\n{error.__cause__ or ''}".splitlines() if line.strip()]
    return "; ".join(lines[:2])
