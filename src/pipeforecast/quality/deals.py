"""What is odd in the deals as they are today, or limits what they can teach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from pipeforecast.contract import OPEN, TABLES, WON
from pipeforecast.findings import Finding, Severity, first_examples
from pipeforecast.history import DealHistory

#: Categories are looked through for spelling variants; ids, people and free text are not.
_NOT_CATEGORIES = {"name", "owner", "owner_name", "manager", "account_name", "next_step", "outcome", "currency"}

#: Known only as of today by what they are: no finding is needed.
_MEANT_FOR_TODAY = {
    "outcome", "closed_at", "closed_recorded_at", "name", "owner_name", "account_name", "next_step", "lost_reason",
    "last_activity_at", "stage_entered_at",
}  # fmt: skip


def _deals(
    history: DealHistory, code: str, severity: Severity, keys: np.ndarray, column: str, repair: str, advice: str
) -> Iterator[Finding]:
    """Make a finding about the deals with these keys, if there are any."""
    if len(keys):
        ids = first_examples(history.deals["deal_id"].loc[keys[:5]])
        yield Finding(code, severity, "deals", column, len(keys), ids, repair, advice)


def _open(history: DealHistory) -> pd.DataFrame:
    latest = history.latest()
    return latest[(latest["status"] == OPEN).to_numpy(dtype=bool)]


def _past_due(history: DealHistory) -> Iterator[Finding]:
    now = _open(history)
    late = now.index[(now["expected_close"] < history.written_until).to_numpy(dtype=bool)].to_numpy()
    yield from _deals(
        history, "EXPECTED-CLOSE-PAST", "warning", late, "expected_close", "kept; their date says only that it slipped",
        "ask owners to renew the date or close the deal",
    )  # fmt: skip


def _no_expected_close(history: DealHistory) -> Iterator[Finding]:
    now = _open(history)
    none = now.index[now["expected_close"].isna().to_numpy(dtype=bool)].to_numpy()
    severity: Severity = "info" if len(none) == len(now) else "warning"
    yield from _deals(
        history, "NO-EXPECTED-CLOSE", severity, none, "expected_close", "forecast without it",
        "rules that use the CRM's date cannot see these deals",
    )  # fmt: skip


def _no_amount(history: DealHistory) -> Iterator[Finding]:
    latest = history.latest()
    now_open = (latest["status"] == OPEN).to_numpy(dtype=bool)
    none = latest["amount"].isna().to_numpy()
    yield from _deals(
        history, "OPEN-WITHOUT-AMOUNT", "warning", latest.index[now_open & none].to_numpy(), "amount",
        "the amount is forecast too", "fill in amounts, or map a list price",
    )  # fmt: skip
    worthless = (latest["status"] == WON).to_numpy(dtype=bool) & (none | (latest["amount"] <= 0).to_numpy(dtype=bool))
    yield from _deals(
        history, "WON-WITHOUT-AMOUNT", "warning", latest.index[worthless].to_numpy(), "amount",
        "kept; they count as won for nothing", "check them: renewals and trials often hide here",
    )  # fmt: skip


def _closings(history: DealHistory) -> pd.DataFrame:
    """Give each closed deal's row that closed it last (later rows of a closed deal only correct it)."""
    states = history.states
    deal, is_open = states["deal"].to_numpy(), (states["status"] == OPEN).to_numpy(dtype=bool)
    begins = ~is_open & np.r_[True, is_open[:-1] | (deal[1:] != deal[:-1])][: len(states)]
    last = states[begins].drop_duplicates("deal", keep="last").set_index("deal")
    out: pd.DataFrame = last.loc[last.index.intersection(history.closed().index)]
    return out


def _booked_late(history: DealHistory) -> Iterator[Finding]:
    closings = _closings(history)
    late = (closings["recorded_at"].dt.normalize() > closings["closed_at"]).to_numpy(dtype=bool)
    share = late.mean() if len(late) else 0.0
    yield from _deals(
        history, "BOOKED-LATE", "info", closings.index[late].to_numpy(), "closed_at",
        f"{share:.1%} of closings were written after their day; snapshots count them from the day of writing",
        "expect a quarter's figure to rise after its end",
    )  # fmt: skip


def _future_closings(history: DealHistory) -> Iterator[Finding]:
    closed = history.closed()
    ahead = closed.index[(closed["closed_at"] > history.written_until).to_numpy(dtype=bool)].to_numpy()
    yield from _deals(
        history, "CLOSED-IN-THE-FUTURE", "warning", ahead, "closed_at", "kept; they count in the period of that day",
        "check the closing day",
    )  # fmt: skip


def _no_record_times(history: DealHistory) -> Iterator[Finding]:
    closings = _closings(history)
    if "closed_recorded_at" in history.deals or closings.empty:
        return
    if bool((closings["recorded_at"] == closings["closed_at"]).mean() > 0.95):  # no hours: nobody wrote a time
        yield Finding(
            "NO-RECORDED-AT", "info", "deals", "closed_recorded_at", len(closings),
            repair="closings are taken as written on their own day",
            advice="if deals are booked late, the replay flatters past forecasts: export when closing was written",
        )  # fmt: skip


def _no_stage_history(history: DealHistory) -> Iterator[Finding]:
    open_stages = history.stages["kind"].eq(OPEN).sum()
    if not history.has_stage_history and open_stages > 1:
        yield Finding(
            "NO-STAGE-HISTORY", "warning", "changes", "stage", len(history.deals),
            repair="today's stage counts for today only",
            advice="stage can be learned only from a change log or from dated exports: keep one export a week",
        )  # fmt: skip


def _today_only(history: DealHistory) -> Iterator[Finding]:
    names = [n for n, role in history.roles.items() if role == "today" and n not in _MEANT_FOR_TODAY]
    names = [n for n in names if n in history.deals and history.deals[n].notna().any()]
    if names:
        yield Finding(
            "TODAY-ONLY", "info", "deals", "", len(names), first_examples(names),
            "not used for past days: what they were then is unknown",
            "declare under crm.roles.birth those that never change after creation, or export their change log",
        )  # fmt: skip


def _left_truncated(history: DealHistory) -> Iterator[Finding]:
    closed = history.closed()
    if len(closed) < 20:
        return
    created = history.deals["created_at"]
    days = (closed["closed_at"] - created.loc[closed.index]).dt.days
    gap = (closed["closed_at"].min() - created.min()).days
    if gap > max(30, float(days.median())):
        first, begin = (d.date().isoformat() for d in (closed["closed_at"].min(), created.min()))
        yield Finding(
            "LEFT-TRUNCATED", "warning", "deals", "closed_at", int((created < closed["closed_at"].min()).sum()),
            (begin, first), "deals count from the first day on which any closing could be seen",
            f"the first deal was created on {begin}, none closed before {first}: earlier closings are lacking",
        )  # fmt: skip


def _older_than_any(history: DealHistory) -> Iterator[Finding]:
    closed, now = history.closed(), _open(history)
    if closed.empty or now.empty:
        return
    created = history.deals["created_at"]
    longest = (closed["closed_at"] - created.loc[closed.index]).max()
    old = now.index[(history.written_until - created.loc[now.index] > longest).to_numpy(dtype=bool)].to_numpy()
    yield from _deals(
        history, "OLDER-THAN-ANY-CLOSED", "warning", old, "created_at",
        f"their chances are beyond what was seen: no deal closed later than {longest.days} days after creation",
        "close the dead ones; forecasts for them are an assumption",
    )  # fmt: skip


def _spelling(history: DealHistory) -> Iterator[Finding]:
    promised = TABLES["deals"]
    for name in history.deals.columns:
        column = history.deals[name]
        is_id = name in promised and promised[name].kind != "text"
        if is_id or name in _NOT_CATEGORIES or not isinstance(column.dtype, pd.StringDtype):
            continue
        levels = pd.Series(column.dropna().unique(), dtype="object")
        if not 1 < len(levels) <= 300:
            continue
        bare = levels.map(lambda level: re.sub(r"[\W_]", "", str(level)).casefold())
        variants = levels[bare.duplicated(keep=False).to_numpy() & bare.ne("").to_numpy()]
        if len(variants):
            yield Finding(
                "SPELLING-VARIANTS", "warning", "deals", str(name), len(variants), first_examples(variants),
                "kept apart", "join them with values in the mapping if they mean the same",
            )  # fmt: skip


def _leap(history: DealHistory) -> Iterator[Finding]:
    states, until = history.states, np.datetime64(history.written_until, "D")
    days = np.unique(np.append(states["recorded_at"].dt.normalize().to_numpy(dtype="datetime64[D]"), until))
    if len(days) <= 10 or (days[-1] - days[-2]) <= np.timedelta64(90, "D"):
        return
    last = states.loc[states["recorded_at"] >= days[-1].astype("datetime64[s]"), "deal"].unique()
    ids = history.deals["deal_id"].loc[last[:5]] if len(last) else [days[-1]]
    yield Finding(
        "LAST-DAY-LEAPS", "warning", "deals", "recorded_at", max(len(last), 1), first_examples(ids),
        f"as_of would be {days[-1]}, after nothing was written since {days[-2]}",
        "check the days on which deals were created, modified or closed, or give as_of",
    )  # fmt: skip


CHECKS: tuple[Callable[[DealHistory], Iterator[Finding]], ...] = (
    _past_due, _no_expected_close, _no_amount, _booked_late, _future_closings, _no_record_times, _no_stage_history,
    _today_only, _left_truncated, _older_than_any, _spelling, _leap,
)  # fmt: skip
