"""Stage criteria: which questions a deal should have answered before it moved on, and which it has not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeforecast.audit.looks import Looks, on_each_kind
from pipeforecast.audit.stays import pipeline_of, places
from pipeforecast.contract import OPEN
from pipeforecast.errors import SettingsError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.hygiene import CriteriaSettings, Question

_YES = ("yes", "true", "y", "1", "1.0", "t")


@dataclass(frozen=True)
class Need:
    """One question that a stage asks: a deal beyond the stage should have answered it.

    Attributes
    ----------
    stage : str
        Name of the stage.
    place : float
        Its number among the open stages, from 1.
    name : str
    question : Question
    pipeline : str or None
        The only pipeline to which it applies; None: all.
    """

    stage: str
    place: float
    name: str
    question: Question
    pipeline: str | None = None

    def judged(self, looks: Looks) -> tuple[np.ndarray, np.ndarray]:
        """Whether each deal is beyond the stage without an answer (n,); known where it is beyond, and its facts are."""
        values, known = looks.fact(self.question.column)
        with np.errstate(invalid="ignore"):
            beyond = looks.place > self.place
        line = None if self.pipeline is None else pipeline_of(looks.history, looks.rows["deal"])
        if line is not None:
            beyond &= (line == self.pipeline).fillna(False).to_numpy(dtype=bool)
        told = on_each_kind(values, lambda kinds: pd.Series(answered(kinds, self.question)))
        return beyond & ~told.fillna(False).to_numpy(dtype=bool), known & beyond


def answered(values: pd.Series, question: Question) -> np.ndarray:
    """Whether each value is an answer (n,)."""
    text = values.astype("string").str.strip()
    there = text.notna().to_numpy() & (text != "").fillna(False).to_numpy(dtype=bool)
    if question.values:
        return there & text.isin(question.values).to_numpy(dtype=bool)
    if question.filled == "yes":
        return there & text.str.lower().isin(_YES).to_numpy(dtype=bool)
    if question.filled == "positive":
        number = pd.to_numeric(text, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        with np.errstate(invalid="ignore"):
            return there & (number > 0)
    return there


@dataclass(frozen=True)
class Criteria:
    """All questions of all stages that the data can answer.

    Attributes
    ----------
    needs : sequence of Need
    findings : list of Finding
        Questions whose column the data do not have: they are not asked.
    """

    needs: Sequence[Need]
    findings: list[Finding]

    def table(self, looks: Looks) -> pd.DataFrame:
        """Give each need's verdict on each row (boolean, missing where it is not known); columns are numbers."""
        judged = [need.judged(looks) for need in self.needs]
        return pd.DataFrame(
            {i: pd.arrays.BooleanArray(lacks.copy(), ~known) for i, (lacks, known) in enumerate(judged)},
            index=looks.rows.index,
        )

    def missing(self, looks: Looks) -> tuple[np.ndarray, np.ndarray]:
        """Whether any answer is missing (n,), and where at least one question can be judged (n,)."""
        table = self.table(looks)
        if not self.needs:
            return np.zeros(len(looks.rows), dtype=bool), np.zeros(len(looks.rows), dtype=bool)
        return table.fillna(False).any(axis=1).to_numpy(dtype=bool), table.notna().any(axis=1).to_numpy(dtype=bool)

    def lacking(self, looks: Looks) -> np.ndarray:
        """Name the questions that each row has not answered, as ``joined`` (n,)."""
        table = self.table(looks).fillna(False).astype(bool)
        return joined(table.to_numpy(), [n.name for n in self.needs])


def joined(hit: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Names that hold in each row of ``hit`` (n, k), each once, joined by ``; ``, None where none does (n,)."""
    kinds, of = np.unique(hit, axis=0, return_inverse=True) if hit.size else (hit[:1], np.zeros(len(hit), dtype=int))
    told = ["; ".join(dict.fromkeys(n for n, has in zip(names, row, strict=True) if has)) or None for row in kinds]
    return np.asarray(np.array(told, dtype=object)[of])


def criteria_of(told: CriteriaSettings, stages: pd.DataFrame, columns: Sequence[str]) -> Criteria:
    """Find the stages that the settings, and the CRM's own table of stages, ask questions for.

    Parameters
    ----------
    told : CriteriaSettings
    stages : DataFrame
        As of ``DealHistory.stages``; ``required_fields``: names of columns, between commas or semicolons.
    columns : sequence of str
        Columns of deals that the export has.

    Raises
    ------
    SettingsError
        If a stage of the settings is not there.
    """
    findings: list[Finding] = []
    needs = [*_of_settings(told, stages, findings), *(_of_stages(stages) if told.required_fields else [])]
    absent = sorted({n.question.column for n in needs if n.question.column not in columns})
    if absent:
        findings.append(Finding(
            "CRITERIA-NO-COLUMN", "warning", "deals", "", sum(n.question.column in absent for n in needs),
            first_examples(absent), "these questions are not asked", "map the columns in crm.deals, or leave them out",
        ))  # fmt: skip
    return Criteria([n for n in needs if n.question.column in columns], findings)


def _of_settings(told: CriteriaSettings, stages: pd.DataFrame, findings: list[Finding]) -> list[Need]:
    opened = stages[(stages["kind"] == OPEN).to_numpy(dtype=bool)].sort_values("position", kind="stable")
    found = []
    for asked, names in told.stages.items():
        here = opened[(opened["stage"] == asked).to_numpy(dtype=bool)]
        if len(here):
            place, stage = _place(stages, str(here["stage"].iloc[0])), asked
        elif re.fullmatch(r"[1-9]\d*", asked):
            order = opened["stage"].drop_duplicates().tolist()
            if int(asked) > len(order):
                findings.append(Finding(
                    "CRITERIA-NO-STAGE", "warning", "stages", "stage", 1, (asked,), "what it asks for is not asked",
                    f"there are {len(order)} open stages; name the stage, or its number among them",
                ))  # fmt: skip
                continue
            place, stage = float(asked), str(order[int(asked) - 1])
        else:
            raise SettingsError(
                f"criteria.stages: expected an open stage, one of {some(opened['stage'], 12)}, or its number; "
                f"came {asked!r}"
            )
        found += [Need(stage, place, name, told.questions[name]) for name in names]
    return found


def _of_stages(stages: pd.DataFrame) -> list[Need]:
    if "required_fields" not in stages:
        return []
    found = []
    asked = stages[((stages["kind"] == OPEN) & stages["required_fields"].notna()).to_numpy(dtype=bool)]
    for row in asked.to_dict("records"):
        line = None if pd.isna(row["pipeline"]) else str(row["pipeline"])
        place = _place(stages, str(row["stage"]), line)
        fields = [f for f in re.split(r"[,;\s]+", str(row["required_fields"])) if f]
        found += [Need(str(row["stage"]), place, f, Question(column=f), line) for f in fields]
    return found


def _place(stages: pd.DataFrame, stage: str, pipeline: str | None = None) -> float:
    line = None if pipeline is None else pd.Series([pipeline], dtype="string")
    return float(places(stages, pd.Series([stage], dtype="string"), line)[0])
