"""What a mapping file (``configs/crm/NAME.yaml``) may say about a CRM's export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from pipeforecast.contract import REWRITTEN_AT_CLOSING, TABLES, TRACKABLE, Kind
from pipeforecast.errors import SettingsError, some

#: Columns that a mapping may name besides the promised ones, because reading needs them.
HELPERS: Mapping[str, Mapping[str, Kind]] = {
    "deals": {"modified_at": "time"},
    "changes": {"outcome": "text"},
    "stages": {"forecast_category": "text"},
    "leads": {"status": "text"},
}


def kind_of(table: str, name: str) -> Kind | None:
    """Give the kind of a canonical column, or None if the name is not canonical."""
    if name in TABLES[table]:
        return TABLES[table][name].kind
    return HELPERS.get(table, {}).get(name)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_text(value: Any) -> Any:
    """Read YAML scalars as the text that stands in the file: ``true``, ``0``."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _as_texts(value: Any) -> Any:
    return [_as_text(v) for v in value] if isinstance(value, list | tuple) else _as_text(value)


def _text_map(value: Any) -> Any:
    return {_as_text(k): _as_text(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float | bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_texts), BeforeValidator(_listed)]
TextMap = Annotated[dict[str, str], BeforeValidator(_text_map)]


class ColumnOf(_Model):
    """A source column.

    ``values`` renames, ``others`` is what all else becomes, ``missing`` adds texts that mean nothing, ``scale``
    multiplies numbers, ``hashed`` keeps a key of personal data without the data.
    """

    column: str
    values: TextMap = {}
    others: Text | None = None
    missing: Texts = ()
    scale: float = 1.0
    hashed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Constant(_Model):
    """The same value in every row."""

    constant: Text


class RowNumber(_Model):
    """The row's place in the source, from 1."""

    row_number: Literal[True]


class DateParts(_Model):
    """Columns that hold a day's year, month (number or name) and day."""

    year: str
    month: str
    day: str


class DateFrom(_Model):
    """A day from its parts."""

    date_from: DateParts


class AddDays(_Model):
    """A date plus numbers of days."""

    add_days: tuple[Expression, ...] = Field(min_length=2)


class SubtractDays(_Model):
    """A date minus numbers of days."""

    subtract_days: tuple[Expression, ...] = Field(min_length=2)


class Product(_Model):
    """The product of numbers."""

    product: tuple[Expression, ...] = Field(min_length=1)


class Sum(_Model):
    """The sum of numbers; missing if one is missing."""

    sum: tuple[Expression, ...] = Field(min_length=1)


class FirstOf(_Model):
    """The first of several that is not missing."""

    first_of: tuple[Expression, ...] = Field(min_length=1)


class Joined(_Model):
    """Texts joined by ``by`` (first and last name, say)."""

    join: tuple[Expression, ...] = Field(min_length=1)
    by: str = " "


class LookupIn(_Model):
    """Another file: the row whose ``key`` equals ``by`` here gives ``value`` (an expression on that file).

    ``partial`` says that many rows have no match, so that this is no finding.
    """

    file: Texts
    key: str
    by: Expression
    value: Expression
    partial: bool = False


class Lookup(_Model):
    """A value from another file."""

    lookup: LookupIn


class Condition(_Model):
    """Whether a column holds one of some values; capitals do not matter, an empty text stands for missing."""

    column: str
    is_: Texts = Field(alias="is")


class When(_Model):
    """One of two expressions, row by row; without ``otherwise`` the other rows are missing."""

    when: Condition
    then: Expression
    otherwise: Expression | None = None


_FORMS: Mapping[str, type[_Model]] = {
    "column": ColumnOf, "constant": Constant, "row_number": RowNumber, "date_from": DateFrom, "add_days": AddDays,
    "subtract_days": SubtractDays, "product": Product, "sum": Sum, "first_of": FirstOf, "join": Joined,
    "lookup": Lookup, "when": When,
}  # fmt: skip


def _form(value: Any) -> str | None:
    """Tell which form of expression ``value`` is by the key that only that form has."""
    if isinstance(value, str):
        return "column"
    if isinstance(value, Mapping):
        return next((form for form in _FORMS if form in value), None)
    return next((form for form, model in _FORMS.items() if isinstance(value, model)), None)


Expression = Annotated[
    Annotated[ColumnOf, Tag("column")]
    | Annotated[Constant, Tag("constant")]
    | Annotated[RowNumber, Tag("row_number")]
    | Annotated[DateFrom, Tag("date_from")]
    | Annotated[AddDays, Tag("add_days")]
    | Annotated[SubtractDays, Tag("subtract_days")]
    | Annotated[Product, Tag("product")]
    | Annotated[Sum, Tag("sum")]
    | Annotated[FirstOf, Tag("first_of")]
    | Annotated[Joined, Tag("join")]
    | Annotated[Lookup, Tag("lookup")]
    | Annotated[When, Tag("when")],
    Discriminator(
        _form,
        custom_error_type="expression",
        custom_error_message="expected a source column or one of " + ", ".join(_FORMS),
    ),
]


def _same_names(value: Any) -> Any:
    """Let ``[adults, children]`` stand for ``{adults: adults, children: children}``."""
    return {name: name for name in value} if isinstance(value, list | tuple) else value


Columns = Annotated[dict[str, Expression], BeforeValidator(_same_names)]


class TableSettings(_Model):
    """Where a table stands and what its columns are.

    ``files`` are names or glob patterns, the ending may be left out; the first that matches counts. ``columns``
    must be there; ``optional`` ones may be absent, which a finding says; ``keep`` are further facts by kind.
    """

    files: Texts = Field(min_length=1)
    columns: dict[str, Expression] = {}
    optional: dict[str, Expression] = {}
    keep: dict[Kind, Columns] = {}
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


class DateSettings(_Model):
    """How dates are written: one order for every column, or an explicit format for some."""

    order: Literal["auto", "day_first", "month_first", "iso"] = "auto"
    formats: dict[str, str] = {}


class NumberSettings(_Model):
    """How numbers are written."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", ""] = ","

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; name both")
        return self


class StatusSettings(_Model):
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


class StageSettings(_Model):
    """One stage."""

    stage: Text
    kind: Literal["open", "won", "lost"] = "open"
    pipeline: Text | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    qualified: bool | None = None
    forecast_category: str | None = None


class StagesSettings(_Model):
    """The stages in their order: a list, or a table (which wins where its file is there)."""

    list: tuple[StageSettings, ...] = ()
    table: TableSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"list": value} if isinstance(value, Sequence) and not isinstance(value, str) else value


class FieldSettings(_Model):
    """Which field of a log is meant, and how its values are read."""

    field: Texts
    values: TextMap = {}
    scale: float = 1.0

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str | list | tuple) else value


class LogSettings(_Model):
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


class HistorySettings(_Model):
    """Where the past of deals is written; nothing at all means that only today is known.

    ``wide``: a table whose rows are whole states. ``long``: logs of single fields, which may supplement it.
    ``entered``: the day on which a deal entered a stage, by stage name. ``created``: facts whose value at
    creation is in the deals' file beside today's. ``exports``: the expression that finds the day in the names of
    dated folders or files, of which changes are the differences.
    """

    wide: TableSettings | None = None
    long: tuple[LogSettings, ...] = ()
    entered: dict[str, Expression] = {}
    created: dict[str, Expression] = {}
    exports: str = r"(\d{4})[-_]?(\d{2})[-_]?(\d{2})"

    @field_validator("long", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value


class RoleSettings(_Model):
    """Columns fixed at creation (``birth``) and columns known only as of today, which wins if both name one."""

    birth: tuple[str, ...] = ()
    today: tuple[str, ...] = ()


class CrmMapping(_Model):
    """A whole mapping file."""

    name: str
    deals: TableSettings
    status: StatusSettings
    stages: StagesSettings = StagesSettings()
    history: HistorySettings = HistorySettings()
    roles: RoleSettings = RoleSettings()
    tables: dict[str, TableSettings] = {}
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


def _summary(error: ValidationError, name: str) -> str:
    problems = [
        f"{'.'.join(str(part) for part in e['loc'] if part not in _FORMS) or 'mapping'}: "
        f"{e['msg'].removeprefix('Value error, ')[:300]}"
        for e in error.errors(include_url=False, include_input=False)
    ]
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return f"crm mapping {name!r}: " + "; ".join(problems[:3]) + more


for _model in (*_FORMS.values(), LookupIn, TableSettings, StatusSettings, LogSettings, HistorySettings, CrmMapping):
    _model.model_rebuild()
