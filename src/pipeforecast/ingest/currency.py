"""One currency for all amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.ingest.deals import note
from pipeforecast.ingest.pasts import Log
from pipeforecast.ingest.reading import Reading
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
        advice = "set crm.currency to the one to count in and give a table of rates"
        reading.refuse(
            DataError(
                f"deals have the currencies {some(found)}: {advice} (crm.tables.rates with currency, day, rate; amount "
                "× rate is the amount in crm.currency)"
            ),
            _without_rate(deals["currency"].notna(), deals, "amounts are added up as they stand", advice),
        )
        return deals, log
    rate = _rates(deals, tables["rates"], target, reading)
    money = [m for m in _MONEY if m in deals]
    changed = rate.notna() & (rate != 1.0) & deals[money].notna().any(axis=1)
    reading.findings.append(
        Finding("CURRENCY-CONVERTED", "info", "deals", "currency", int(changed.sum()), tuple(found[:5]),
                f"amounts, and those of their log, turned into {target} by the last rate before creation",
                "check the table of rates")
    )  # fmt: skip
    unnamed = deals["currency"].isna()
    if unnamed.any():
        note(reading, "CURRENCY-MISSING", "warning", deals["deal_id"][unnamed], f"taken as {target}",
             "give every deal its currency", column="currency")  # fmt: skip
        blank = deals["currency"][unnamed]
        reading.ledger.mend("deals", "", "currency", blank, "CURRENCY-MISSING", blank.fillna(target),
                            deals["deal_id"][unnamed], by_row=False)  # fmt: skip
    for name in money:
        told = deals[name].notna()
        for code, turned in (("CURRENCY-CONVERTED", changed & told), ("CURRENCY-WITHOUT-RATE", rate.isna() & told)):
            reading.ledger.mend(
                "deals", "", name, deals[name][turned], code, (deals[name] * rate)[turned], deals["deal_id"][turned],
                by_row=False,
            )  # fmt: skip
        deals = deals.assign(**{name: deals[name] * rate})
    return deals.assign(currency=pd.Series(target, index=deals.index, dtype="string")), _log(log, rate.to_numpy())


def _without_rate(which: pd.Series, deals: pd.DataFrame, repair: str, advice: str) -> Finding:
    names = deals["currency"][which].value_counts().index
    return Finding(
        "CURRENCY-WITHOUT-RATE", "error", "deals", "currency", int(which.sum()), first_examples(names), repair, advice
    )


def _rates(deals: pd.DataFrame, rates: pd.DataFrame, target: str, reading: Reading) -> pd.Series:
    """Give each deal's rate; missing, where ``check`` looks on, if there is none."""
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
        names, advice = left.loc[lacking, "currency"].unique(), "add earlier rows to the table of rates"
        reading.refuse(
            DataError(
                f"no rate for {some(names)} on or before {left.loc[lacking, 'day'].min().date()}, the creation of "
                f"{int(lacking.sum())} deals: {advice}"
            ),
            _without_rate(lacking, deals, "their amounts are set missing", advice),
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
