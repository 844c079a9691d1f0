"""Names for ids, and numbers for people whom the report must not name."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from pipeforecast.forecast import NO_GROUP, TOTAL
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.words import clean, spoken
from pipeforecast.reporting import NOT_YET_ASSIGNED
from pipeforecast.wording import noop, pnoop, retold, t

#: The pseudo-method that replays, at each past day, the rule that had been best until then.
CHOSEN = "best rule then"
_METHODS = {
    CHOSEN: noop("Rule chosen beforehand"),
    "auto": noop("What past periods speak for"),
    "crm_probability": noop("CRM probability"),
    "stage_rate": noop("Win rate by stage"),
    "category_commit": noop("Commit category"),
    "category_upside": noop("Commit and upside"),
    "same_stage_same_time": noop("Same stage, same time"),
    "crm_probability_not_past_due": noop("CRM probability, past-due dates left out"),
    "stage_rate_all_dates": noop("Win rate by stage, all dates"),
    "rep_call": noop("Calls of the reps"),
    "manager_call": noop("Calls of the managers"),
    "executive_call": noop("Call of the executive"),
    "coverage_yield": noop("Yield of the coverage"),
    "velocity": noop("Sales velocity"),
    "run_rate": noop("Run rate"),
    "last_period": noop("Last period"),
    "same_period_last_year": noop("Same period last year"),
    "mean_of_four": noop("Mean of four periods"),
    "ets": noop("Exponential smoothing"),
    "chain_ladder": noop("Share won by this day (chain ladder)"),
}
#: What the mapping makes of deal types; others are the company's words.
_DEAL_TYPES = (pnoop("deal type", "new"), pnoop("deal type", "existing"))
#: Levels whose groups are persons.
PERSONS = ("owner", "manager")


def in_order(name: str) -> list[tuple[int, int, str]]:
    """Key by which people order names: numbers in them by size, so that ``Person 2`` comes before ``Person 10``."""
    pieces = re.split(r"(\d+)", name.casefold())
    return [(1, int(x), "") if x.isdecimal() else (0, 0, x) for x in pieces if x]


class Names:
    """Shows groups, owners and deals by name; persons as ``Person 1``, ``Person 2``, … where people are hidden."""

    def __init__(self, given: ReportInput) -> None:
        self._labels = given.group_labels
        self._hidden = given.people != "full"
        self._team = given.team if given.people == "own_team" else frozenset()
        self._open = self._team | {NOT_YET_ASSIGNED}
        self._number: dict[str, int] = {}
        if self._hidden:
            self._count(given)

    def _count(self, given: ReportInput) -> None:
        """Number persons by size of their forecast, so that the numbers say nothing about their names."""
        f = given.forecast
        rows = f[f["level"].isin(PERSONS) & (f["part"] == TOTAL) & (f["method"] == given.model_name)]
        ranked = rows.sort_values("mean", ascending=False, kind="stable")["group"].astype(str).tolist()
        # Who calls comes last, in an order that says nothing about names either.
        callers = [f["person"].dropna().astype(str) for f in (given.biases, given.calls) if f is not None]
        owners = given.deals["owner"].dropna().astype(str)
        for person in [*ranked, *(p for people in (owners, *callers) for p in people)]:
            if person not in (NO_GROUP, NOT_YET_ASSIGNED) and person not in self._team:
                self._number.setdefault(person, len(self._number) + 1)

    @property
    def numbers(self) -> Mapping[str, int]:
        """Number of each person where people are hidden, else none."""
        return dict(self._number)

    def group(self, level: str, group: object) -> str:
        """Name of one group of a level."""
        if group is None or pd.isna(group) or str(group) in ("", NO_GROUP):  # type: ignore[call-overload]
            return t("(none)")
        if self._hidden and level in PERSONS and str(group) not in self._open:
            return t("Person {number}", number=self._number.get(str(group), "?"))
        if str(group) == NOT_YET_ASSIGNED:
            return t(NOT_YET_ASSIGNED)
        if level == "deal_type":
            return retold("deal type", clean(group)) or t("(no name)")
        return clean(self._labels.get(level, {}).get(str(group), group)) or t("(no name)")

    def method(self, method: object) -> str:
        """Name of a method: given under the level ``method``, known here, or its words; ``+new`` adds new deals."""
        given = self._labels.get("method", {}).get(str(method))
        if given is not None:
            return clean(given)
        base, plus, _ = clean(method).partition("+new")
        name = t(_METHODS[base]) if base in _METHODS else spoken(base)
        return t("{method} + new deals", method=name) if plus else name

    def owner(self, owner: object) -> str:
        """Name of a deal's owner."""
        return self.group("owner", owner)

    def person(self, person: object) -> str:
        """Name of somebody who calls: owner or manager, whichever is known."""
        level = next((x for x in PERSONS if str(person) in self._labels.get(x, {})), PERSONS[0])
        return self.group(level, person)

    def deal(self, name: object, deal_id: object) -> str:
        """Name of a deal; its id where it has none."""
        return clean(name) or clean(deal_id)


def numbers_of_people(given: ReportInput) -> Mapping[str, int]:
    """Number under which the report shows each person where people are hidden: other files use the same."""
    return Names(given).numbers
