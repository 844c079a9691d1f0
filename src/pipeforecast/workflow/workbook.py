"""The workbook's input: what the page is made from, the open deals one by one, the terms of the rules."""

from __future__ import annotations

import numpy as np
import pandas as pd

import pipeforecast
from pipeforecast.forecast import group_names
from pipeforecast.report import ReportInput
from pipeforecast.report.workbook import BookInput
from pipeforecast.run import Run
from pipeforecast.workflow.made import Made

_LABELS = ("deal_id", "name", "account_name")
_STATE = ("owner", "stage", "forecast_category", "expected_close", "amount")


def book_input(told: ReportInput, made: Made, run: Run) -> BookInput:
    """Put the input of the workbook together; deals with the largest expected amount first, as in ``deals.csv``."""
    rows, deals = made.now.open, made.lead.deals
    labels = made.now.labels.reindex(rows["deal"].to_numpy())
    unknown = np.full(len(rows), np.nan)
    period = made.lead.period
    table = pd.DataFrame({
        **{c: _column(labels, c) for c in _LABELS},
        **{c: _column(rows, c) for c in _STATE},
        "probability": unknown if deals is None else deals.won_between(period.start, period.end),
        "amount_if_won": unknown if deals is None else deals.amount,
        "crm_probability": rows["probability"].to_numpy(dtype="float64", na_value=np.nan),
        "rule_amount": made.terms.amounts,
    })  # fmt: skip
    groups = pd.DataFrame({level: group_names(rows, level) for level in run.levels}, index=table.index)
    order = (
        table.assign(expected=table["probability"] * table["amount_if_won"])
        .sort_values(["expected", "deal_id"], ascending=[False, True]).index
    )  # fmt: skip
    terms = made.terms
    return BookInput(
        given=told,
        deals=table.loc[order].reset_index(drop=True),
        groups=groups.loc[order].reset_index(drop=True),
        stages=terms.stages,
        numbers=terms.numbers,
        past=terms.past,
        categories=terms.categories,
        factor=made.factor,
        about={"Made by": f"pipeforecast {pipeforecast.__version__}", "Fingerprint of the data": run.data},
    )


def _column(table: pd.DataFrame, name: str) -> np.ndarray:
    return table[name].to_numpy() if name in table else np.full(len(table), None, dtype=object)
