"""The book of leads: one row a lead with the days of its steps, its change log and its touches, ready to be rewound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pipeforecast.contract import TABLES, WON
from pipeforecast.errors import DataError, SettingsError, some
from pipeforecast.findings import Finding, first_examples
from pipeforecast.history import DealHistory

#: Steps of a lead's life in their order; each has a day in the column of the same name with ``_at``.
STEPS = ("mql", "srl", "sql", "converted", "won")
DAYS = ("created_at", *(f"{s}_at" for s in STEPS), "disqualified_at", "first_response_at")
#: Never features: identities, people, free text, and what the days above say.
IDENTITIES = frozenset({
    "lead_id", "person", "person_key", "account_id", "converted_deal_id", "owner", "campaign", "converted", "value",
    *DAYS,
})  # fmt: skip
_CONTRACT = frozenset(TABLES["leads"])


@dataclass(frozen=True)
class LeadBook:
    """All that an export says of leads.

    Attributes
    ----------
    leads : DataFrame, one row a lead in the order of creation (undated: of the source), index 0 … n−1 (the *lead key*)
        ``lead_id``, ``person`` (int code: one person, else account, else lead), the days ``DAYS`` (NaT: not reached),
        ``converted`` (boolean; the outcome where there are no days), ``value`` (amount of the won deal, NaN otherwise),
        and every other column of the table, as it is today.
    log : DataFrame
        ``lead``, ``at`` (datetime64[s]), ``field``, ``value``: changes in the order in which they were written.
    touches : DataFrame
        ``lead``, ``at``, ``kind``, by lead and time.
    facts : tuple of str
        Columns that may be features: fixed at creation by the mapping, or accepted by name.
    accepted : tuple of str
        Those of ``facts`` whose past is not known, taken as they are today because the user said so.
    engagement : tuple of str
        Those of ``facts`` that tell what the lead did.
    until : Timestamp or None
        Last day on which anything was written; None where nothing has a day.
    has_touches : bool
        Whether the export has touches of leads at all.
    """

    leads: pd.DataFrame
    log: pd.DataFrame
    touches: pd.DataFrame
    facts: tuple[str, ...]
    accepted: tuple[str, ...]
    engagement: tuple[str, ...]
    until: pd.Timestamp | None
    has_touches: bool = False
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def dated(self) -> bool:
        """Whether leads have days of creation."""
        return self.until is not None

    def reached(self, step: str) -> np.ndarray:
        """Day on which each lead reached a step (datetime64[s]; NaT: not yet); a skipped step counts as passed."""
        later = [f"{s}_at" for s in STEPS[STEPS.index(step) :]]
        days = self.leads[later].to_numpy().astype("datetime64[s]").astype("int64")
        first = np.where(days == _NAT, np.iinfo("int64").max, days).min(axis=1)
        return np.asarray(np.where(first == np.iinfo("int64").max, _NAT, first).astype("datetime64[s]"))

    def known_by(self, day: pd.Timestamp) -> LeadBook:
        """Forget what was written after the evening of ``day``; facts that were accepted stay as they are today."""
        if self.until is None or day >= self.until:
            return self
        evening = pd.Timestamp(day).normalize() + pd.Timedelta(days=1)
        kept = (self.leads["created_at"] < evening).to_numpy()
        leads = self.leads[kept].copy()
        for name in DAYS[1:]:
            leads[name] = leads[name].where(leads[name] < evening)
        # The amount of a deal is known once it is won, and what it was changed to later is not told apart here.
        leads["value"] = leads["value"].where(leads["won_at"].notna())
        place = np.full(len(self.leads), -1)
        place[kept] = np.arange(int(kept.sum()))
        log, touches = (_kept(frame, place, evening) for frame in (self.log, self.touches))
        until = pd.Timestamp(day).normalize()
        return replace(self, leads=leads.reset_index(drop=True), log=log, touches=touches, until=until)


_NAT = np.datetime64("NaT", "s").astype("int64")


def _kept(frame: pd.DataFrame, place: np.ndarray, evening: pd.Timestamp) -> pd.DataFrame:
    lead = place[frame["lead"].to_numpy()]
    known = (frame["at"] < evening).to_numpy() & (lead >= 0)
    out: pd.DataFrame = frame[known].assign(lead=lead[known]).reset_index(drop=True)
    return out


def lead_book(
    tables: Mapping[str, pd.DataFrame],
    birth: Sequence[str] = (),
    engagement: Sequence[str] = (),
    accept: Sequence[str] = (),
    history: DealHistory | None = None,
) -> LeadBook:
    """Make the book of an export's leads.

    Parameters
    ----------
    tables : mapping of name to DataFrame
        ``leads``; where they are there ``lead_changes`` and ``touches``.
    birth : sequence of str
        Columns that the mapping declares fixed at creation.
    engagement : sequence of str
    accept : sequence of str
        Columns of today's values that the user accepts as facts of every past day.
    history : DealHistory, optional
        For the deals that leads became.

    Raises
    ------
    SettingsError
        If an accepted column is not there, or can never be a feature.
    DataError
        If there is no lead.
    """
    leads = tables["leads"]
    if leads.empty:
        raise DataError("leads: expected at least one lead, came a header alone; export it with its rows")
    findings: list[Finding] = []
    leads = _ordered(_once(leads, findings), findings)
    absent = [n for n in accept if n not in leads or n in IDENTITIES]
    if absent:
        free = [c for c in leads if c not in IDENTITIES]
        raise SettingsError(
            f"lead.accept_todays_values: expected columns of leads that may be features ({some(free, 30)}), "
            f"came {some(absent)}"
        )
    key = pd.Series(np.arange(len(leads)), index=leads["lead_id"].astype("object"))
    log = _events(tables.get("lead_changes"), key, "changed_at", ("field", "value"))
    touches = _events(tables.get("touches"), key, "at", ("kind",))
    leads = _with_steps(_with_deals(leads, history), log)
    tracked = set(log["field"].dropna().unique())
    born = [n for n in birth if n in leads and n not in IDENTITIES and n not in tracked]
    accepted = tuple(n for n in accept if n not in born)
    dated = leads["created_at"].notna().any()
    until = _last(leads, log, touches, history) if dated else None
    facts = (*born, *accepted)
    findings += _told(leads, facts, accepted, tracked)
    return LeadBook(
        leads, log, touches, facts, accepted, tuple(n for n in engagement if n in facts), until,
        bool(len(touches)), tuple(findings),
    )  # fmt: skip


def _once(leads: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    repeated = leads["lead_id"].duplicated()
    if repeated.any():
        findings.append(
            Finding(
                "LEAD-REPEATED", "warning", "leads", "lead_id", int(repeated.sum()),
                first_examples(leads.loc[repeated, "lead_id"]), "the first row counts", "export each lead once",
            )
        )  # fmt: skip
    return leads[~repeated.to_numpy(dtype=bool)]


def _ordered(leads: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Give every day its column, persons a code, and leads the order of their creation."""
    out = leads.copy()
    for name in DAYS:
        out[name] = out[name].astype("datetime64[s]") if name in out else pd.Series(pd.NaT, out.index, "datetime64[s]")
    undated = out["created_at"].isna()
    if undated.any() and not undated.all():
        findings.append(
            Finding(
                "LEAD-UNDATED", "warning", "leads", "created_at", int(undated.sum()),
                first_examples(out.loc[undated, "lead_id"]), "left out", "give every lead its day of creation",
            )
        )  # fmt: skip
        out = out[~undated.to_numpy()]
    elif undated.all():
        findings.append(
            Finding(
                "LEADS-WITHOUT-DATES", "warning", "leads", "created_at", len(out), (),
                "no lead can be rewound: the table counts as it is", "map created_at and the days of the steps",
            )
        )  # fmt: skip
    out["person"] = _persons(out)
    return out.sort_values("created_at", kind="stable", ignore_index=True)


def _persons(leads: pd.DataFrame) -> np.ndarray:
    key = pd.Series(pd.NA, index=leads.index, dtype="string")
    for name, mark in (("person_key", "p:"), ("account_id", "a:"), ("lead_id", "l:")):
        if name in leads:
            key = key.fillna(mark + leads[name].astype("string"))
    return np.asarray(pd.factorize(key.astype("object"))[0])


def _events(table: pd.DataFrame | None, key: pd.Series, at: str, names: tuple[str, ...]) -> pd.DataFrame:
    """Rows of a log by lead and time; those of one second keep the order of the source."""
    empty = {n: pd.Series([], dtype="string") for n in names}
    if table is None or "lead_id" not in table or at not in table:
        return pd.DataFrame({"lead": np.zeros(0, dtype="int64"), "at": np.zeros(0, dtype="datetime64[s]"), **empty})
    lead = key.reindex(table["lead_id"].astype("object")).to_numpy(dtype="float64")
    own = ~np.isnan(lead) & table[at].notna().to_numpy()
    out = table.loc[own, [at, *names]].rename(columns={at: "at"}).assign(lead=lead[own].astype("int64"))
    made: pd.DataFrame = out[["lead", "at", *names]].sort_values(["lead", "at"], kind="stable", ignore_index=True)
    return made


def _with_deals(leads: pd.DataFrame, history: DealHistory | None) -> pd.DataFrame:
    """Add the day on which the deal that a lead became was won, and its amount."""
    out = leads.assign(value=np.nan)
    if history is None or "converted_deal_id" not in leads:
        return out
    latest = history.latest()
    won = latest[(latest["status"] == WON).to_numpy()]
    deals = pd.DataFrame({
        "day": won["recorded_at"].dt.normalize(), "amount": won["amount"],
        "deal_id": history.deals.loc[won.index, "deal_id"].astype("object"),
    }).set_index("deal_id")  # fmt: skip
    asked = leads["converted_deal_id"].astype("object")
    out["won_at"] = deals["day"].reindex(asked).to_numpy().astype("datetime64[s]")
    out["value"] = deals["amount"].reindex(asked).to_numpy(dtype="float64")
    return out


def _with_steps(leads: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    """Fill days of steps that have no column from a status log whose values are the steps' own names."""
    status = log[(log["field"] == "status").to_numpy(dtype=bool, na_value=False)]
    named = status["value"].str.casefold()
    for step in (*STEPS, "disqualified"):
        first = status[(named == step).to_numpy(dtype=bool, na_value=False)].groupby("lead")["at"].min()
        if len(first):
            days = first.dt.normalize().reindex(leads.index)
            leads[f"{step}_at"] = leads[f"{step}_at"].fillna(days)
    return leads


def _last(leads: pd.DataFrame, log: pd.DataFrame, touches: pd.DataFrame, history: DealHistory | None) -> pd.Timestamp:
    """Last day on which anything was written of leads or deals."""
    days = [leads[n].max() for n in DAYS] + [log["at"].max(), touches["at"].max()]
    days += [] if history is None else [history.written_until]
    return max(pd.Timestamp(d) for d in days if not pd.isna(d)).normalize()


def _told(leads: pd.DataFrame, facts: Sequence[str], accepted: Sequence[str], tracked: set[str]) -> list[Finding]:
    """Say which columns are not used because only today's value is known, and which are because the user said so."""
    out = []
    unused = [str(c) for c in leads if c not in IDENTITIES and c not in facts and c not in tracked and c != "status"]
    if unused:
        out.append(
            Finding(
                "LEAD-TODAYS-VALUES", "info", "leads", "", len(unused), first_examples(unused), "not used",
                "declare what is fixed at creation under roles.leads.birth of the mapping, or accept today's values "
                "with lead.accept_todays_values=[…]",
            )
        )  # fmt: skip
    if accepted:
        out.append(
            Finding(
                "LEAD-TODAYS-VALUES-ACCEPTED", "warning", "leads", "", len(accepted), first_examples(accepted),
                "taken as they are today for every past day, as lead.accept_todays_values says",
                "scores of past days may be too good: such a value may have been written after the outcome",
            )
        )  # fmt: skip
    return out
