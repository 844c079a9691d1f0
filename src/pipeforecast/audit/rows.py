"""The audit of one evening: every open deal with its three answers and its flags, and what flags have meant before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeforecast.audit.criteria import Criteria, criteria_of, joined
from pipeforecast.audit.flags import FLAGS, flags_of
from pipeforecast.audit.looks import FACTS, Looks, Walked, past_evenings, plain
from pipeforecast.audit.meant import criteria_rows, flag_findings, flag_rows
from pipeforecast.audit.owners import owner_rows, review_rows
from pipeforecast.audit.record import YEAR_COLUMNS, past_record, year_record
from pipeforecast.contract import OPEN, WON
from pipeforecast.findings import Finding
from pipeforecast.fiscal import FiscalCalendar
from pipeforecast.history import DealHistory
from pipeforecast.hygiene import CriteriaSettings, FlagSettings, PastSettings, ReviewSettings
from pipeforecast.snapshot import Snapshot, take_snapshots

AUDIT_COLUMNS = (
    "as_of", "deal_id", "name", "owner", "owner_name", "stage", "amount", "currency", "expected_close", "last_contact",
    "days_silent", "qualified", "qualified_by", "next_step", "days_in_stage", "pushes", "flag", "flags", "n_flags",
    "missing", "flag_win_rate", "lower", "upper", "n", "win_rate_without", "win_rate_same_stage", "year_share",
    "year_n", "at_stake", "at_stake_assumed", "expected_loss", "advice",
)  # fmt: skip
DEAL_FLAG_COLUMNS = (
    "as_of", "deal_id", "name", "owner", "stage", "amount", "last_contact", "qualified", "next_step", "flag",
    "flag_win_rate", "lower", "upper", "n", "still_open", "win_rate_without", "n_without", "win_rate_same_stage",
    *YEAR_COLUMNS, "at_stake", "advice",
)  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """What an evening's audit found: the tables of the files, and findings.

    Attributes
    ----------
    deals : DataFrame
        ``audit.csv``: one row an open deal, clean ones too, with its worst flag.
    deal_flags : DataFrame
        ``audit_flags.csv``: one row a deal and flag.
    flags, criteria : DataFrame
        One row a flag, and one a stage's question: how many open deals have it, and what it meant in the past.
    review, owners : DataFrame
    findings : list of Finding
    evenings : int
        Past evenings that were looked at.
    """

    deals: pd.DataFrame
    deal_flags: pd.DataFrame
    flags: pd.DataFrame
    criteria: pd.DataFrame
    review: pd.DataFrame
    owners: pd.DataFrame
    findings: list[Finding]
    evenings: int


@dataclass(frozen=True)
class Asked:
    """What the settings say of an audit."""

    flags: FlagSettings
    past: PastSettings
    review: ReviewSettings
    criteria: CriteriaSettings


def audit_of(
    known: DealHistory, calendar: FiscalCalendar, as_of: pd.Timestamp, asked: Asked, is_last: bool,
    seen: Snapshot | None = None,
) -> Audit:  # fmt: skip
    """Look at every deal that is open on the evening of ``as_of``.

    Parameters
    ----------
    known : DealHistory
        As known by ``as_of``.
    calendar : FiscalCalendar
    as_of : Timestamp
    asked : Asked
    is_last : bool
        Whether nothing was written later: only then today's values (facts without a past) are those of the evening.
    seen : Snapshot, optional
        Evenings that somebody else has looked at already, that of ``as_of`` among them: flags are judged on those of
        them that ``asked.past.days`` reach, whatever lies between them.
    """
    whole, evenings = _evenings(known, as_of, asked.past, seen)
    today = as_of if is_last else None
    walked = Walked(known)
    now = Looks(known, whole.only([as_of]), asked.flags, today, walked)
    columns = {*map(str, known.deals), *map(str, known.states)}
    criteria = criteria_of(asked.criteria, known.stages, [c for c in columns if is_last or now.dated(c)])
    # Of millions of past rows no more is copied than is looked at.
    needed = {*FACTS, *(n.question.column for n in criteria.needs)}
    past_facts = replace(whole, open=whole.open[[c for c in whole.open if c in needed]])
    then = Looks(known, past_facts.only(evenings), asked.flags, today, walked)
    flagged, before = flags_of(now, criteria), flags_of(then, criteria)
    status = known.latest()["status"]
    past = (then.rows["deal"].to_numpy(), then.texts("stage"), status)
    record = past_record(before, *past).join(year_record(before, past[0], then.rows["as_of"], as_of, status))
    stake, assumed = _at_stake(now, known)
    deals = _deals(now, criteria, flagged, record, stake, assumed)
    known_of = flagged.notna().any().to_numpy() | before.notna().any().to_numpy()
    flags = flag_rows(flagged, record, stake, known_of)
    return Audit(
        deals=deals,
        deal_flags=_deal_flags(deals, flagged, record, now),
        flags=flags,
        criteria=criteria_rows(criteria, criteria.table(now), past_record(criteria.table(then), *past), stake),
        review=review_rows(deals, asked.review.deals),
        owners=owner_rows(deals, calendar),
        findings=[*criteria.findings, *flag_findings(flags, bool(criteria.needs), is_last)],
        evenings=len(evenings),
    )


def _evenings(
    known: DealHistory, as_of: pd.Timestamp, asked: PastSettings, seen: Snapshot | None
) -> tuple[Snapshot, Sequence[pd.Timestamp]]:
    """Snapshots of ``as_of`` and of the past evenings on which flags are judged, and these evenings."""
    if seen is not None:
        first = as_of - pd.Timedelta(days=asked.days)
        return seen, [d for d in map(pd.Timestamp, seen.days) if first <= d < as_of]
    first = known.states["recorded_at"].min() if len(known.states) else as_of
    evenings = past_evenings(as_of, first, asked.days, asked.every)
    return take_snapshots(known, [*evenings, as_of]), evenings


def _at_stake(now: Looks, known: DealHistory) -> tuple[np.ndarray, np.ndarray]:
    """Amount of each deal, or where it has none the median won amount of its segment (else of all); and where."""
    listed = np.where(now.listed > 0, now.listed, np.nan)
    latest = known.latest()
    won = latest[((latest["status"] == WON) & (latest["amount"] > 0)).fillna(False).to_numpy(dtype=bool)]
    typical = np.full(len(listed), float(won["amount"].median()) if len(won) else np.nan)
    if now.dated("segment") and "segment" in known.deals:
        of = known.deals["segment"].reindex(won.index).astype("object")
        by = won["amount"].groupby(of.to_numpy()).median()
        own = now.rows["segment"].astype("object").map(by).to_numpy(dtype="float64", na_value=np.nan)
        typical = np.where(np.isnan(own), typical, own)
    return np.where(np.isnan(listed), np.nan_to_num(typical), listed), np.isnan(listed)


def _deals(
    now: Looks, criteria: Criteria, flagged: pd.DataFrame, record: pd.DataFrame, stake: np.ndarray, assumed: np.ndarray
) -> pd.DataFrame:
    rows = now.rows
    hit = flagged.fillna(False).to_numpy(dtype=bool)
    cost = np.where(hit, record["cost"].to_numpy(), -1.0)
    worst = cost.argmax(axis=1) if len(rows) else np.zeros(0, dtype="int64")
    which = np.where(cost.max(axis=1, initial=-1.0) >= 0, worst, len(FLAGS))
    flag = np.array([*FLAGS, None], dtype=object)[which]
    of_flag = record.reindex(flag).reset_index(drop=True)
    qualified, by = _qualified(now, criteria)
    out = pd.DataFrame({
        "as_of": rows["as_of"].to_numpy(),
        "deal_id": _label(now, "deal_id"),
        "name": _label(now, "name"),
        "owner": plain(now.texts("owner")),
        "owner_name": _label(now, "owner_name"),
        "stage": plain(now.texts("stage")),
        "amount": now.listed,
        "currency": _label(now, "currency"),
        "expected_close": now.fact("expected_close")[0].where(now.fact("expected_close")[1]).to_numpy(),
        "last_contact": now.last_contact.to_numpy(),
        "days_silent": np.where(now.contact_known, now.silent_days, np.nan),
        "qualified": qualified, "qualified_by": by,
        "next_step": plain(now.texts("next_step")),
        "days_in_stage": np.floor(now.stage_days),
        "pushes": rows["n_pushes"].to_numpy(),
        "flag": flag,
        "flags": joined(hit, list(FLAGS)),
        "n_flags": hit.sum(axis=1),
        "missing": criteria.lacking(now),
        **{k: of_flag[c].to_numpy() for k, c in _OF_FLAG.items()},
        "at_stake": stake, "at_stake_assumed": assumed,
        "expected_loss": stake * np.maximum(cost[np.arange(len(rows)), worst], 0.0) if len(rows) else stake,
        "advice": np.array([*(f.question for f in FLAGS.values()), None], dtype=object)[which],
    })  # fmt: skip
    order = ["expected_loss", "n_flags", "at_stake", "deal_id"]
    return out.sort_values(order, ascending=[False, False, False, True], kind="stable", ignore_index=True)[
        list(AUDIT_COLUMNS)
    ]


_OF_FLAG = {
    "flag_win_rate": "win_rate", "lower": "lower", "upper": "upper", "n": "n", "win_rate_without": "win_rate_without",
    "win_rate_same_stage": "win_rate_same_stage", "year_share": "year_share", "year_n": "year_n",
}  # fmt: skip


def _label(now: Looks, name: str) -> np.ndarray:
    labels = now.snapshot.labels
    if name not in labels:
        return np.full(len(now.rows), None, dtype=object)
    found = labels[name].reindex(now.rows["deal"].to_numpy())
    return plain(found)


def _qualified(now: Looks, criteria: Criteria) -> tuple[np.ndarray, np.ndarray]:
    """Whether each deal still qualifies, and what says so: its own field, the stage it stands in, or the criteria."""
    told, known = now.fact("qualified")
    n = len(now.rows)
    answer, by = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    lacks, judged = criteria.missing(now)
    answer[judged], by[judged] = np.where(lacks[judged], "no", "yes"), "criteria"
    stages = now.history.stages
    is_qualified = stages["qualified"].fillna(False).astype(bool) if "qualified" in stages else False
    first = stages[((stages["kind"] == OPEN) & is_qualified).to_numpy(dtype=bool)]
    if len(first):
        from_place = float(first["position"].min())
        position = now.texts("stage").map(stages.drop_duplicates("stage").set_index("stage")["position"])
        placed = position.notna().to_numpy()
        answer[placed] = np.where((position >= from_place).to_numpy(dtype=bool)[placed], "yes", "no")
        by[placed] = "stage"
    said = known & told.notna().to_numpy()
    answer[said] = np.where(told.astype("object").to_numpy()[said].astype(bool), "yes", "no")
    by[said] = "field"
    return answer, by


def _deal_flags(deals: pd.DataFrame, flagged: pd.DataFrame, record: pd.DataFrame, now: Looks) -> pd.DataFrame:
    """One row a deal and flag, in the order of ``deals``."""
    hit = flagged.fillna(False).to_numpy(dtype=bool)
    at, which = np.nonzero(hit)
    names = np.array(list(FLAGS), dtype=object)
    pairs = pd.DataFrame({"deal_id": _label(now, "deal_id")[at], "flag": names[which], "order": which})
    keep = [c for c in DEAL_FLAG_COLUMNS if c in deals and c not in ("flag", "advice", *_OF_FLAG)]
    place = pd.Series(np.arange(len(deals)), index=deals["deal_id"])
    out = pairs.merge(deals[keep], on="deal_id", how="left").join(
        record.rename(columns={"win_rate": "flag_win_rate"})[[
            "flag_win_rate", "lower", "upper", "n", "still_open", "win_rate_without", "n_without",
            "win_rate_same_stage", *YEAR_COLUMNS,
        ]], on="flag",
    )  # fmt: skip
    out = out.assign(advice=out["flag"].map({n: f.question for n, f in FLAGS.items()}), place=out["deal_id"].map(place))
    return out.sort_values(["place", "order"], kind="stable", ignore_index=True)[list(DEAL_FLAG_COLUMNS)]


__all__ = ["AUDIT_COLUMNS", "Asked", "Audit", "audit_of"]
