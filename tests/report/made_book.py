"""Made-up input of a workbook: open deals whose sums, at every level, are the forecast's."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pandas as pd
from made import AS_OF, END, OWNERS, START, deals_frame, made_input

from pipeforecast.fiscal import Period
from pipeforecast.forecast import QUANTILES, TOTAL, DealForecast, group_names
from pipeforecast.outcome import Lessons
from pipeforecast.report.workbook import BookInput
from pipeforecast.rules import RULES, terms_of
from pipeforecast.snapshot import Snapshot
from pipeforecast.workflow.workbook import book_input

PARTS = ("won", "open_due", "open_pulled_in", "new")
NUMBERS = {
    "won": 1_412_300.55, "new": 760_000.25, "day": 44.0, "days": 91.0, "coverage": 0.4, "past_by_day": 9e6,
    "past_total": 3e7, "win_rate": 0.25, "won_amount": 31_000.0, "won_cycle": 77.5, "last_year": 3e6,
}  # fmt: skip


def open_deals(n: int = 90) -> pd.DataFrame:
    """Deals of the made-up report, with what a workbook wants besides."""
    frame = deals_frame(n)
    p = frame["p_win_in_period"]
    frame = frame.assign(
        probability=p, amount_if_won=(frame["amount"] * 0.97).fillna(20_000.0), crm_probability=0.1 + 0.8 * p,
        rule_amount=frame["amount"].fillna(25_000.0),
    )  # fmt: skip
    return frame.drop(columns=["p_win_in_period", "expected_amount_in_period"])


def grouped(deals: pd.DataFrame) -> pd.DataFrame:
    segment = np.where(np.arange(len(deals)) % 3 == 0, "007", "7")  # one number to a spreadsheet, two groups to us
    return pd.DataFrame({"owner": deals["owner"].fillna("(none)"), "segment": segment}, index=deals.index)


def model_rows(deals: pd.DataFrame, groups: pd.DataFrame, end: pd.Timestamp, factor: float = 1.0) -> pd.DataFrame:
    """Rows of the forecast: means that are sums of the deals, and quantiles that are nobody's."""
    expected = (deals["probability"] * deals["amount_if_won"]).fillna(0.0)
    due = deals["expected_close"].isna() | (deals["expected_close"] <= end)
    levels: Mapping[str, pd.Series] = {TOTAL: pd.Series(TOTAL, index=deals.index), **{c: groups[c] for c in groups}}
    rows = []
    for level, group in levels.items():
        none = {"segment": {"no open deal"}, TOTAL: {TOTAL}}.get(level, set())
        for i, name in enumerate(sorted(set(group) | none)):
            own = (group == name).to_numpy()
            mean = {"won": 1000.25 * (i + 1), "open_due": factor * expected[own & due.to_numpy()].sum(),
                    "open_pulled_in": factor * expected[own & ~due.to_numpy()].sum(), "new": 99.5 * i}  # fmt: skip
            mean |= {"open": mean["open_due"] + mean["open_pulled_in"], "amount_change": -1.0}
            mean[TOTAL] = sum(mean[p] for p in PARTS)
            for part, value in mean.items():
                quantiles = {q: value * (0.5 + share) for q, share in QUANTILES.items()}
                row = {"level": level, "group": name, "method": "model", "part": part, "mean": value}
                rows.append(row | quantiles)
    frame = pd.DataFrame(rows).assign(as_of=AS_OF, period="2024Q2", period_start=START, period_end=end)
    return frame.assign(currency="EUR", coverage_measured=0.78)


def made_book(n: int = 90, factor: float = 1.0, deals: pd.DataFrame | None = None, **changes: object) -> BookInput:
    deals = open_deals(n) if deals is None else deals
    groups = grouped(deals)
    given = made_input(**({"forecast": model_rows(deals, groups, END, factor), "deals": deals_frame(n)} | changes))
    stage = deals["stage"].dropna().unique()
    return BookInput(
        given=given, deals=deals, groups=groups, numbers=NUMBERS, factor=factor,
        stages=pd.DataFrame({"stage": sorted(map(str, stage))}).assign(rate=0.25, **{"yield": 0.5}),
        past=pd.DataFrame({"period": ["2023Q4", "2024Q1"], "won": [3e6, 4e6]}),
        categories={"commit": ("commit",), "upside": ("commit", "best case")}, about={"Made by": "a test"},
    )  # fmt: skip


def rule_book(taught: tuple[Lessons, Snapshot], period: Period) -> BookInput:
    """Real rules on real lessons, beside a stand-in for a model: the CRM's chances and the listed amounts."""
    lessons, now = taught
    rows, day = now.open, now.as_of
    p = np.clip(rows["probability"].astype("float64").fillna(0.5).to_numpy(), 0, 1)
    amount = rows["amount"].astype("float64").fillna(50.0).to_numpy()
    dates = np.array([day - pd.Timedelta(days=1), period.end], dtype="datetime64[s]")
    won = np.column_stack([np.zeros(len(p)), p])
    deals = DealForecast(rows["deal"].to_numpy(), dates, won, np.zeros_like(won), amount)
    made = SimpleNamespace(
        now=now, lead=SimpleNamespace(deals=deals, period=period), factor=1.0, terms=terms_of(lessons, now, period)
    )
    frame = pd.DataFrame({"expected_close": rows["expected_close"], "amount_if_won": amount,
                          "probability": deals.won_between(period.start, period.end)})  # fmt: skip
    groups = pd.DataFrame({"segment": group_names(rows, "segment")}, index=frame.index)
    told = [model_rows(frame, groups, period.end)]
    for name, rule in RULES.items():
        value = rule.fit(lessons).forecast(now, period).value()
        told.append(pd.DataFrame([{"level": TOTAL, "group": TOTAL, "method": name, "part": TOTAL, "mean": value}]))
    given = made_input(
        forecast=pd.concat(told, ignore_index=True), as_of=day, period=period.name, period_start=period.start,
        period_end=period.end, group_labels={"owner": OWNERS}, scores=None,
    )  # fmt: skip
    return book_input(given, made, SimpleNamespace(levels=("segment",), data="0" * 64))  # type: ignore[arg-type]
