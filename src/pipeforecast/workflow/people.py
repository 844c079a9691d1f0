"""The files about people, and who is named in a report: everybody, one manager's own team, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeforecast.errors import SettingsError, some
from pipeforecast.history import DealHistory
from pipeforecast.people import biases, no_value_added, value_added, value_sentence, without_names
from pipeforecast.proof import Proof
from pipeforecast.reporting import manager_on
from pipeforecast.results import write_csv
from pipeforecast.run import Run
from pipeforecast.sections import ReportSettings

#: Columns whose values are persons.
_PERSONS = ("owner", "manager")


@dataclass(frozen=True)
class Told:
    """What is told of people: ``people.csv`` with their names, and ``value_added.csv``; no rows where nobody calls."""

    biases: pd.DataFrame
    added: pd.DataFrame


@dataclass(frozen=True)
class Shown:
    """Who is named.

    Attributes
    ----------
    names : mapping of id to name
        Of everybody who has one.
    team : frozenset of str or None
        Whom the report may name; None: everybody.
    """

    names: Mapping[str, str]
    team: frozenset[str] | None

    def may(self, person: object) -> bool:
        """Whether this person is named."""
        return self.team is None or str(person) in self.team

    def named(self) -> dict[str, str]:
        """Give the names that may be shown."""
        return {person: name for person, name in self.names.items() if self.may(person)}

    def beside_groups(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add ``group_name`` behind ``group``: the name where the level's groups are persons, else nothing."""
        known = table["group"].map(self.named())
        name = known.where(table["level"].isin(_PERSONS).to_numpy())
        return _behind(table, "group", name)

    def beside(self, table: pd.DataFrame, person: str) -> pd.DataFrame:
        """Add the name behind the column of a ``person``, as ``PERSON_name``."""
        return _behind(table, person, table[person].map(self.named()))


def _behind(table: pd.DataFrame, column: str, name: pd.Series) -> pd.DataFrame:
    out = table.copy()
    out.insert(list(out.columns).index(column) + 1, f"{column}_name", name)
    return out


def shown_people(history: DealHistory, report: ReportSettings, as_of: pd.Timestamp) -> Shown:
    """Say who is named, as the settings ask and the reporting line of the evening says.

    Raises
    ------
    SettingsError
        If nobody reports to the manager whose team it is.
    """
    names = people_names(history)
    if report.people == "full":
        return Shown(names, None)
    if report.people == "anonymous" or report.manager is None:
        return Shown(names, frozenset())
    return Shown(names, team_of(history, report.manager, as_of, names))


def people_names(history: DealHistory) -> dict[str, str]:
    """Names by id: of everybody in the table ``people``, and of owners as the deals name them."""
    found: dict[str, str] = {}
    told = history.tables.get("people")
    if told is not None:
        found |= dict(zip(told["person"].astype(str), told["person_name"].astype(str), strict=True))
    if "owner_name" in history.deals:
        owner = history.latest()["owner"].reindex(history.deals.index)
        named = pd.DataFrame({"owner": owner, "name": history.deals["owner_name"]}).dropna().astype(str)
        found |= dict(zip(named["owner"], named["name"], strict=True))
    return found


def team_of(history: DealHistory, manager: str, as_of: pd.Timestamp, names: Mapping[str, str]) -> frozenset[str]:
    """Give the manager and everybody below, as they report on the evening of ``as_of``.

    Parameters
    ----------
    history : DealHistory
    manager : str
        Id, or name where ``names`` has it.
    as_of : Timestamp
    names : mapping of id to name
    """
    boss_of = _reporting(history, as_of)
    team = {manager, *(person for person, name in names.items() if name == manager)}
    while below := {person for person, boss in boss_of.items() if boss in team and person not in team}:
        team |= below
    if not team & set(boss_of.values()):
        heads = some(sorted(set(boss_of.values())), 8) if boss_of else "nobody: the export has no reporting line"
        raise SettingsError(f"report.manager: expected somebody to whom others report ({heads}), came {manager!r}")
    return frozenset(team)


def _reporting(history: DealHistory, as_of: pd.Timestamp) -> dict[str, str]:
    """To whom each person reports on an evening."""
    line = history.tables.get("reporting_line")
    if line is not None:
        owners = pd.Series(line["owner"].dropna().unique(), dtype="string")
        told = pd.DataFrame({"owner": owners, "manager": manager_on(line, owners, as_of)})
    elif "manager" in history.deals:
        owner = history.latest()["owner"].reindex(history.deals.index)
        told = pd.DataFrame({"owner": owner, "manager": history.deals["manager"]})
    else:
        return {}
    told = told.dropna().astype(str)
    return dict(zip(told["owner"], told["manager"], strict=True))


def people_told(run: Run, proof: Proof | None) -> Told:
    """Judge each person's calls, and what each layer's add."""
    return Told(
        biases(run.known, run.calendar, run.as_of), no_value_added() if proof is None else value_added(proof.rows)
    )


def write_people(told: Told, shown: Shown, out: Path, numbers: Mapping[str, int] | None = None) -> list[str]:
    """Write ``people.csv`` and ``value_added.csv``, without rows where nobody called.

    Parameters
    ----------
    told : Told
    shown : Shown
        Who is named; all others are numbered.
    out : Path
    numbers : mapping of person to number, optional
        Those that the report has given already.

    Returns
    -------
    list of str
        Lines that say what each layer adds: none without calls. They name nobody.
    """
    people = shown.beside(told.biases, "person")
    hidden = [p for p in people["person"] if not shown.may(p)]
    write_csv(without_names(people, numbers, hidden) if hidden else people, out / "people.csv")
    write_csv(told.added, out / "value_added.csv")
    words = value_sentence(told.added)
    return ["", words] if words else []
