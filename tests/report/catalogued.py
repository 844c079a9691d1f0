"""The catalogue of a small made-up company, computed once, and what its page is made from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml

from pipeforecast.benchmarks import BenchmarkSettings
from pipeforecast.build import build_export
from pipeforecast.demo import make_company
from pipeforecast.findings import Finding
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.metrics.computed import Computed, computed
from pipeforecast.overrides import composed
from pipeforecast.report.catalogue_cells import MetricsInput
from pipeforecast.settings import settings_for

ROOT = Path(__file__).parents[2]
FIRST = ("won_amount", "quota_attainment", "pipeline_value", "pipeline_coverage", "win_rate", "stage_conversion",
         "sales_cycle_length", "mql_to_sql", "average_order_value")  # fmt: skip


@cache
def small_company() -> Computed:
    """400 deals, four quarters, two groupings."""
    with TemporaryDirectory() as folder:
        make_company(n_deals=400, seed=5).write(Path(folder))
        settings = settings_for("check", composed("check", ["crm=salesforce", f"source={folder}", "tracking=off"]))
        export = build_export(settings)
    return computed(
        export.history, FiscalCalendar(), export.history.written_until, by=["owner", "deal_type"], periods=4
    )


def common_benchmarks() -> BenchmarkSettings:
    return BenchmarkSettings.model_validate(yaml.safe_load((ROOT / "configs/benchmarks/common.yaml").read_text()))


def made_metrics(**changes: Any) -> MetricsInput:
    made = small_company()
    given: dict[str, Any] = {
        "table": made.table, "windows": made.windows, "as_of": made.view.as_of, "first": FIRST,
        "benchmarks": common_benchmarks().values, "currency": "EUR", "set_name": "test",
        "findings": [Finding("ODD", "warning", "deals", "amount", 3, ("D1",), "left out", "look at them")],
    }  # fmt: skip
    return MetricsInput(**(given | changes))


def totals(given: MetricsInput, period: str | None = None) -> pd.DataFrame:
    """Rows of the totals in one window, by metric and part."""
    table = given.table
    at = (table["by"] == "total") & (table["period"] == (period or given.windows[-1].name))
    return table[at.to_numpy()].assign(part=lambda t: t["part"].fillna("")).set_index(["metric", "part"])
