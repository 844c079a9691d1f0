"""What a run may be told: closed, frozen settings that judge plain values and build nothing.

Hydra picks files and merges overrides, ``settings_for`` judges the result, and from here on nothing sees a DictConfig.
Every path is absolute afterwards (relative ones count from the working directory).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from pipeforecast.aims import AssumedRates, LookBack, Target
from pipeforecast.asked import AT_FIRST, AskedSettings, FirstMetrics
from pipeforecast.benchmarks import BenchmarkSettings
from pipeforecast.complaint import complaint
from pipeforecast.errors import SettingsError, some
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings
from pipeforecast.kinds import (
    Closed,
    Day,
    HazardSettings,
    ModelSettings,
    NoScenario,
    RuleSettings,
    ScenarioSettings,
)
from pipeforecast.leadsettings import LeadSettings, ThresholdChoices
from pipeforecast.sections import (
    AgainSettings,
    CalendarSettings,
    CompanySettings,
    EmbeddedSettings,
    EngineSettings,
    Folder,
    OriginSettings,
    ProofSettings,
    ReportSettings,
    SearchSettings,
    Since,
    Source,
    TrackingSettings,
    VersionName,
    Words,
)

Verb = Literal[
    "demo", "check", "init", "keep", "train", "forecast", "score", "backtest", "monitor", "compare", "metrics", "audit",
    "plan", "thresholds", "replay",
]  # fmt: skip


class RunSettings(Closed):
    """What every verb is told.

    Attributes
    ----------
    crm : dict
        The mapping as written; ``pipeforecast.mapping`` judges it.
    source : Path or Address
        Folder (or file) with the export, or a database.
    as_of : date or None
        Evening of the day to look from; None is the last written day.
    """

    crm: dict[str, Any]
    source: Source
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    as_of: Day | None = None
    out: Folder = Path("out")
    seed: int = Field(0, ge=0)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings)
    told: tuple[str, ...] = Field((), exclude=True, description="the words of the call")


class CheckSettings(RunSettings):
    """What ``check`` is told: every run's settings and no more."""


class InitSettings(RunSettings):
    """What ``init`` is told.

    Attributes
    ----------
    crm : dict
        Empty: it is what ``init`` proposes.
    name : str or None
        What the mapping is called; None: as the source.
    force : bool
        Whether a file of that name is replaced.
    columns : dict of str to str
        Canonical columns of the deals and their headings, where the user knows better.
    """

    crm: dict[str, Any] = Field(default_factory=dict)
    name: Annotated[str, Field(coerce_numbers_to_str=True, min_length=1)] | None = None
    force: bool = False
    columns: dict[str, str] = Field(default_factory=dict)


class KeepSettings(RunSettings):
    """What ``keep`` is told: the folder of dated exports; ``as_of`` is the day of the export, None is today."""

    kept: Folder = Path("kept")


class AuditSettings(RunSettings):
    """What ``audit`` is told: when a deal is flagged, what stages ask for, how far back flags are judged."""

    engine: EngineSettings = Field(default_factory=EmbeddedSettings)
    flags: FlagSettings = Field(default_factory=FlagSettings)
    criteria: CriteriaSettings = Field(default_factory=CriteriaSettings)
    past: PastSettings = Field(default_factory=PastSettings)
    review: ReviewSettings = Field(default_factory=ReviewSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)


class PlanSettings(RunSettings):
    """What ``plan`` is told.

    Attributes
    ----------
    target : float, dict of period to float, or 'quota'
        What is to be won: in ``period``, or in each named one; ``quota``: the export's own total. It must be given.
    period : str or None
        None is the first one that begins after ``as_of``.
    rates : AssumedRates
        Rates that are stated instead of measured.
    past : LookBack
        Which past the others are measured on.
    reps : int or None
        Among whom the work is shared; None: the owners of open deals.
    """

    target: Target = None
    period: Annotated[str, Field(coerce_numbers_to_str=True, min_length=4)] | None = None
    rates: AssumedRates = Field(default_factory=AssumedRates)
    past: LookBack = Field(default_factory=LookBack)
    reps: int | None = Field(None, ge=1)
    draws: int = Field(4000, ge=100)


class MetricsSettings(RunSettings, AskedSettings):
    """What ``metrics`` is told: a run's settings, what is asked of the catalogue, and whether people are named."""

    report: ReportSettings = Field(default_factory=ReportSettings)


class BacktestSettings(RunSettings):
    """What ``backtest`` is told.

    Attributes
    ----------
    levels : tuple of str
        Columns of deals by which the total is split.
    rules : tuple of str
        Rules beside the model; empty: every rule that the data allow.
    draws : int
        Draws of a period's revenue.
    engine : EngineSettings
        Where snapshots are taken; they are the same everywhere.
    """

    engine: EngineSettings = Field(default_factory=EmbeddedSettings)
    levels: Words = ("owner", "manager", "region", "segment", "product", "deal_type")
    model: ModelSettings = Field(default_factory=HazardSettings)
    rules: Words = ()
    origins: OriginSettings = Field(default_factory=OriginSettings)
    draws: int = Field(2000, ge=100)


class TrainSettings(BacktestSettings):
    """What ``train`` is told: the same as ``backtest``, which proves what it fits, and perhaps a search, or leads."""

    target: Literal["deal", "lead"] = "deal"
    lead: LeadSettings = Field(default_factory=LeadSettings)
    search: SearchSettings | None = None
    learning_curve: bool = Field(True, description="say how much more closed deals would buy; false saves its time")


class ScoreSettings(BacktestSettings):
    """What ``score`` is told.

    Attributes
    ----------
    target : str
        What is scored: deals, or leads (``lead``), to which period and horizon do not apply.
    period : str or None
        Name of the period to forecast (2024Q1); None is the one that ``as_of`` lies in.
    horizon : int
        Days within which a deal's chance to be won counts (``p_win``).
    version : str
        ``auto`` (the champion where it fits this call, else a model fitted now), ``fit``, ``champion`` or the number
        of a version.
    """

    target: Literal["deal", "lead"] = "deal"
    lead: LeadSettings = Field(default_factory=LeadSettings)
    period: Annotated[str, Field(coerce_numbers_to_str=True, min_length=4)] | None = None
    horizon: int = Field(365, ge=1, le=3650)
    version: VersionName = "auto"


class ReplaySettings(BacktestSettings):
    """What the verb ``backtest`` is told: what is replayed, and whether people are named."""

    report: ReportSettings = Field(default_factory=ReportSettings)


class MonitorSettings(BacktestSettings):
    """What ``monitor`` is told; ``version`` as for ``score``. A change is only told in many periods."""

    origins: OriginSettings = Field(default_factory=lambda: OriginSettings(periods=12))
    version: VersionName = "auto"


class ThresholdsSettings(RunSettings, ThresholdChoices):
    """What ``thresholds`` is told; ``explored`` is an earlier ``explore.csv`` whose leads were handed over."""

    explored: Folder | None = None
    report: ReportSettings = Field(default_factory=ReportSettings)


class CompareSettings(BacktestSettings):
    """What ``compare`` is told; ``version`` as for ``score``, for each of the two evenings.

    Attributes
    ----------
    since : date, Path, str or None
        The earlier evening: a day, a folder with an earlier ``forecast.csv``, or ``run:ID`` of MLflow; None: 7 days
        before ``as_of``.
    period : str or None
        None is the earlier forecast's where it names one, else the one of the day after ``as_of``.
    """

    since: Since = None
    period: Annotated[str, Field(coerce_numbers_to_str=True, min_length=4)] | None = None
    version: VersionName = "auto"
    report: ReportSettings = Field(default_factory=ReportSettings)


class ForecastSettings(BacktestSettings):
    """What ``forecast`` is told: period, horizon and version as for ``score``, and perhaps a scenario.

    ``since`` as for ``compare``; None: the report says nothing of an earlier forecast. ``first``, ``set_name`` and
    ``benchmarks`` as for ``metrics``: the few metrics that stand on the page.
    """

    since: Since = None
    period: Annotated[str, Field(coerce_numbers_to_str=True, min_length=4)] | None = None
    horizon: int = Field(365, ge=1, le=3650)
    version: VersionName = "auto"
    method: Literal["auto", "model"] = Field("auto", description="auto gives way to the rule that did better before")
    ahead: int = Field(3, ge=0, le=8, description="periods after the first that are forecast too")
    scenario: ScenarioSettings = Field(default_factory=NoScenario)
    first: FirstMetrics = AT_FIRST
    set_name: str = "default"
    benchmarks: BenchmarkSettings = Field(default_factory=BenchmarkSettings)
    proof: ProofSettings = Field(default_factory=ProofSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)


class DemoSettings(ForecastSettings):
    """What ``demo`` is told: a forecast's settings and the company to make up."""

    version: VersionName = "fit"
    demo: CompanySettings = Field(default_factory=CompanySettings)


AnySettings = CheckSettings | TrainSettings | ForecastSettings | ScoreSettings | BacktestSettings | MonitorSettings

#: The one setting that may name a variable of the environment.
_FROM_ENVIRONMENT = "tracking.uri"
#: Any function of OmegaConf, also one whose name is put together (``${oc.${a}:X}``), and that one setting's value.
_CALLED = re.compile(r"\$\{[^}]*[:$]|oc\.env|\$\{[^}]*tracking")
#: The one variable that it may be; any other could be sent to an address that a file of settings names.
_SERVER = re.compile(r'\$\{oc\.env:MLFLOW_TRACKING_URI(,"?[^"${}]*"?)?\}')

SETTINGS: Mapping[str, type[RunSettings] | type[AgainSettings]] = {
    "demo": DemoSettings,
    "check": CheckSettings,
    "init": InitSettings,
    "keep": KeepSettings,
    "train": TrainSettings,
    "forecast": ForecastSettings,
    "score": ScoreSettings,
    "backtest": ReplaySettings,
    "monitor": MonitorSettings,
    "compare": CompareSettings,
    "metrics": MetricsSettings,
    "audit": AuditSettings,
    "plan": PlanSettings,
    "thresholds": ThresholdsSettings,
    "replay": AgainSettings,
}


def settings_for(verb: str, config: Mapping[str, Any]) -> Any:
    """Judge a composed configuration (DictConfig or plain) and freeze it: one of ``SETTINGS``.

    Raises
    ------
    SettingsError
        If a key is unknown, missing or of a wrong value; at most three of them are named.
    """
    if verb not in SETTINGS:
        raise SettingsError(f"verb: expected one of {some(SETTINGS, 10)}, came {verb!r}")
    model = SETTINGS[verb]
    try:
        return model.model_validate(_plain(config))
    except ValidationError as error:
        raise SettingsError(complaint(model, error)) from None


def _plain(config: Mapping[str, Any]) -> Any:
    """Turn a DictConfig into dicts and lists, with interpolations followed and ``???`` refused."""
    if isinstance(config, dict):
        return config
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    _refuse_environment(OmegaConf.to_container(config, resolve=False), "")
    try:
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = error.full_key
        raise SettingsError(f"{key}: nothing was given; say {key}=VALUE") from None
    except OmegaConfBaseException as error:
        raise SettingsError(f"{error.full_key}: {str(error).splitlines()[0]}") from None


def _refuse_environment(node: Any, name: str) -> None:
    """Refuse settings that read the environment, where passwords stand: what a run is told is recorded and shown."""
    if isinstance(node, dict):
        for key, value in node.items():
            _refuse_environment(value, f"{name}.{key}" if name else str(key))
    elif isinstance(node, list):
        for value in node:
            _refuse_environment(value, name)
    elif isinstance(node, str) and name == _FROM_ENVIRONMENT:
        if _CALLED.search(_SERVER.sub("", node)):
            raise SettingsError(f"{name}: expected an address, or the variable MLFLOW_TRACKING_URI and no other")
    elif isinstance(node, str) and _CALLED.search(node):
        raise SettingsError(f"{name}: expected a value, came one from the environment; only {_FROM_ENVIRONMENT} may be")


__all__ = [
    "SETTINGS", "AgainSettings", "AnySettings", "AuditSettings", "BacktestSettings", "CalendarSettings",
    "CheckSettings", "CompareSettings", "DemoSettings", "ForecastSettings", "HazardSettings", "InitSettings",
    "KeepSettings", "LeadSettings", "MetricsSettings", "ModelSettings", "MonitorSettings", "PlanSettings",
    "RuleSettings", "RunSettings", "ScoreSettings", "SearchSettings", "ThresholdsSettings", "TrainSettings",
    "Verb", "settings_for",
]  # fmt: skip
