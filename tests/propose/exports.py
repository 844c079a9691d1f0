"""The demo company's deals as other CRMs and other languages would export them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeforecast.names import names_in
from pipeforecast.propose.words import FLAGS

#: Opportunity's headings and what they are.
DEALS = {
    "Id": "deal_id", "Name": "name", "StageName": "stage", "Amount": "amount", "Probability": "probability",
    "CloseDate": "closed_at", "Type": "deal_type", "LeadSource": "lead_source", "OwnerId": "owner",
    "CreatedDate": "created_at", "ForecastCategoryName": "forecast_category", "IsClosed": "closed", "IsWon": "won",
}  # fmt: skip
CHANGES = {
    "OpportunityId": "deal_id", "CreatedDate": "changed_at", "StageName": "stage", "Amount": "amount",
    "CloseDate": "closed_at", "Probability": "probability", "ForecastCategory": "forecast_category",
}  # fmt: skip
LANGUAGE = {"en": 0, "pl": 1, "zh": 2, "id": 3, "ms": 4}
_FLAG_AT = {"en": 0, "pl": 3, "zh": 2, "id": 4, "ms": 4}


@dataclass(frozen=True)
class Written:
    """How tables are written into files."""

    name: str
    put: Callable[[pd.DataFrame, Path], None]
    decimal: str = "."
    day: str = "%Y-%m-%d"


def csv(separator: str, encoding: str) -> Callable[[pd.DataFrame, Path], None]:
    def put(table: pd.DataFrame, stem: Path) -> None:
        table.to_csv(stem.with_suffix(".csv"), sep=separator, encoding=encoding, index=False)

    return put


def parquet(table: pd.DataFrame, stem: Path) -> None:
    table.to_parquet(stem.with_suffix(".parquet"), index=False)


def excel(table: pd.DataFrame, stem: Path) -> None:
    table.to_excel(stem.with_suffix(".xlsx"), index=False, engine="xlsxwriter")


WAYS = (
    Written("comma", csv(",", "utf-8")),
    Written("semicolon_decimal_comma_day_first", csv(";", "utf-8"), ",", "%d.%m.%Y"),
    Written("tab_utf16_month_first", csv("\t", "utf-16"), ".", "%m/%d/%Y"),
    Written("excel", excel),
    Written("parquet", parquet),
)
CP1250 = Written("cp1250", csv(";", "cp1250"), ",", "%d.%m.%Y")


def headings(language: str, columns: Mapping[str, str], at: int, table: str) -> dict[str, str]:
    """Name columns in a language, by one of the names that it has for each."""
    names = names_in(language)
    out: dict[str, str] = {}
    for raw, canonical in columns.items():
        if canonical in FLAGS:
            out[raw] = FLAGS[canonical][min(_FLAG_AT[language], len(FLAGS[canonical]) - 1)]
            continue
        several = names.column(table, canonical)
        out[raw] = several[at % len(several)]
    assert len(set(out.values())) == len(out), out
    return out


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give opportunities and their history as text."""
    read = {
        n: pd.read_csv(folder / f"{n}.csv", dtype=str, keep_default_na=False)
        for n in ("Opportunity", "OpportunityHistory")
    }
    return read["Opportunity"][list(DEALS)], read["OpportunityHistory"][list(CHANGES)]


def rewritten(table: pd.DataFrame, way: Written, seed: int) -> pd.DataFrame:
    """Write days and amounts in another way, and shuffle the columns."""
    out = table.copy()
    for name in out:
        if name == "CloseDate":
            out[name] = [pd.Timestamp(v).strftime(way.day) if v else "" for v in out[name]]
        if name == "CreatedDate":
            out[name] = [pd.Timestamp(v).strftime(f"{way.day} %H:%M:%S") if v else "" for v in out[name]]
        if name == "Amount":
            out[name] = out[name].str.replace(".", way.decimal, regex=False)
    order = np.random.default_rng(seed).permutation(len(out.columns))
    return out.iloc[:, order]
