"""The files about people: what each layer's calls add, and whether a person closes above or below own calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeforecast.people import biases, no_value_added, value_added, value_sentence, without_names
from pipeforecast.proof import Proof
from pipeforecast.results import write_csv
from pipeforecast.run import Run
from pipeforecast.sections import ReportSettings


@dataclass(frozen=True)
class Told:
    """What is told of people: ``people.csv`` with their names, and ``value_added.csv``; no rows where nobody calls."""

    biases: pd.DataFrame
    added: pd.DataFrame


def people_told(run: Run, proof: Proof | None) -> Told:
    """Judge each person's calls, and what each layer's add."""
    return Told(
        biases(run.known, run.calendar, run.as_of), no_value_added() if proof is None else value_added(proof.rows)
    )


def write_people(told: Told, report: ReportSettings, out: Path, numbers: Mapping[str, int] | None = None) -> list[str]:
    """Write ``people.csv`` and ``value_added.csv``, without rows where nobody called.

    Parameters
    ----------
    told : Told
    report : ReportSettings
        Whether people are named. ``numbers`` are those that the report has given already.

    Returns
    -------
    list of str
        Lines that say what each layer adds: none without calls. They name nobody.
    """
    people = told.biases
    write_csv(without_names(people, numbers) if report.people == "anonymous" else people, out / "people.csv")
    write_csv(told.added, out / "value_added.csv")
    words = value_sentence(told.added)
    return ["", words] if words else []
