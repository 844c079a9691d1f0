"""What a run may be told: closed, frozen settings that judge plain values and build nothing.

Hydra picks files and merges overrides, ``settings_for`` judges the result, and from here on nothing sees a DictConfig.
Every path is absolute afterwards (relative ones count from the working directory).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from pipeforecast.aims import AssumedRates, LookBack, Target
from pipeforecast.asked import AskedSettings
from pipeforecast.complaint import complaint
from pipeforecast.errors import SettingsError, some
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings
from pipeforecast.kinds import (
    Closed,
    Day,
    DaysOfPeriod,
    HazardSettings,
    ModelSettings,
    NoScenario,
    RuleSettings,
    ScenarioSettings,
    distinct,
)
from pipeforecast.leadsettings import LeadSettings, ThresholdChoices

Verb = Literal[
    "demo", "check", "train", "forecast", "score", "backtest", "monitor", "compare", "metrics", "audit", "plan",
    "thresholds",
]  # fmt: skip


def _path(value: object) -> object:
    """Refuse the empty path, which would silently mean the working directory; a folder may be called 2024."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError(f"expected a path, came {value!r}")
    return value


def _version(value: object) -> object:
    """Let the words of a choice and the number of a version through."""
    if isinstance(value, int | str) and re.fullmatch(r"auto|fit|champion|[1-9]\d*", str(value)):
        return str(value)
    raise ValueError(f"expected auto, fit, champion or the number of a version, came {value!r}")


def _since(value: object) -> object:
    """Tell a day from a recorded run and from a folder."""
    if isinstance(value, dt.date) or value is None:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return dt.date.fromisoformat(value)
    if isinstance(value, str) and value.startswith("run:"):
        return value
    return Path(str(_path(value))).expanduser().absolute()


Folder = Annotated[Path, BeforeValidator(_path), AfterValidator(lambda p: p.expanduser().absolute())]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(distinct)]
VersionName = Annotated[str, BeforeValidator(_version)]
Since = Annotated[dt.date | Path | str | None, BeforeValidator(_since)]


class CalendarSettings(Closed):
    """How time is cut into periods (``configs/calendar``)."""

    length: Literal["month", "quarter", "year"] = "quarter"
    start_month: int = Field(1, ge=1, le=12, description="first month of the fiscal year")
    weeks_445: bool = Field(False, description="months of 4, 4 and 5 weeks")


class OriginSettings(Closed):
    """From which days of the past the replay forecasts."""

    days: DaysOfPeriod = Field((0, 30, 60), description="days of the period whose evenings are origins")
    periods: int = Field(8, ge=1, description="closed periods to replay, the newest ones")
    jobs: int = Field(1, ge=-1, description="processes at once; -1 takes every core")

    @model_validator(mode="after")
    def _some_process(self) -> OriginSettings:
        if self.jobs == 0:
            raise ValueError("jobs: expected 1 or more processes, or -1 for every core, came 0")
        return self


class TrackingSettings(Closed):
    """Where runs are recorded (``configs/tracking``)."""

    enabled: bool = True
    uri: str = Field("sqlite:///mlflow.db", min_length=1)
    experiment: str = Field("pipeforecast", min_length=1)
    artifacts: str | None = Field(None, description="folder or address; default: mlartifacts beside a local store")
    required: bool = Field(False, description="fail where the record cannot be written, instead of warning")
    model: str = Field("pipeforecast-deals", min_length=1, description="registered model whose versions train makes")


class SearchSettings(Closed):
    """A search over kinds and their settings (``configs/experiment/search_deal_model.yaml``)."""

    trials: int = Field(30, ge=1, description="trials in all; an interrupted search goes on")
    held_out: int = Field(2, ge=1, description="newest periods, on which the winner alone is scored, once")
    kinds: Words = ("hazard",)
    store: Folder = Field(Path(".pipeforecast/search.db"), description="file in which the trials are kept")


class ProofSettings(Closed):
    """How much of the past is replayed beside a forecast (``configs/proof``)."""

    mode: Literal["none", "cached", "full"] = "cached"
    budget_s: float = Field(60.0, ge=0, description="seconds that missing origins may take in mode cached")
    folder: Folder = Field(Path(".pipeforecast/proof"), description="where replayed origins are kept")


class ReportSettings(Closed):
    """What the report shows (``configs/report``)."""

    people: Literal["full", "anonymous"] = "full"
    top_deals: int = Field(15, ge=0)
    pdf: bool = False


class CompanySettings(Closed):
    """The made-up company of the demo."""

    kind: Literal["standard", "other"] = "standard"
    n_deals: int = Field(5000, ge=100)
    seed: int = Field(0, ge=0)
    folder: Folder = Path("demo_company")


class RunSettings(Closed):
    """What every verb is told.

    Attributes
    ----------
    crm : dict
        The mapping as written; ``pipeforecast.mapping`` judges it.
    source : Path
        Folder (or file) with the export.
    as_of : date or None
        Evening of the day to look from; None is the last written day.
    """

    crm: dict[str, Any]
    source: Folder
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    as_of: Day | None = None
    out: Folder = Path("out")
    seed: int = Field(0, ge=0)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings)


class CheckSettings(RunSettings):
    """What ``check`` is told: every run's settings and no more."""


class AuditSettings(RunSettings):
    """What ``audit`` is told: when a deal is flagged, what stages ask for, how far back flags are judged."""

    flags: FlagSettings = Field(default_factory=FlagSettings)
    criteria: CriteriaSettings = Field(default_factory=CriteriaSettings)
    past: PastSettings = Field(default_factory=PastSettings)
    review: ReviewSettings = Field(default_factory=ReviewSettings)


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
    """

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


class ForecastSettings(BacktestSettings):
    """What ``forecast`` is told: period, horizon and version as for ``score``, and perhaps a scenario.

    ``since`` as for ``compare``; None: the report says nothing of an earlier forecast.
    """

    since: Since = None
    period: Annotated[str, Field(coerce_numbers_to_str=True, min_length=4)] | None = None
    horizon: int = Field(365, ge=1, le=3650)
    version: VersionName = "auto"
    method: Literal["auto", "model"] = Field("auto", description="auto gives way to the rule that did better before")
    ahead: int = Field(3, ge=0, le=8, description="periods after the first that are forecast too")
    scenario: ScenarioSettings = Field(default_factory=NoScenario)
    proof: ProofSettings = Field(default_factory=ProofSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)


class DemoSettings(ForecastSettings):
    """What ``demo`` is told: a forecast's settings and the company to make up."""

    version: VersionName = "fit"
    demo: CompanySettings = Field(default_factory=CompanySettings)


AnySettings = CheckSettings | TrainSettings | ForecastSettings | ScoreSettings | BacktestSettings | MonitorSettings

SETTINGS: Mapping[str, type[RunSettings]] = {
    "demo": DemoSettings,
    "check": CheckSettings,
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
}


def settings_for(verb: str, config: Mapping[str, Any]) -> RunSettings:
    """Judge a composed configuration (DictConfig or plain) and freeze it.

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

    try:
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = error.full_key
        raise SettingsError(f"{key}: nothing was given; say {key}=VALUE") from None
    except OmegaConfBaseException as error:
        raise SettingsError(f"{error.full_key}: {str(error).splitlines()[0]}") from None


__all__ = [
    "SETTINGS", "AnySettings", "AuditSettings", "BacktestSettings", "CalendarSettings", "CheckSettings",
    "CompareSettings", "DemoSettings", "ForecastSettings", "HazardSettings", "LeadSettings", "MetricsSettings",
    "ModelSettings", "MonitorSettings", "PlanSettings", "RuleSettings", "RunSettings", "ScoreSettings",
    "SearchSettings", "ThresholdsSettings", "TrainSettings", "Verb", "settings_for",
]  # fmt: skip
