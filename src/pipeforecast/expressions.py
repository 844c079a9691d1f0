"""The expressions of a mapping file: a closed set of ways to make a column from a CRM's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator


class Settings(BaseModel):
    """Judges settings: an unknown name is an error, and nothing changes afterwards."""

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


class ColumnOf(Settings):
    """A source column.

    ``values`` renames, ``others`` is what all else becomes, ``missing`` adds texts that mean nothing, ``scale``
    multiplies numbers, ``hashed`` keeps a key of personal data without the data.
    """

    column: str
    values: TextMap = Field(default_factory=dict)
    others: Text | None = None
    missing: Texts = ()
    scale: float = 1.0
    hashed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Constant(Settings):
    """The same value in every row."""

    constant: Text


class RowNumber(Settings):
    """The row's place in the source, from 1."""

    row_number: Literal[True]


class DateParts(Settings):
    """Columns that hold a day's year, month (number or name) and day."""

    year: str
    month: str
    day: str


class DateFrom(Settings):
    """A day from its parts."""

    date_from: DateParts


class AddDays(Settings):
    """A date plus numbers of days."""

    add_days: tuple[Expression, ...] = Field(min_length=2)


class SubtractDays(Settings):
    """A date minus numbers of days."""

    subtract_days: tuple[Expression, ...] = Field(min_length=2)


class Product(Settings):
    """The product of numbers."""

    product: tuple[Expression, ...] = Field(min_length=1)


class Sum(Settings):
    """The sum of numbers; missing if one is missing."""

    sum: tuple[Expression, ...] = Field(min_length=1)


class FirstOf(Settings):
    """The first of several that is not missing."""

    first_of: tuple[Expression, ...] = Field(min_length=1)


class Joined(Settings):
    """Texts joined by ``by`` (first and last name, say)."""

    join: tuple[Expression, ...] = Field(min_length=1)
    by: str = " "


class LookupIn(Settings):
    """Another file: the row whose ``key`` equals ``by`` here gives ``value`` (an expression on that file).

    ``partial`` says that many rows have no match, so that this is no finding.
    """

    file: Texts
    key: str
    by: Expression
    value: Expression
    partial: bool = False


class Lookup(Settings):
    """A value from another file."""

    lookup: LookupIn


class Condition(Settings):
    """Whether a column holds one of some values; capitals do not matter, an empty text stands for missing."""

    column: str
    is_: Texts = Field(alias="is")


class When(Settings):
    """One of two expressions, row by row; without ``otherwise`` the other rows are missing."""

    when: Condition
    then: Expression
    otherwise: Expression | None = None


FORMS: dict[str, type[Settings]] = {
    "column": ColumnOf, "constant": Constant, "row_number": RowNumber, "date_from": DateFrom, "add_days": AddDays,
    "subtract_days": SubtractDays, "product": Product, "sum": Sum, "first_of": FirstOf, "join": Joined,
    "lookup": Lookup, "when": When,
}  # fmt: skip


def _form(value: Any) -> str | None:
    """Tell which form of expression ``value`` is by the key that only that form has."""
    if isinstance(value, str):
        return "column"
    if isinstance(value, Mapping):
        return next((form for form in FORMS if form in value), None)
    return next((form for form, model in FORMS.items() if isinstance(value, model)), None)


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
        custom_error_message="expected a source column or one of " + ", ".join(FORMS),
    ),
]


_RECURSIVE: tuple[type[Settings], ...] = (*FORMS.values(), LookupIn)
for _model in _RECURSIVE:
    _model.model_rebuild()
