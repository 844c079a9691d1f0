"""Defects planted in clean exports of made-up companies: what is done, and what `check` has to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Layout:
    """Where things stand in an export: files of deals, log and stages, and their columns by what they mean."""

    name: str
    mapping: str
    deals: str
    log: str
    stages: str
    columns: Mapping[str, str]
    logged: Mapping[str, str]


SALESFORCE = Layout(
    "salesforce", "salesforce", "Opportunity", "OpportunityHistory", "OpportunityStage",
    {"id": "Id", "created": "CreatedDate", "closed": "CloseDate", "amount": "Amount", "stage": "StageName",
     "probability": "Probability", "product": "Product__c", "name": "Name", "deleted": "IsDeleted",
     "label": "MasterLabel",
     "modified": "LastModifiedDate", "currency": "CurrencyIsoCode", "merged": "MasterRecordId"},
    {"id": "OpportunityId", "at": "CreatedDate", "stage": "StageName", "amount": "Amount"},
)  # fmt: skip
GENERIC = Layout(
    "generic", "generic", "deals", "changes", "stages",
    {"id": "deal_id", "created": "created_at", "closed": "closed_at", "amount": "amount", "stage": "stage",
     "probability": "probability", "product": "product", "name": "name", "deleted": "archived", "label": "stage",
     "modified": "modified_at", "currency": "currency", "merged": "merged_into"},
    {"id": "deal_id", "at": "changed_at", "stage": "stage", "amount": "amount"},
)  # fmt: skip
LAYOUTS = (SALESFORCE, GENERIC)


def as_text(tables: Mapping[str, pd.DataFrame]) -> Tables:
    """Give every cell as the text that stands in the CSV file."""
    return {n: pd.DataFrame({c: t[c].astype("string").fillna("") for c in t}) for n, t in tables.items()}


def generic(tables: Tables) -> Tables:
    """Turn a company's raw tables into pipeforecast's own layout: deals, log of whole rows, stages."""
    deals, log, stages = (tables[n] for n in ("Opportunity", "OpportunityHistory", "OpportunityStage"))
    closed, won = deals["IsClosed"].isin(["true", "1"]), deals["IsWon"].isin(["true", "1"])
    out = pd.DataFrame({
        "deal_id": deals["Id"], "created_at": deals["CreatedDate"], "closed_at": deals["CloseDate"].where(closed, ""),
        "expected_close": deals["CloseDate"].where(~closed, ""), "amount": deals["Amount"], "stage": deals["StageName"],
        "outcome": np.where(won, "won", np.where(closed, "lost", "open")), "owner": deals["OwnerId"],
        "probability": (pd.to_numeric(deals["Probability"]) / 100).astype("string"), "name": deals["Name"],
        "modified_at": deals["LastModifiedDate"], "product": deals["Product__c"], "lead_source": deals["LeadSource"],
    })  # fmt: skip
    changes = pd.DataFrame({
        "deal_id": log["OpportunityId"], "changed_at": log["CreatedDate"], "stage": log["StageName"],
        "amount": log["Amount"],
    })  # fmt: skip
    ended, win = stages["IsClosed"].isin(["true", "1"]), stages["IsWon"].isin(["true", "1"])
    listed = pd.DataFrame({"stage": stages["MasterLabel"], "position": stages["SortOrder"],
                           "kind": np.where(win, "won", np.where(ended, "lost", "open"))})  # fmt: skip
    return {"deals": out, "changes": changes, "stages": listed}


@dataclass
class Export:
    """Tables that a defect may change, in place."""

    layout: Layout
    tables: Tables
    rng: np.random.Generator

    @property
    def deals(self) -> pd.DataFrame:
        """Today's deals."""
        return self.tables[self.layout.deals]

    @property
    def log(self) -> pd.DataFrame:
        """The change log."""
        return self.tables[self.layout.log]

    def column(self, name: str) -> str:
        """Name of a deals' column."""
        return self.layout.columns[name]

    def some(self, which: str, n: int = 4) -> np.ndarray:
        """Draw positions of deals that are open or closed."""
        deals = self.deals
        closed = deals["IsClosed"].isin(["true", "1"]) if "IsClosed" in deals else deals["outcome"].ne("open")
        won = deals["IsWon"].isin(["true", "1"]) if "IsWon" in deals else deals["outcome"].eq("won")
        mask = {"open": ~closed, "closed": closed, "won": won, "any": closed | ~closed}[which]
        return self.rng.choice(np.flatnonzero(mask.to_numpy(dtype=bool)), n, replace=False)

    def put(self, name: str, rows: np.ndarray, values: object) -> None:
        """Write cells of deals."""
        column = self.column(name)
        if column not in self.deals:
            self.deals[column] = pd.Series("", index=self.deals.index, dtype="string")
        self.deals.iloc[rows, self.deals.columns.get_loc(column)] = values

    def add(self, table: str, rows: pd.DataFrame) -> None:
        """Append rows."""
        self.tables[table] = pd.concat([self.tables[table], rows], ignore_index=True)


def _duplicate_ids(x: Export) -> None:
    again = x.deals.iloc[x.some("any")].copy()
    again[x.column("amount")] = "77"
    x.add(x.layout.deals, again)


def _twins(x: Export) -> None:
    twins = x.deals[x.deals[x.column("amount")].ne("")].iloc[x.rng.integers(0, 100, 3)].copy()
    twins[x.column("id")] = [f"twin{i}" for i in range(len(twins))]
    x.add(x.layout.deals, twins)


def _days(values: pd.Series, days: int) -> list[str]:
    return [str((pd.Timestamp(v[:10]) + pd.Timedelta(days=days)).date()) for v in values]


def _moved(x: Export, name: str, which: str, days: int, of: str) -> None:
    rows = x.some(which)
    x.put(name, rows, _days(x.deals[x.column(of)].iloc[rows], days))


def _before_created(x: Export) -> None:
    _moved(x, "closed", "closed", -40, "created")


def _in_the_future(x: Export) -> None:
    x.put("closed", x.some("closed"), "2031-03-31")


def _improbable(x: Export) -> None:
    x.put("probability", x.some("open"), "250")


def _far_ahead(x: Export) -> None:
    x.put("modified", x.some("open", 1), "2029-01-01 10:00:00")


def _renamed(x: Export) -> None:
    at, stage = x.layout.logged["at"], x.layout.logged["stage"]
    stages, label = x.tables[x.layout.stages], x.column("label")
    old = str(stages[label].iloc[1])
    half = sorted(x.log[at])[len(x.log) // 2]
    new = stages.iloc[[1]].copy()
    new[label] = "New name"
    x.add(x.layout.stages, new)
    x.log.loc[x.log[stage].eq(old) & x.log[at].ge(half), stage] = "New name"
    x.deals.loc[x.deals[x.column("stage")].eq(old), x.column("stage")] = "New name"


def _zones(x: Export) -> None:
    at = x.layout.logged["at"]
    rows = x.rng.choice(len(x.log), 5, replace=False)
    bare = x.log[at].iloc[rows].str.replace(r"(Z|\.\d+Z|[+-]\d{2}:?\d{2})$", "", regex=True)
    x.log.iloc[rows, x.log.columns.get_loc(at)] = (bare + "+09:00").to_numpy()


def _orphans(x: Export) -> None:
    rows = x.log.iloc[:3].copy()
    rows[x.layout.logged["id"]] = ["gone1", "gone2", "gone3"]
    x.add(x.layout.log, rows)


def _begins_late(x: Export) -> None:
    at = x.layout.logged["at"]
    x.tables[x.layout.log] = x.log[x.log[at].ge(sorted(x.log[at])[len(x.log) // 2])].reset_index(drop=True)


def _truncated(x: Export) -> None:
    created, closed = x.deals[x.column("created")].str[:10], x.deals[x.column("closed")]
    late = sorted(created)[len(created) // 2]
    status = x.deals["IsClosed"].isin(["true", "1"]) if "IsClosed" in x.deals else x.deals["outcome"].ne("open")
    keep = ~(status & closed.lt(late))
    x.tables[x.layout.deals] = x.deals[keep.to_numpy(dtype=bool)].reset_index(drop=True)
    ids = set(x.deals[x.column("id")])
    x.tables[x.layout.log] = x.log[x.log[x.layout.logged["id"]].isin(ids).to_numpy()].reset_index(drop=True)


def _same_second(x: Export) -> None:
    rows = x.log.iloc[x.rng.choice(len(x.log), 40, replace=False)].copy()
    rows[x.layout.logged["amount"]] = "123"
    x.add(x.layout.log, rows)


def _log_cell(x: Export, name: str, value: str) -> None:
    rows = x.rng.choice(len(x.log), 4, replace=False)
    x.log.iloc[rows, x.log.columns.get_loc(x.layout.logged[name])] = value


def _merged(x: Export) -> None:
    rows = x.some("open", 3)
    x.put("merged", rows, str(x.deals[x.column("id")].iloc[int(x.some("won", 1)[0])]))


def _currencies(x: Export) -> None:
    x.put("currency", np.arange(len(x.deals)), "EUR")
    x.put("currency", x.some("any"), "JPY")


def _canary(x: Export) -> None:
    status = x.deals["IsClosed"].isin(["true", "1"]) if "IsClosed" in x.deals else x.deals["outcome"].ne("open")
    x.deals[x.column("product")] = x.deals[x.column("product")].where(status, "")


def _spelled(x: Export) -> None:
    rows = x.some("any")
    x.put("product", rows, x.deals[x.column("product")].iloc[rows].str.upper().to_numpy())


def _booked_late(x: Export) -> None:
    """Closing days that lie before the day on which the log wrote them."""
    rows = x.some("closed", 12)
    x.put("closed", rows, _days(x.deals[x.column("closed")].iloc[rows], -3))


@dataclass(frozen=True)
class Defect:
    """A defect: how it is planted, the codes of which one has to be found, and what other verbs refuse it with."""

    plant: Callable[[Export], None]
    codes: tuple[str, ...] = ()
    refused: str = ""


#: In the order in which they are planted: what cuts rows off comes first, so that it takes no other defect with it.
DEFECTS: dict[str, Defect] = {
    "history begins late": Defect(_begins_late, ("HISTORY-BEGINS-LATE",)),
    "earlier closings lacking": Defect(_truncated, ("LEFT-TRUNCATED",)),
    "duplicate ids": Defect(_duplicate_ids, ("DUPLICATE-ID",)),
    "duplicate rows": Defect(lambda x: x.add(x.layout.deals, x.deals.iloc[x.some("any")]), ("DUPLICATE-ROW",)),
    "deals told twice": Defect(_twins, ("DEALS-ALIKE",)),
    "no id": Defect(lambda x: x.put("id", x.some("any"), ""), ("NO-DEAL-ID",)),
    "disagrees with history": Defect(lambda x: x.put("amount", x.some("open"), "4321"), ("LOG-DISAGREES-WITH-TODAY",)),
    "won without date": Defect(
        lambda x: x.put("closed", x.some("won"), ""), ("CLOSED-WITHOUT-DATE", "CLOSE-DATE-FROM-RECORD")
    ),
    "closed before created": Defect(_before_created, ("CLOSED-BEFORE-CREATED",)),
    "closed in the future": Defect(_in_the_future, ("CLOSED-IN-THE-FUTURE",)),
    "no creation": Defect(lambda x: x.put("created", x.some("any"), ""), ("CREATED-DATE-MISSING",)),
    "log before creation": Defect(lambda x: _moved(x, "created", "open", 20, "created"), ("LOG-BEFORE-CREATED",)),
    "negative amounts": Defect(lambda x: x.put("amount", x.some("open"), "-500"), ("AMOUNT-NEGATIVE",)),
    "enormous amounts": Defect(lambda x: x.put("amount", x.some("open"), "99999999999"), ("AMOUNT-ENORMOUS",)),
    "impossible amounts": Defect(lambda x: x.put("amount", x.some("open"), "4915112345678901"), ("AMOUNT-IMPOSSIBLE",)),
    "unknown stage": Defect(lambda x: x.put("stage", x.some("open"), "Limbo"), ("STAGE-UNKNOWN",), "are not known"),
    "renamed stage": Defect(_renamed, ("STAGE-RENAMED",)),
    "spelling variants": Defect(_spelled, ("SPELLING-VARIANTS",)),
    "mixed date formats": Defect(
        lambda x: x.put("created", x.some("any"), "31/12/2023"), ("DATE-UNREADABLE",), "are no dates in"
    ),
    "text among amounts": Defect(
        lambda x: x.put("amount", x.some("any"), "a lot"), ("NUMBER-UNREADABLE",), "are no numbers"
    ),
    "mixed time zones": Defect(_zones, ("TIME-ZONES-MIXED",)),
    "orphans in history": Defect(_orphans, ("LOG-ROWS-WITHOUT-DEAL",)),
    "history without time": Defect(lambda x: _log_cell(x, "at", ""), ("LOG-ROWS-WITHOUT-TIME",)),
    "changes at the same second": Defect(_same_second, ("SAME-SECOND",)),
    "booked late": Defect(_booked_late, ("BOOKED-LATE",)),
    "soft-deleted rows": Defect(
        lambda x: x.put("deleted", x.some("any"), "true"), ("EXCLUDED-BY-MAPPING", "DELETED-NOT-MAPPED")
    ),
    "merged records": Defect(_merged, ("MERGED-INTO-ANOTHER",)),
    "ends that never come": Defect(lambda x: x.put("closed", x.some("closed"), "9999-12-31"), ("DATE-MEANS-NONE",)),
    "probability out of range": Defect(_improbable, ("PROBABILITY-OUT-OF-RANGE",)),
    "currency without rate": Defect(_currencies, ("CURRENCY-WITHOUT-RATE",), "deals have the currencies"),
    "today's value as history": Defect(_canary, ("LEAK-ONLY-CLOSED",)),
    "a day far ahead": Defect(_far_ahead, ("LAST-DAY-LEAPS",)),
}  # fmt: skip


def planted(layout: Layout, clean: Tables, names: tuple[str, ...], seed: int = 0) -> Tables:
    """Give a copy of an export with some defects, planted in the order of ``DEFECTS``."""
    tables = {n: t.copy() for n, t in clean.items()}
    for name in (n for n in DEFECTS if n in names):
        rng = np.random.default_rng([seed, crc32(name.encode())])
        DEFECTS[name].plant(Export(layout, tables, rng))
    return tables
