"""What every verb on leads needs: the export read and rewound, audited, and the past foretold block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.findings import Finding
from pipeforecast.history import DealHistory
from pipeforecast.ingest import read_leads
from pipeforecast.leadmodels import CANDIDATES, LeadModel, LeadRows, Replay, replayed
from pipeforecast.leads import (
    LeadBook,
    LeadFeatures,
    ScoredLeads,
    check_step,
    decision_rows,
    describe_leads,
    lead_book,
    lesson_rows,
    observe_leads,
    take_lead_snapshot,
)
from pipeforecast.leads.book import DAYS, IDENTITIES
from pipeforecast.leadsettings import LeadSettings
from pipeforecast.leakage import Audit, audit
from pipeforecast.mapping import CrmMapping
from pipeforecast.run import data_of, say
from pipeforecast.settings import RunSettings

_ALLOW = "lead.allow_leaks"
#: Most evenings besides those of decision: one fit takes far fewer.
_MOST_LESSONS = 100_000


@dataclass(frozen=True)
class LeadRun:
    """Leads of one export, ready to teach.

    Attributes
    ----------
    book : LeadBook
        What was written by the evening of ``as_of``.
    told : LeadSettings
    audit : Audit
    findings : list of Finding
    as_of : Timestamp or None
        None where leads have no dates.
    data : str
        Fingerprint of the files.
    seed : int
    """

    book: LeadBook
    told: LeadSettings
    audit: Audit
    findings: list[Finding]
    as_of: pd.Timestamp | None
    data: str
    seed: int = 0
    history: DealHistory | None = field(default=None, repr=False)

    def refuse_leaks(self) -> None:
        """Stop where a column leaks beyond doubt and was not allowed by name.

        Raises
        ------
        DataError
        """
        self.audit.stop(_ALLOW)

    @property
    def in_time(self) -> bool:
        """Whether rows are in the order of time: by their dates, or because the user says so."""
        return self.book.dated or self.told.rows_in_order

    @property
    def split(self) -> str:
        """What the rows are on which models are scored."""
        if self.book.dated:
            return "later leads"
        return "later rows" if self.told.rows_in_order else "random split"

    def features(self, rows: pd.DataFrame, with_touches: bool = False) -> LeadFeatures:
        """Describe leads on evenings, without what the audit left out."""
        found = describe_leads(take_lead_snapshot(self.book, rows, with_touches), self.told.step)
        return cleaned(found, self.audit)

    def outcomes(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Say what became of leads after evenings."""
        return observe_leads(self.book, rows, self.told.step, self.told.days)

    @cached_property
    def lessons(self) -> tuple[pd.DataFrame, LeadRows]:
        """Mature evenings in the order of time, and the rows that teach.

        Without dates or an order, rows stand in a random one: every later split is then a random split.
        """
        told = self.told
        days = sorted({*told.lesson_days, told.decide_after})
        rows = lesson_rows(self.book, told.step, days, self.book.until)
        rows = rows[self._kept(rows)].reset_index(drop=True)
        outcome = self.outcomes(rows)["converted_within"]
        rows = rows[outcome.notna().to_numpy()].reset_index(drop=True)
        y = outcome.dropna().to_numpy(dtype="float64")
        lag = float(told.days)
        if self.book.dated:
            time = rows["as_of"].to_numpy().astype("datetime64[D]").astype("float64")
        else:
            n, lag = len(rows), 0.0
            time = np.arange(n, dtype="float64")
            time = time if told.rows_in_order else np.random.default_rng(self.seed).permutation(n).astype("float64")
        order = np.argsort(time, kind="stable")
        rows, y, time = rows.iloc[order].reset_index(drop=True), y[order], time[order]
        lead = rows["lead"].to_numpy()
        person = self.book.leads["person"].to_numpy()[lead]
        return rows, LeadRows(self.features(rows), y, person, lead, time, lag)

    def _kept(self, rows: pd.DataFrame) -> np.ndarray:
        """Mask that keeps every decision evening, and of many other evenings those of random leads."""
        decision = self.decision_evening(rows)
        share = _MOST_LESSONS / max(int((~decision).sum()), 1)
        if share >= 1:
            return np.ones(len(rows), dtype=bool)
        drawn = np.random.default_rng(self.seed).random(len(self.book.leads)) < share
        return np.asarray(decision | drawn[rows["lead"].to_numpy()])

    @cached_property
    def replay(self) -> Replay:
        """Past blocks foretold, each by what was known at its start."""
        rows = self.lessons[1]
        self._both_outcomes(rows)
        say(f"scoring lead models on {self.told.tested} blocks of {len(rows):,} past evenings")
        return replayed(rows, CANDIDATES, self.told.blocks, self.told.tested, self.told.max_rows, self.seed)

    def _both_outcomes(self, rows: LeadRows) -> None:
        came = len(np.unique(rows.lead[rows.y == 1]))
        n = len(np.unique(rows.lead))
        if not len(rows) or came in (0, n):
            what = "no lead" if came == 0 else "every lead"
            raise DataError(
                f"lead.step={self.told.step}: expected leads that reached it and leads that did not, came {n:,} leads "
                f"whose {self.told.days} days are over, of which {what} reached it; choose another lead.step or "
                "lead.days, or export leads of both outcomes"
            )

    @cached_property
    def model(self) -> LeadModel:
        """The model of today: what the blocks speak for, fitted on all mature rows."""
        made = self.replay.final(self.told.kinds, 4 * self.told.max_rows, self.seed)
        return LeadModel(
            made.kind, made.intercept, made.terms, made.offset, made.slope, self.told.step, self.told.days, made.facts
        )

    def decided(self, kinds: Sequence[str]) -> pd.DataFrame:
        """Table of the foretold leads at their decision evening.

        Returns
        -------
        DataFrame
            ``lead``, ``as_of``, ``at`` (place among the lessons), ``block``, ``y``, ``p``, ``base_rate``.
        """
        replay, (rows, _) = self.replay, self.lessons
        seen = rows.iloc[replay.at].reset_index(drop=True).assign(
            at=replay.at, block=replay.block, y=replay.rows.y, p=replay.said(kinds), base_rate=replay.share
        )  # fmt: skip
        return seen[self.decision_evening(seen)].reset_index(drop=True)

    def decision_evening(self, rows: pd.DataFrame) -> np.ndarray:
        """Mask of the rows that are the evening on which a lead is decided on."""
        if not self.book.dated:
            return np.ones(len(rows), dtype=bool)
        created = self.book.leads["created_at"].to_numpy().astype("datetime64[D]")[rows["lead"].to_numpy()]
        age = (rows["as_of"].to_numpy().astype("datetime64[D]") - created).astype("int64")
        return np.asarray(age == self.told.decide_after)

    def scored(self) -> ScoredLeads:
        """Give every lead at its decision evening with the chance that it would have been given.

        Foretold leads have their out-of-fold chance, immature ones that of today's model, which no lead so young has
        taught; the earliest, which only taught, have none.
        """
        rows = decision_rows(self.book, self.told.step, self.told.decide_after, self.book.until)
        if not self.book.dated and not self.told.rows_in_order:
            order = np.argsort(np.random.default_rng(self.seed).permutation(len(rows)), kind="stable")
            rows = rows.iloc[order].reset_index(drop=True)
        elif self.book.dated:
            rows = rows.sort_values("as_of", kind="stable", ignore_index=True)
        outcome, features = self.outcomes(rows), self.features(rows, with_touches=True)
        decided = self.decided(self.told.kinds).set_index("lead")["p"]
        p = decided.reindex(rows["lead"]).to_numpy(dtype="float64").copy()
        young = outcome["converted_within"].isna().to_numpy()
        if young.any():
            p[young] = self.model.chance(features.rows(young))
        leads = self.book.leads.iloc[rows["lead"].to_numpy()].reset_index(drop=True)
        age = (rows["as_of"] - leads["created_at"]).dt.total_seconds() / 86_400
        table = pd.DataFrame({
            "lead_id": leads["lead_id"].astype("string"), "person": leads["person"], "created_at": leads["created_at"],
            "as_of": rows["as_of"], "age_days": age, "p": p,
            **{n: outcome[n] for n in ("converted_within", "contacted", "segment", "value")},
        })  # fmt: skip
        told = self.told
        return ScoredLeads(table, features, told.step, told.days, self.model.kind, self.in_time, self.book.until)


def prepared_leads(settings: RunSettings, told: LeadSettings, stop: bool = True) -> LeadRun:
    """Read an export's leads, rewind them to ``as_of`` and audit their columns.

    Parameters
    ----------
    settings : RunSettings
    told : LeadSettings
    stop : bool
        Whether to refuse at once what leaks; otherwise ask ``LeadRun.refuse_leaks`` before anything is taught.

    Raises
    ------
    DataError
        If a column leaks beyond doubt and was not allowed by name.
    """
    say(f"reading {settings.source}")
    book, findings, history, data = read_book(settings, told)
    if settings.as_of is not None and not book.dated:
        raise SettingsError("as_of: expected none, because these leads have no dates; leave it out")
    if settings.as_of is not None:
        day = pd.Timestamp(settings.as_of)
        if book.until is not None and day > book.until:
            raise SettingsError(f"as_of: {day.date()} lies after the last written day of the data, {book.until.date()}")
        book = book.known_by(day)
        if book.leads.empty:
            raise DataError(f"as_of: no lead was written by {day.date()}; name a later day")
    check_step(book, told.step)
    found = audit_of(book, told)
    every = [*findings, *book.findings, *found.findings]
    run = LeadRun(book, told, found, every, book.until, data, settings.seed, history)
    if stop:
        run.refuse_leaks()
    return run


def read_book(settings: RunSettings, told: LeadSettings) -> tuple[LeadBook, list[Finding], DealHistory | None, str]:
    """Read an export and make the book of its leads; the last is the fingerprint of the data."""
    mapping = CrmMapping.model_validate(settings.crm)
    export = read_leads(mapping, settings.source)
    roles, history = mapping.roles.leads, export.history
    if history is not None and settings.as_of is not None:
        history = history.known_by(pd.Timestamp(settings.as_of))
    book = lead_book(export.tables, roles.birth, roles.engagement, told.accept_todays_values, history)
    return book, export.findings, history, data_of(settings.source, export.content)


def audit_of(book: LeadBook, told: LeadSettings) -> Audit:
    """Audit the columns of leads whose days are over."""
    days = pd.Timedelta(days=told.days)
    leads, reached = book.leads, _ended(book, told)
    if book.dated and book.until is not None:
        mature = (leads["created_at"] <= book.until - days).to_numpy()
        reached = np.where(mature, reached, np.nan)
    skipped = {*DAYS, "lead_id", "person", "person_key", "value", "converted", "status", "owner"}
    columns = leads[[c for c in leads if c not in skipped]]
    at = book.reached(told.step) if book.dated else None
    used = [c for c in book.facts if c not in IDENTITIES]
    return audit(columns, reached, used, told.allow_leaks, at)


def _ended(book: LeadBook, told: LeadSettings) -> np.ndarray:
    if book.dated:
        return np.asarray(~np.isnat(book.reached(told.step)), dtype="float64")
    rows = lesson_rows(book, told.step)
    found: Any = observe_leads(book, rows, told.step, told.days)["converted_within"]
    values: np.ndarray = found.to_numpy(dtype="float64", na_value=np.nan)
    return values


def cleaned(features: LeadFeatures, found: Audit) -> LeadFeatures:
    """Leave out what the audit left out, and take numbers that mean missing for missing."""
    numbers = features.numbers.copy()
    for name, values in found.sentinels.items():
        if name in numbers:
            numbers[name] = numbers[name].mask(numbers[name].isin(values))
    mended = LeadFeatures(
        numbers, features.categories, features.flags, features.engagement, features.touches, features.labels
    )
    return mended.without(set(found.left_out))
