"""Rows that an export holds more than once: each counts once, and how many there were is said."""

from __future__ import annotations

import pandas as pd

from pipeforecast.findings import Finding, first_examples


def leads_once(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep the last row of each lead."""
    again = rows["lead_id"].duplicated(keep="last").to_numpy()
    if not again.any():
        return rows, []
    found = Finding("LEADS-REPEATED", "warning", "leads", "lead_id", int(again.sum()),
                    first_examples(rows["lead_id"][again]), "the last row of each counts",
                    "export every lead once")  # fmt: skip
    return rows[~again].reset_index(drop=True), [found]


def touches_once(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep rows of touches that have a time; of those that are equal in everything one."""
    rows = rows[rows["at"].notna().to_numpy()].reset_index(drop=True)
    again = rows.duplicated("at", keep=False).to_numpy(copy=True)
    again[again] = rows[again].duplicated().to_numpy()
    if not again.any():
        return rows, []
    found = Finding("TOUCHES-REPEATED", "warning", "touches", "", int(again.sum()),
                    first_examples(rows["at"][again]), "touches that are equal in everything count once",
                    "export every touch once, with its time of day")  # fmt: skip
    return rows[~again].reset_index(drop=True), [found]
