"""The files about people: what each layer's calls add, and whether a person closes above or below own calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeforecast.people import biases, no_value_added, value_added, value_sentence, without_names
from pipeforecast.proof import Proof
from pipeforecast.results import write_csv
from pipeforecast.run import Run
from pipeforecast.sections import ReportSettings


def write_people(
    run: Run, proof: Proof | None, report: ReportSettings, out: Path, numbers: Mapping[str, int] | None = None
) -> list[str]:
    """Write ``people.csv`` and ``value_added.csv``, without rows where nobody called.

    Parameters
    ----------
    report : ReportSettings
        Whether people are named. ``numbers`` are those that the report has given already.

    Returns
    -------
    list of str
        Lines that say what each layer adds: none without calls. They name nobody.
    """
    people = biases(run.known, run.calendar, run.as_of)
    write_csv(without_names(people, numbers) if report.people == "anonymous" else people, out / "people.csv")
    added = no_value_added() if proof is None else value_added(proof.rows)
    write_csv(added, out / "value_added.csv")
    words = value_sentence(added)
    return ["", words] if words else []
