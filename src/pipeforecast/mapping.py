"""What a mapping file (``configs/crm/NAME.yaml``) may say about a CRM's export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from pipeforecast.contract import REWRITTEN_AT_CLOSING, TABLES, TRACKABLE, Kind
from pipeforecast.errors import SettingsError, some
from pipeforecast.expressions import FORMS, ColumnOf, Condition, Constant, Expression, Settings, Text, TextMap, Texts

#: Columns that a mapping may name besides the promised ones, because reading needs them.
HELPERS: Mapping[str, Mapping[str, Kind]] = {
    "deals": {"modified_at": "time"},
    "changes": {"outcome": "text"},
    "stages": {"forecast_category": "text"},
}


def kind_of(table: str, name: str) -> Kind | None:
    """Give the kind of a canonical column, or None if the name is not canonical."""
    if name in TABLES[table]:
        return TABLES[table][name].kind
    return HELPERS.get(table, {}).get(name)


def _same_names(value: Any) -> Any:
    """Let ``[adults, children]`` stand for ``{adults: adults, children: children}``."""
    return {name: name for name in value} if isinstance(value, list | tuple) else value


Columns = Annotated[dict[str, Expression], BeforeValidator(_same_names)]


class TableSettings(Settings):
    """Where a table stands and what its columns are.

    ``files`` are names or glob patterns, the ending may be left out; the first that matches counts. ``columns``
    must be there; ``optional`` ones may be absent, which a finding says; ``keep`` are further facts by kind.
    """

    files: Texts = Field(min_length=1)
    columns: dict[str, Expression] = Field(default_factory=dict)
    optional: dict[str, Expression] = Field(default_factory=dict)
    keep: dict[Kind, Columns] = Field(default_factory=dict)
    exclude: tuple[Condition, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def check(self, table: str) -> None:
        """Refuse names that are not canonical columns of ``table``."""
        for name in (*self.columns, *self.optional):
            if kind_of(table, name) is None:
                known = sorted([*TABLES[table], *HELPERS.get(table, {})])
                raise ValueError(f"{table} has no column {name!r}; it has {some(known, 60)}; others go under keep")

    def expressions(self) -> dict[str, Expression]:
        """All expressions by canonical name."""
        kept = {name: e for columns in self.keep.values() for name, e in columns.items()}
        return {**self.columns, **self.optional, **kept}


class DateSettings(Settings):
    """How dates are written: one order for every column, or an explicit format for some."""

    order: Literal["auto", "day_first", "month_first", "iso"] = "auto"
    formats: dict[str, str] = Field(default_factory=dict)


class NumberSettings(Settings):
    """How numbers are written."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", ""] = ","

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; name both")
        return self


class StatusSettings(Settings):
    """How open, won and lost are told: by an expression, by two flags, or by the kind of the stage."""

    value: Expression | None = None
    closed: Expression | None = None
    won: Expression | None = None
    stage_kind: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        flags = self.closed is not None or self.won is not None
        if (self.value is not None) + flags + self.stage_kind != 1:
            raise ValueError("give exactly one of value, closed with won, stage_kind: true")
        if flags and (self.closed is None or self.won is None):
            raise ValueError("closed and won go together")
        return self


class StageSettings(Settings):
    """One stage."""

    stage: Text
    kind: Literal["open", "won", "lost"] = "open"
    pipeline: Text | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    qualified: bool | None = None
    forecast_category: str | None = None
    required_fields: str | None = None


class StagesSettings(Settings):
    """The stages in their order: a list, or a table (which wins where its file is there)."""

    list: tuple[StageSettings, ...] = ()
    table: TableSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"list": value} if isinstance(value, Sequence) and not isinstance(value, str) else value


class Names(Settings):
    """A file that gives names for the ids that a log holds."""

    file: Texts
    key: str
    value: str


class FieldSettings(Settings):
    """Which field of a log is meant, and how its values are read; ``names`` turns ids into names."""

    field: Texts
    values: TextMap = Field(default_factory=dict)
    scale: float = 1.0
    names: Names | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str | list | tuple) else value


class LogSettings(Settings):
    """A log with one row per change of one field; ``fields`` says which source field is which column."""

    files: Texts = Field(min_length=1)
    deal_id: Expression
    changed_at: Expression
    recorded_at: Expression | None = None
    field: Expression
    value: ColumnOf
    old: ColumnOf | None = None
    fields: dict[str, FieldSettings]
    delimiter: str | None = None
    encoding: str | None = None


class HistorySettings(Settings):
    """Where the past of deals is written; nothing at all means that only today is known.

    ``wide``: a table whose rows are whole states. ``long``: logs of single fields, which may supplement it.
    ``entered``: the day on which a deal entered a stage, by stage name. ``created``: facts whose value at
    creation is in the deals' file beside today's. ``exports``: the expression that finds the day in the names of
    dated folders or files, of which changes are the differences.
    """

    wide: TableSettings | None = None
    long: tuple[LogSettings, ...] = ()
    entered: dict[str, Expression] = Field(default_factory=dict)
    created: dict[str, Expression] = Field(default_factory=dict)
    exports: str = r"(\d{4})[-_]?(\d{2})[-_]?(\d{2})"

    @property
    def files(self) -> list[Texts]:
        """Patterns of the files of each change log."""
        return [*([self.wide.files] if self.wide is not None else []), *(log.files for log in self.long)]

    @field_validator("long", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value


class LeadRoles(Settings):
    """Columns of leads fixed at creation, and which of all columns tell what a lead did rather than who it is."""

    birth: tuple[str, ...] = ()
    engagement: tuple[str, ...] = ()


class RoleSettings(Settings):
    """Columns fixed at creation (``birth``) and columns known only as of today, which wins if both name one.

    ``allow_leaks`` names facts of deals that the leakage audit would refuse and that were known beforehand.
    """

    birth: tuple[str, ...] = ()
    today: tuple[str, ...] = ()
    leads: LeadRoles = LeadRoles()
    allow_leaks: tuple[str, ...] = ()


#: What a mapping of leads alone says of deals: they would be called so, and are not there.
NO_DEALS = TableSettings.model_validate(
    {"files": ["deals"], "columns": {"deal_id": "deal_id", "created_at": "created_at", "stage": "stage"}}
)


class CrmMapping(Settings):
    """A whole mapping file; one without ``deals`` is of an export that has leads alone."""

    name: str
    deals: TableSettings = NO_DEALS
    status: StatusSettings = StatusSettings(stage_kind=True)
    stages: StagesSettings = StagesSettings()
    history: HistorySettings = HistorySettings()
    roles: RoleSettings = RoleSettings()
    tables: dict[str, TableSettings] = Field(default_factory=dict)
    currency: str | None = None
    close_date: Literal["dual", "separate"] = "separate"
    dates: DateSettings = DateSettings()
    numbers: NumberSettings = NumberSettings()
    missing: Texts = ("",)

    @classmethod
    def model_validate(cls, obj: Any, *args: Any, **kwargs: Any) -> Self:
        """Read a mapping from plain values.

        Raises
        ------
        SettingsError
            If something in it is not understood; it names at most three places.
        """
        try:
            return super().model_validate(obj, *args, **kwargs)
        except ValidationError as error:
            name = obj.get("name", "?") if isinstance(obj, Mapping) else "?"
            raise SettingsError(_summary(error, str(name))) from None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.deals.check("deals")
        if self.history.wide is not None:
            self.history.wide.check("changes")
        unknown = [n for n in self.history.created if n not in TRACKABLE]
        if unknown:
            raise ValueError(f"history.created: {some(unknown)} cannot change; expected one of {some(TRACKABLE, 12)}")
        if self.stages.table is not None:
            self.stages.table.check("stages")
        known = set(TABLES) - {"deals", "changes", "stages"}
        for name, table in self.tables.items():
            if name not in known:
                raise ValueError(f"there is no table {name!r}; there are {some(sorted(known), 12)}")
            table.check(name)
        self._check_roles()
        return self

    def _check_roles(self) -> None:
        columns = self.deals.expressions()
        absent = [n for n in (*self.roles.birth, *self.roles.today) if n not in columns]
        if absent:
            raise ValueError(f"roles name {some(absent)}, which deals does not map")
        constant = [n for n, e in columns.items() if isinstance(e, Constant)]
        rewritten = [n for n in self.roles.birth if n in REWRITTEN_AT_CLOSING and n not in constant]
        if rewritten:
            raise ValueError(f"roles.birth: {some(rewritten)} are rewritten when a deal closes, so never birth facts")
        leads = self.tables["leads"].expressions() if "leads" in self.tables else {}
        unmapped = [n for n in (*self.roles.leads.birth, *self.roles.leads.engagement) if n not in leads]
        if unmapped:
            raise ValueError(f"roles.leads name {some(unmapped)}, which tables.leads does not map")


def _summary(error: ValidationError, name: str) -> str:
    problems = [
        f"{'.'.join(str(part) for part in e['loc'] if part not in FORMS) or 'mapping'}: "
        f"{e['msg'].removeprefix('Value error, ')[:300]}"
        for e in error.errors(include_url=False, include_input=False)
    ]
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return f"crm mapping {name!r}: " + "; ".join(problems[:3]) + more
