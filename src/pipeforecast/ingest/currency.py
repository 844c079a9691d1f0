"""One currency for all amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding
from pipeforecast.ingest.deals import note
from pipeforecast.ingest.evaluate import Reading
from pipeforecast.ingest.pasts import Log
from pipeforecast.ingest.states import Piece

_MONEY = ("amount", "recurring_amount")


def in_one_currency(
    deals: pd.DataFrame, log: Log, tables: Mapping[str, pd.DataFrame], reading: Reading
) -> tuple[pd.DataFrame, Log]:
    """Turn all amounts into the mapping's currency by the last rate before each deal's creation.

    One rate per deal keeps its amounts comparable, and nothing later than its creation enters its past.

    Raises
    ------
    DataError
        If deals have several currencies and there is no target currency or a rate is missing.
    """
    if "currency" not in deals:
        return deals, log
    target = reading.mapping.currency
    found = sorted(deals["currency"].dropna().unique())
    if len(found) <= 1 and (target is None or found in ([], [target])):
        return deals, log
    if target is None or "rates" not in tables:
        raise DataError(
            f"deals have the currencies {some(found)}: set crm.currency to the one to count in and give a table of "
            "rates (crm.tables.rates with currency, day, rate; amount × rate is the amount in crm.currency)"
        )
    rate = _rates(deals, tables["rates"], target)
    changed = (rate != 1.0).to_numpy()
    reading.findings.append(
        Finding("CURRENCY-CONVERTED", "info", "deals", "currency", int(changed.sum()), tuple(found[:5]),
                f"amounts turned into {target} by the last rate before creation", "check the table of rates")
    )  # fmt: skip
    unnamed = deals["currency"].isna()
    if unnamed.any():
        note(reading, "CURRENCY-MISSING", "warning", deals["deal_id"][unnamed], f"taken as {target}",
             "give every deal its currency", column="currency")  # fmt: skip
        blank = deals["currency"][unnamed]
        reading.ledger.mend("deals", "", "currency", blank, "CURRENCY-MISSING", blank.fillna(target),
                            deals["deal_id"][unnamed], by_row=False)  # fmt: skip
    for name in (m for m in _MONEY if m in deals):
        turned = (rate != 1.0) & deals[name].notna()
        reading.ledger.mend(
            "deals", "", name, deals[name][turned], "CURRENCY-CONVERTED", (deals[name] * rate)[turned],
            deals["deal_id"][turned], by_row=False,
        )  # fmt: skip
        deals = deals.assign(**{name: deals[name] * rate})
    return deals.assign(currency=pd.Series(target, index=deals.index, dtype="string")), _log(log, rate.to_numpy())


def _rates(deals: pd.DataFrame, rates: pd.DataFrame, target: str) -> pd.Series:
    left = pd.DataFrame({"currency": deals["currency"].fillna(target), "day": deals["created_at"], "at": deals.index})
    left["day"] = left["day"].fillna(left["day"].max()).astype("datetime64[s]")
    joined = pd.merge_asof(
        left.sort_values("day", kind="stable"),
        rates[["currency", "day", "rate"]].sort_values("day", kind="stable"),
        on="day", by="currency",
    ).set_index("at")  # fmt: skip
    rate = joined["rate"].reindex(deals.index).mask((left["currency"] == target).to_numpy(dtype=bool), 1.0)
    lacking = rate.isna()
    if lacking.any():
        names = left.loc[lacking, "currency"].unique()
        raise DataError(
            f"no rate for {some(names)} on or before {left.loc[lacking, 'day'].min().date()}, the creation of "
            f"{int(lacking.sum())} deals: add earlier rows to the table of rates"
        )
    return rate


def _log(log: Log, rate: np.ndarray) -> Log:
    def turned(piece: Piece) -> Piece:
        facts = dict(piece.facts)
        for name in (m for m in _MONEY if m in facts):
            values, which = facts[name]
            facts[name] = (values * rate[piece.deal], which)
        return replace(piece, facts=facts)

    first = {f: (v * rate, which) if f in _MONEY else (v, which) for f, (v, which) in log.first.items()}
    return replace(log, pieces=tuple(turned(p) for p in log.pieces), first=first)
