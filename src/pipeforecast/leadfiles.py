"""Leads scored and written some rows at a time: ``leads.csv``, payloads, and the parts of the likeliest leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeforecast.errors import DataError
from pipeforecast.history import DealHistory
from pipeforecast.ingest import LeadFile
from pipeforecast.leadmodels import LeadModel
from pipeforecast.leadpayloads import payload
from pipeforecast.leadreasons import MOST, parts_table, reasons_of
from pipeforecast.leadrun import cleaned
from pipeforecast.leads import LeadBook, LeadFeatures, Marks, describe_leads, lead_book, open_leads, take_lead_snapshot
from pipeforecast.leads.book import DAYS
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.leakage import Audit
from pipeforecast.mapping import CrmMapping
from pipeforecast.textcells import shown, shown_frame

#: Columns of ``leads.csv``.
LEAD_COLUMNS = (
    "as_of", "lead_id", "external_id", "p_convert", "points", "grade", "hand_over", "reason_1", "reason_2", "reason_3",
    "model_version",
)  # fmt: skip


@dataclass
class Written:
    """What was written: leads, their expected number of steps, leads handed over (None: no threshold is saved)."""

    leads: int = 0
    expected: float = 0.0
    handed: int | None = None
    repeated: int = 0
    best: list[pd.DataFrame] = field(default_factory=list)


@dataclass(frozen=True)
class LeadWriter:
    """What scores leads and writes them.

    Attributes
    ----------
    model : LeadModel
    told : LeadSettings
    mapping : CrmMapping
    version : str
    sentinels : mapping
        Numbers that mean missing, as the audit of the training found them.
    marks : Marks or None
        A points card with its threshold.
    history : DealHistory or None
        For the deals that leads became.
    told_of : set of str
        Tables beside the leads that the export has.
    """

    model: LeadModel
    told: LeadSettings
    mapping: CrmMapping
    version: str
    sentinels: dict[str, tuple[float, ...]]
    marks: Marks | None = None
    history: DealHistory | None = None
    told_of: set[str] = field(default_factory=set, init=False)

    def write(self, source: LeadFile, as_of: pd.Timestamp | None, out: Path) -> Written:
        """Score the open leads of ``source`` on the evening of ``as_of`` into ``out``."""
        made, seen = Written(handed=None if self.marks is None else 0), set[str]()
        files: dict[str, Path] = {
            "leads": out / "leads.csv",
            **{t: out / f"payload_{t}.csv" for t in self.told.payloads},
        }
        for book in self._books(source, as_of):
            ids = book.leads["lead_id"].astype("object")
            again = ids.isin(seen).to_numpy() if seen else np.zeros(len(ids), dtype=bool)
            made.repeated += int(again.sum()) + int(sum(f.count for f in book.findings if f.code == "LEAD-REPEATED"))
            if source.streams:
                seen.update(ids)
            table, parts = self._scored(book, as_of, again)
            for name, path in files.items():
                frame = table if name == "leads" else payload(table, name)
                _append(frame, path)
            self._count(made, table, parts)
        if not files["leads"].exists():
            raise DataError("leads: expected at least one lead, came none; export the open leads too")
        shown_frame(_likeliest(made.best)).to_csv(out / "lead_reasons.csv", index=False, float_format="%.10g")
        return made

    def _count(self, made: Written, table: pd.DataFrame, parts: pd.DataFrame) -> None:
        made.leads += len(table)
        made.expected += float(table["p_convert"].sum())
        made.best.append(parts)
        if made.handed is not None:
            made.handed += int(table["hand_over"].fillna(False).sum())

    def _books(self, source: LeadFile, as_of: pd.Timestamp | None) -> Iterator[LeadBook]:
        roles = self.mapping.roles.leads
        beside = source.beside()
        needed = {
            *DAYS,
            "lead_id",
            "external_id",
            "segment",
            "status",
            "converted",
            *(t.name for t in self.model.terms),
            *(() if self.marks is None else self.marks.columns),
        }
        self.told_of.update(n for n, t in beside.items() if len(t))
        for chunk in source.chunks(self.told.chunk, needed):
            if chunk.empty:
                continue
            accept = [n for n in self.told.accept_todays_values if n in chunk]
            book = lead_book({"leads": chunk, **beside}, roles.birth, roles.engagement, accept, self.history)
            book = book.known_by(as_of) if as_of is not None else book
            if len(book.leads):
                yield book

    def _scored(
        self, book: LeadBook, as_of: pd.Timestamp | None, again: np.ndarray
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = self._open(book, as_of, again)
        found = describe_leads(take_lead_snapshot(book, rows, self.marks is not None), self.told.step)
        features = self._counted(cleaned(found, Audit(sentinels=self.sentinels)))
        p, reasons = reasons_of(self.model, features)
        leads = book.leads.iloc[rows["lead"].to_numpy()].reset_index(drop=True)
        external = leads["external_id"] if "external_id" in leads else leads["lead_id"]
        segment = leads["segment"].astype("object").to_numpy() if "segment" in leads else np.full(len(leads), None)
        table = pd.DataFrame({
            "as_of": "" if as_of is None else str(as_of.date()), "lead_id": leads["lead_id"], "external_id": external,
            "p_convert": np.round(p, 6), **self._marked(features, p, segment),
            **{f"reason_{i + 1}": pd.Series(r, dtype=_TEXT) for i, r in enumerate(reasons)},
            "model_version": self.version,
        })  # fmt: skip
        return table[list(LEAD_COLUMNS)], parts_table(self.model, features, leads["lead_id"])

    def _counted(self, features: LeadFeatures) -> LeadFeatures:
        """Give counts of what none of these leads has: 0, where the export would tell, and not missing."""
        absent = [t.name for t in self.model.terms if t.name not in features.names]
        told = {"n_moves": "lead_changes"}
        none = [n for n in absent if n.startswith("n_") and told.get(n, "touches") in self.told_of]
        none_yes = [n for n in absent if n == "responded"]
        if not none and not none_yes:
            return features
        numbers = features.numbers.assign(**dict.fromkeys(none, 0.0))
        return replace(features, numbers=numbers, flags=features.flags.assign(**dict.fromkeys(none_yes, 0.0)))

    def _open(self, book: LeadBook, as_of: pd.Timestamp | None, again: np.ndarray) -> pd.DataFrame:
        if as_of is not None:
            rows = open_leads(book, self.told.step, as_of)
        else:
            every = np.arange(len(book.leads))
            ended = book.leads["converted"].fillna(False).to_numpy(dtype=bool) if "converted" in book.leads else None
            keep = every if ended is None or ended.all() else every[~ended]
            rows = pd.DataFrame({"lead": keep, "as_of": np.full(len(keep), "NaT", dtype="datetime64[s]")})
        return rows[~again[rows["lead"].to_numpy()]].reset_index(drop=True) if again.any() else rows

    def _marked(self, features: LeadFeatures, p: np.ndarray, segment: np.ndarray) -> dict[str, pd.Series]:
        if self.marks is None:
            n = len(p)
            return {
                "points": pd.Series([pd.NA] * n, dtype="Int64"), "grade": pd.Series([pd.NA] * n, dtype="string"),
                "hand_over": pd.Series([pd.NA] * n, dtype="boolean"),
            }  # fmt: skip
        marked = self.marks.mark(features, p, segment)
        return {name: marked[name] for name in ("points", "grade", "hand_over")}


def _likeliest(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Keep the likeliest leads of all pieces, in that order."""
    whole = pd.concat(parts, ignore_index=True)
    log_odds = whole.groupby("lead_id", sort=False)["log_odds"].sum().nlargest(MOST)
    place = pd.Series(range(len(log_odds)), index=log_odds.index).reindex(whole["lead_id"]).to_numpy()
    kept = whole[~np.isnan(place)].iloc[np.argsort(place[~np.isnan(place)], kind="stable")]
    return kept.reset_index(drop=True)


_TEXT = pd.ArrowDtype(pa.string())


def _append(table: pd.DataFrame, path: Path) -> None:
    """Add rows to a CSV; text from outside is shown, never run as a formula."""
    texts = [
        str(c) for c in table if table[c].dtype == object or isinstance(table[c].dtype, pd.StringDtype | pd.ArrowDtype)
    ]
    safe = table.assign(**{c: _safe(table[c]) for c in texts})
    arrow = pa.Table.from_pandas(safe, preserve_index=False)
    with path.open("ab") as file:
        pa_csv.write_csv(arrow, file, pa_csv.WriteOptions(include_header=file.tell() == 0, quoting_style="needed"))


def _safe(column: pd.Series) -> pd.Series:
    risky = column.astype("string").str.match(r"^[^\w]", na=False).to_numpy(dtype=bool)
    if not risky.any():
        return column
    out = column.astype("object").to_numpy().copy()
    out[risky] = [shown(str(v)) for v in out[risky]]
    return pd.Series(out, index=column.index, dtype="string")
