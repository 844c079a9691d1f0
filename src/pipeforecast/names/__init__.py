"""What columns and metrics are called in five languages: for mapping a file's columns, and for reports.

A file a language (``pl.yaml``) lists the names of every canonical column and of every metric; the first is shown, the
others are read as the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from pipeforecast.complaint import complaint
from pipeforecast.contract import TABLES
from pipeforecast.errors import SettingsError, some
from pipeforecast.guess import nearest
from pipeforecast.kinds import Closed
from pipeforecast.wording import LANGUAGES

__all__ = ["LANGUAGES", "Names", "names_in", "same"]

ALL = "all"

Name = Annotated[str, Field(min_length=1)]
Several = Annotated[tuple[Name, ...], Field(min_length=1)]


class Names(Closed):
    """The names of one language.

    Attributes
    ----------
    language, title : str
        Its code, and what it is called by those who speak it.
    columns : mapping of table to columns to names
        ``all`` holds for every table that has the column; a table's own entry replaces it there.
    metrics : mapping of metric to names
    """

    language: str
    title: str
    columns: dict[str, dict[str, Several]]
    metrics: dict[str, Several]

    @model_validator(mode="after")
    def _canonical(self) -> Names:
        for table, columns in self.columns.items():
            if table not in (ALL, *TABLES):
                raise ValueError(f"there is no table {table!r}; there are {some([ALL, *TABLES], 20)}")
            known = {c for t in TABLES.values() for c in t} if table == ALL else set(TABLES[table])
            unknown = [c for c in columns if c not in known]
            if unknown:
                raise ValueError(f"columns.{table}: {some(unknown)} is no canonical column{nearest(unknown[0], known)}")
        return self

    def column(self, table: str, name: str) -> Several:
        """Give the names of a column, the one to show first.

        Raises
        ------
        SettingsError
            If the language has no name for it.
        """
        for place in (table, ALL):
            if name in self.columns.get(place, {}):
                return self.columns[place][name]
        raise SettingsError(f"{self.language}: expected a column of {table!r} with a name, came {name!r}")

    def aliases(self, table: str) -> Mapping[str, str]:
        """Give the column for every name in a table, its canonical one too; look names up by ``same``."""
        return {same(alias): name for name in TABLES[table] for alias in (name, *self.column(table, name))}

    def metric(self, name: str) -> str:
        """Give the title of a metric; its stable name where the language has none."""
        return self.metrics[name][0] if name in self.metrics else name

    def check_metrics(self, known: Iterable[str]) -> None:
        """Refuse names of metrics that are not of the catalogue.

        Raises
        ------
        SettingsError
            If there is one.
        """
        catalogue = set(known)
        unknown = [n for n in self.metrics if n not in catalogue]
        if unknown:
            raise SettingsError(
                f"names in {self.language}: metrics {some(unknown)} are not of the catalogue; remove them or "
                f"correct their spelling{nearest(unknown[0], catalogue)}"
            )


def same(name: str) -> str:
    """Reduce a name to what spelling does not change: capitals, spaces, signs."""
    return "".join(c for c in name.casefold() if c.isalnum())


def read_names(text: str, where: str) -> Names:
    """Read the names of a language from YAML.

    Raises
    ------
    SettingsError
        If something in it is not understood.
    """
    try:
        plain: Any = yaml.safe_load(text)
        return Names.model_validate(plain)
    except yaml.YAMLError as error:
        raise SettingsError(f"{where} is no YAML: {' '.join(str(error).split())[:200]}") from None
    except ValidationError as error:
        raise SettingsError(f"{where}: {complaint(Names, error)}") from None


@cache
def names_in(language: str) -> Names:
    """Give the names of one of ``LANGUAGES``.

    Raises
    ------
    SettingsError
        If the language is not one of them.
    """
    if language not in LANGUAGES:
        raise SettingsError(f"language: expected one of {some(LANGUAGES)}, came {language!r}")
    file = files(__package__) / f"{language}.yaml"
    return read_names(file.read_text(encoding="utf-8"), file.name)
