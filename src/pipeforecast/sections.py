"""Sections of what a run may be told: its calendar, origins, tracking, search, proof, report and made-up company.

Paths are absolute once they are judged (relative ones count from the working directory).
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    field_validator,
    model_validator,
)

from pipeforecast.address import Address, is_address
from pipeforecast.kinds import Closed, DaysOfPeriod, distinct
from pipeforecast.wording import Language


def _path(value: object) -> object:
    """Refuse the empty path, which would silently mean the working directory; a folder may be called 2024."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError(f"expected a path, came {value!r}")
    return value


def _source(value: object) -> Address | Path:
    """Tell a database's address from a path; relative paths count from the working directory."""
    if isinstance(value, Address):
        return value
    if isinstance(value, str) and is_address(value.strip()):
        return Address(value.strip())
    return Path(str(_path(value))).expanduser().absolute()


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
Source = Annotated[
    InstanceOf[Address] | InstanceOf[Path], BeforeValidator(_source), PlainSerializer(str, when_used="json")
]
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
    cluster: str | None = Field(
        None, pattern=r"^(tcp|tls|ws|wss)://\S+$", description="Dask scheduler whose workers take the place of jobs"
    )

    @model_validator(mode="after")
    def _some_process(self) -> OriginSettings:
        if self.jobs == 0:
            raise ValueError("jobs: expected 1 or more processes, or -1 for every core, came 0")
        return self


class KeepingSettings(Closed):
    """Whether snapshots of past evenings are kept: a history that has grown is then rewound for its new days alone."""

    keep: Folder | None = Field(None, description="folder in which snapshots are kept; null: they are taken anew")
    most_mb: float = Field(2000.0, gt=0, description="megabytes that kept snapshots may take; the longest unused go")


class EmbeddedSettings(KeepingSettings):
    """Questions over the whole history run embedded (``configs/engine/duckdb.yaml``)."""

    kind: Literal["duckdb"] = "duckdb"


class SparkSettings(KeepingSettings):
    """They run on a Spark session (``configs/engine/spark.yaml``): the active one, else one that is started."""

    kind: Literal["spark"] = "spark"
    master: Annotated[str, Field(min_length=1)] | None = Field(
        "local[*]", description="master of a session that is started; null: as Spark's own configuration says"
    )

    @field_validator("master")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"(local(\[[^\]]+\])?|yarn)$|(spark|k8s)://\S+$", value):
            raise ValueError(f"expected local[N], spark://HOST:PORT, yarn or k8s://ADDRESS, came {value!r}")
        return value


EngineSettings = Annotated[EmbeddedSettings | SparkSettings, Field(discriminator="kind")]


class StoreThen(Closed):
    """The store of models as a run found it that is made again: it is read so, and nothing is written into it."""

    champion: str | None = Field(None, description="number of the version that was the champion; null: none was used")
    candidates: int = Field(0, ge=0, description="candidates that had been set beside that champion")


class TrackingSettings(Closed):
    """Where runs are recorded (``configs/tracking``)."""

    enabled: bool = True
    uri: str = Field("sqlite:///mlflow.db", min_length=1)
    experiment: str = Field("pipeforecast", min_length=1)
    artifacts: str | None = Field(None, description="folder or address; default: mlartifacts beside a local store")
    required: bool = Field(False, description="fail where the record cannot be written, instead of warning")
    model: str = Field("pipeforecast-deals", min_length=1, description="registered model whose versions train makes")
    places: Folder = Field(Path(".pipeforecast/runs"), description="where things lay, kept here and not in MLflow")
    then: StoreThen | None = Field(None, description="told by replay alone")


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
    evenings: tuple[str, ...] | None = Field(None, description="the origins that are replayed; told by replay alone")


class ReportSettings(Closed):
    """What the report shows (``configs/report``).

    Attributes
    ----------
    people : str
        Who is named: everybody (``full``), nobody (``anonymous``), or ``manager`` and whoever reports to them
        (``own_team``); all others are called Person 1, Person 2, …
    manager : str or None
        Id or name of the manager whose team it is.
    """

    people: Literal["full", "own_team", "anonymous"] = "full"
    manager: Annotated[str, Field(coerce_numbers_to_str=True, min_length=1)] | None = None
    top_deals: int = Field(15, ge=0)
    pdf: bool = False
    language: Language = "en"

    @model_validator(mode="after")
    def _whose_team(self) -> ReportSettings:
        if (self.people == "own_team") != (self.manager is not None):
            raise ValueError("people=own_team and manager=ID go together: the manager whose team is named")
        return self


class AgainSettings(Closed):
    """What ``replay`` is told: which recorded run is made again, and what its record does not say.

    Attributes
    ----------
    run : str
        MLflow's id of the run.
    source : Path, Address or None
    since, explored : Path or None
        The run's own, where they lie elsewhere by now; None: where they lay.
    scenario : dict
        Of the run's scenario, what names people or deals, where this machine has not kept it.
    against : Path or None
        Folder of the run's own files, to say where they differ first; None: where they were written.
    stored : bool
        Whether replayed origins may come from the store; false forecasts every one of them anew.
    jobs : int or None
        Processes at once; None: as the run had.
    """

    run: str = Field(pattern=r"^[0-9a-zA-Z_-]{1,64}$")
    out: Folder = Path("replayed")
    source: Source | None = None
    since: Since = None
    explored: Folder | None = None
    scenario: dict[str, Any] = Field(default_factory=dict)
    against: Folder | None = None
    stored: bool = False
    jobs: int | None = Field(None, ge=-1)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings)
    told: tuple[str, ...] = Field((), exclude=True, description="the words of the call")


class CompanySettings(Closed):
    """The made-up company of the demo."""

    kind: Literal["standard", "other"] = "standard"
    n_deals: int = Field(5000, ge=100)
    seed: int = Field(0, ge=0)
    folder: Folder = Path("demo_company")
