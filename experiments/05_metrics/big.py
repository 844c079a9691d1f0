"""A large made-up company as a history, made of arrays in seconds: what a catalogue has to chew, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeforecast.contract import TABLES, typed
from pipeforecast.history import DealHistory

UNTIL = pd.Timestamp("2025-02-14")
BEGUN = pd.Timestamp("2020-01-01")
STAGES = ("Discovery", "Qualification", "Demo", "Proposal", "Negotiation")
GROUPS = {
    "region": 6, "segment": 4, "product": 8, "lead_source": 9, "deal_type": 2, "campaign": 40, "team": 20,
}  # fmt: skip
OWNERS, MANAGERS = 200, 25
KINDS = [
    "sent", "replied", "called", "meeting_booked", "meeting_held", "proposal_sent", "opened", "delivered", "clicked",
    "replied_positive", "campaign",
]  # fmt: skip


def big_company(n_deals: int, n_leads: int, seed: int = 0) -> DealHistory:
    """Deals with four states each on average, leads with statuses, two touches a lead, quotas, calls, spend, orders."""
    rng = np.random.default_rng(seed)
    leads = _leads(n_leads, n_deals, rng)
    deals, states = _deals(n_deals, leads, rng)
    tables = {
        "leads": leads, "touches": _touches(leads, n_deals, rng), "reporting_line": _line(), "spend": _spend(rng),
        "quotas": _quotas(), "calls": _calls(rng), "orders": _orders(n_deals, rng), "customers": _customers(deals, rng),
        "subscriptions": _subscriptions(deals, rng),
    }  # fmt: skip
    birth = ("deal_id", "created_at", "account_id", "lead_id", *(g for g in GROUPS if g != "team"))
    roles = dict.fromkeys(deals.columns, "today") | dict.fromkeys(birth, "birth")
    roles |= dict.fromkeys(
        ["stage", "amount", "expected_close", "probability", "forecast_category", "owner"], "tracked"
    )
    stages = pd.DataFrame({
        "pipeline": pd.array([None] * 7, dtype="string"),
        "stage": pd.array([*STAGES, "Closed Won", "Closed Lost"], dtype="string"),
        "position": np.arange(1.0, 8), "kind": pd.array(["open"] * 5 + ["won", "lost"], dtype="string"),
        "probability": [0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 0.0],
        "qualified": pd.array([False, True, True, True, True, True, False], dtype="boolean"),
    })  # fmt: skip
    return DealHistory(deals, states, stages, UNTIL, roles, tables)


def _days(n: int, rng: np.random.Generator) -> np.ndarray:
    span = int((UNTIL - BEGUN).days)
    return np.datetime64(BEGUN, "s") + rng.integers(0, span, n) * np.timedelta64(86400, "s")


def _names(kind: str, number: np.ndarray) -> pd.Series:
    return pd.Series(number).map({i: f"{kind} {i:03d}" for i in range(int(number.max(initial=0)) + 1)}).astype("string")


def _leads(n: int, n_deals: int, rng: np.random.Generator) -> pd.DataFrame:
    out = pd.DataFrame({
        "lead_id": pd.Series(np.arange(n)).astype("string"), "created_at": np.sort(_days(n, rng)),
    })  # fmt: skip
    for name, size in GROUPS.items():
        out[name] = _names(name, rng.integers(0, size, n))
    out["owner"] = _names("owner", rng.integers(0, OWNERS, n))
    before, reached = out["created_at"], np.ones(n, dtype=bool)
    for name, share, wait in (("mql_at", 0.5, 5), ("srl_at", 0.6, 4), ("sql_at", 0.8, 6), ("converted_at", 0.8, 8)):
        reached &= rng.random(n) < share
        before = before + pd.to_timedelta(rng.exponential(wait, n).astype(int), unit="D")
        out[name] = before.where(reached & (before <= UNTIL)).astype("datetime64[s]")
    won_over = np.flatnonzero(out["converted_at"].notna())[:n_deals]
    out["converted_deal_id"] = pd.Series(pd.NA, index=out.index, dtype="string")
    out.loc[won_over, "converted_deal_id"] = pd.Series(np.arange(len(won_over))).astype("string").to_numpy()
    hours = rng.exponential(20, n)
    out["created_time"] = out["created_at"] + rng.integers(0, 86400, n) * np.timedelta64(1, "s")
    answered = (out["created_time"] + pd.to_timedelta((hours * 3600).astype(int), unit="s")).astype("datetime64[s]")
    out["first_response_time"] = answered.where(rng.random(n) < 0.8)
    out["first_response_at"] = out["first_response_time"].dt.normalize().astype("datetime64[s]")
    out["disqualified_at"] = pd.Series(pd.NaT, index=out.index, dtype="datetime64[s]")
    out["account_id"] = pd.Series(rng.integers(0, n_deals, n)).astype("string")
    return out


def _deals(n: int, leads: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    created = _days(n, rng)
    deals = pd.DataFrame({"deal_id": pd.Series(np.arange(n)).astype("string"), "created_at": created})
    for name, size in GROUPS.items():
        deals[name] = _names(name, rng.integers(0, size, n))
    deals["deal_type"] = deals["deal_type"].map({"deal_type 000": "new", "deal_type 001": "existing"}).astype("string")
    deals["account_id"] = pd.Series(rng.integers(0, n // 2, n)).astype("string")
    back = pd.Series(leads["lead_id"].to_numpy(), index=leads["converted_deal_id"].to_numpy())
    deals["lead_id"] = deals["deal_id"].map(back[back.index.notna()]).astype("string")
    deals["term_months"] = rng.choice([12.0, 24.0, 36.0], n)
    steps = rng.integers(1, 6, n)
    deal = np.repeat(np.arange(n), steps + 1)
    place = np.arange(len(deal)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    waits = (rng.exponential(16, len(deal)) * 86400).astype("int64") * (place > 0)
    so_far = np.cumsum(waits)
    first = np.repeat(np.flatnonzero(place == 0), steps + 1)
    written = created[deal] + (so_far - so_far[first]).astype("timedelta64[s]")
    last = place == steps[deal]
    won = (rng.random(n) < 0.25)[deal] & last
    status = np.where(last, np.where(won, "won", "lost"), "open")
    amount = np.exp(rng.normal(9.5, 1, n)).round(2)[deal]
    stage = np.array([*STAGES, "Closed Won", "Closed Lost"])[np.where(last, np.where(won, 5, 6), np.minimum(place, 4))]
    states = pd.DataFrame({
        "deal": deal, "seq": np.arange(len(deal)), "recorded_at": written, "status": status,
        "closed_at": np.where(last, written.astype("datetime64[D]").astype("datetime64[s]"), np.datetime64("NaT")),
        "stage": stage, "amount": np.where(rng.random(n)[deal] < 0.1, np.nan, amount),
        "expected_close": created[deal] + np.timedelta64(60 * 86400, "s"),
        "probability": np.minimum(place, 4) * 0.2, "forecast_category": np.where(place > 2, "Commit", "Pipeline"),
        "owner": _names("owner", rng.integers(0, OWNERS, n))[deal].to_numpy(),
    })  # fmt: skip
    states = states[(states["recorded_at"] <= UNTIL).to_numpy()].reset_index(drop=True)
    texts = ["status", "stage", "forecast_category", "owner"]
    return deals, states.astype(dict.fromkeys(texts, "string") | {"closed_at": "datetime64[s]"})


def _touches(leads: pd.DataFrame, n_deals: int, rng: np.random.Generator) -> pd.DataFrame:
    which = rng.integers(0, len(leads), 2 * len(leads))
    at = leads["created_at"].to_numpy()[which] + (rng.exponential(10, len(which)) * 86400).astype("timedelta64[s]")
    kinds = pd.array(KINDS, dtype="string")
    on_deal = rng.random(len(which)) < 0.3
    out = pd.DataFrame({
        "at": at.astype("datetime64[s]"), "kind": kinds.take(rng.integers(0, len(kinds), len(which))),
        "lead_id": leads["lead_id"].to_numpy()[which],
        "deal_id": pd.Series(rng.integers(0, n_deals, len(which))).astype("string").where(on_deal),
        "account_id": leads["account_id"].to_numpy()[which], "campaign": leads["campaign"].to_numpy()[which],
    })  # fmt: skip
    return out[(out["at"] <= UNTIL).to_numpy()].reset_index(drop=True)


def _line() -> pd.DataFrame:
    owners = _names("owner", np.arange(OWNERS))
    return pd.DataFrame({"owner": owners, "manager": _names("manager", np.arange(OWNERS) % MANAGERS)})


def _spend(rng: np.random.Generator) -> pd.DataFrame:
    days = pd.date_range(BEGUN, UNTIL, freq="MS").to_numpy().astype("datetime64[s]")
    n = GROUPS["lead_source"]
    return pd.DataFrame({
        "day": np.repeat(days, n), "lead_source": _names("lead_source", np.tile(np.arange(n), len(days))),
        "campaign": _names("campaign", rng.integers(0, 40, n * len(days))), "amount": rng.gamma(2, 5000, n * len(days)),
    })  # fmt: skip


def _quarters() -> list[str]:
    return [f"{y}Q{q}" for y in range(2020, 2026) for q in range(1, 5)]


def _quotas() -> pd.DataFrame:
    rows = [(p, "owner", f"owner {i:03d}", 200_000.0) for p in _quarters() for i in range(OWNERS)]
    out = pd.DataFrame(rows, columns=["period", "level", "group", "amount"])
    return out.assign(**{c: typed(out[c], TABLES["quotas"][c].kind) for c in ("period", "level", "group")})


def _calls(rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (pd.Period(p, "Q").start_time + pd.Timedelta(days=k), f"owner {i:03d}", "rep", p)
        for p in _quarters() for k in (0, 20, 50) for i in range(OWNERS)
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=["made_at", "person", "layer", "period"]).assign(
        amount=rng.gamma(2, 90_000, len(rows))
    )
    out = out[(out["made_at"] <= UNTIL).to_numpy()]
    return out.astype({"made_at": "datetime64[s]", "person": "string", "layer": "string", "period": "string"})


def _orders(n_deals: int, rng: np.random.Generator) -> pd.DataFrame:
    n = 2 * n_deals
    return pd.DataFrame({
        "order_id": pd.Series(np.arange(n)).astype("string"), "day": _days(n, rng),
        "account_id": pd.Series(rng.integers(0, n_deals // 2, n)).astype("string"), "amount": rng.gamma(2, 500, n),
    })  # fmt: skip


def _customers(deals: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    account = deals["account_id"].drop_duplicates().reset_index(drop=True)
    start = pd.Series(_days(len(account), rng))
    end = start + pd.to_timedelta(rng.exponential(900, len(account)).astype(int), unit="D")
    return pd.DataFrame({
        "account_id": account, "signed_up_at": start, "trial_started_at": start,
        "started_at": start, "onboarded_at": start, "activated_at": start,
        "ended_at": end.where(end <= UNTIL).astype("datetime64[s]"),
        "recurring_amount": rng.gamma(2, 300, len(account)),
    })  # fmt: skip


def _subscriptions(deals: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Two yearly terms an account on average, one after the other, some with a gap."""
    account = deals["account_id"].drop_duplicates().to_numpy()
    terms = rng.integers(1, 4, len(account))
    first = np.repeat(_days(len(account), rng), terms)
    place = np.arange(terms.sum()) - np.repeat(np.cumsum(terms) - terms, terms)
    gap = rng.integers(0, 40, len(first)) * (rng.random(len(first)) < 0.2)
    begin = first + (place * 365 + gap) * np.timedelta64(86400, "s")
    end = begin + 364 * np.timedelta64(86400, "s")
    out = pd.DataFrame({
        "account_id": pd.array(np.repeat(account, terms), dtype="string"), "from": begin, "to": end,
        "renewal_due": end, "recurring_amount": rng.gamma(2, 300, len(first)),
    })  # fmt: skip
    return out[(out["from"] <= UNTIL).to_numpy()].reset_index(drop=True)
