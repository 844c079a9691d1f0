"""A made-up report's input: draws that add up, rules beside the model, twelve past quarters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.cells import Cells, spread_evenly
from pipeforecast.forecast import ADDENDS, PARTS, QUANTILES
from pipeforecast.report.inputs import ReportInput
from pipeforecast.report.names import CHOSEN

AS_OF = pd.Timestamp("2024-05-14")
START, END = pd.Timestamp("2024-04-01"), pd.Timestamp("2024-06-30")
OWNERS = {"005A1": "Ada Osei", "005B2": "Björn Lindqvist", "005C3": "Chen Wei", "005D4": "Dolores O'Neill-Vargas"}
RULES = ("weighted_pipeline", "same_stage_same_time", "fixed_conversion", "last_year", "linear_pace")
DAYS = (0, 15, 30, 45, 60, 75)
SOURCES = {"won": 1_412_300.55, "open_due": 1_630_000.0, "open_pulled_in": 240_000.0, "new": 760_000.0}


def rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def part_draws(size: float = 1.0) -> dict[str, np.ndarray]:
    r, shock = rng(), np.exp(0.13 * rng(8).standard_normal(4000))
    d = {"won": np.full(4000, SOURCES["won"] * size)}
    for part, spread in (("open_due", 0.16), ("open_pulled_in", 0.5), ("new", 0.3)):
        d[part] = SOURCES[part] * size * shock * np.exp(spread * r.standard_normal(4000) - spread**2 / 2)
    d["open"] = d["open_due"] + d["open_pulled_in"]
    d["total"] = d["won"] + d["open"] + d["new"]
    d["amount_change"] = -0.02 * d["open"]
    return d


def _cells(level: str, group: str, draws: dict[str, np.ndarray]) -> list[dict[str, object]]:
    rows = []
    for part in PARTS:
        q = np.quantile(draws[part], list(QUANTILES.values()))
        rows.append({"level": level, "group": group, "method": "model", "part": part, "mean": draws[part].mean()}
                    | dict(zip(QUANTILES, q, strict=True)))  # fmt: skip
    return rows


def forecast_frame() -> pd.DataFrame:
    rows = _cells("total", "total", part_draws())
    for i, owner in enumerate(OWNERS):
        rows += _cells("owner", owner, part_draws((0.4, 0.3, 0.2, 0.1)[i]))
    rows += _cells("deal_type", "new", part_draws(0.7)) + _cells("deal_type", "existing", part_draws(0.3))
    for rule, value in zip(RULES, (5.61e6, 4.4e6, 3.72e6, 3.31e6, 4.93e6), strict=True):
        row = {"level": "total", "group": "total", "method": rule, "part": "total", "mean": value}
        if rule != "last_year":
            row |= {q: value * (0.72 + 0.56 * s) for q, s in QUANTILES.items()}
        rows.append(row)
    frame = pd.DataFrame(rows).assign(as_of=AS_OF, period="2024Q2", period_start=START, period_end=END, currency="EUR")
    return frame.assign(coverage_measured=np.where(frame["method"] == "model", 0.78, np.nan))


def deals_frame(n: int = 90) -> pd.DataFrame:
    r = rng(3)
    amount = np.round(np.exp(r.normal(10.4, 0.9, n)), 2)
    p_win = r.beta(1.5, 2.5, n)
    due = AS_OF + pd.to_timedelta(r.integers(-25, 110, n), unit="D")
    p_in = p_win * np.clip(1 - np.maximum((due - END).days, 0) / 100, 0.02, 1) * 0.9
    firms = ["Nordwind Logistik", "Brightwater Dairy", "Okonkwo & Sons", "Sakura Optics", "Delta Foundry", "Pico"]
    frame = pd.DataFrame({
        "as_of": AS_OF, "deal_id": [f"006{i:04d}" for i in range(n)],
        "name": [f"{firms[i % 6]}: {('rollout', 'renewal', 'pilot', 'expansion')[i % 4]} {i}" for i in range(n)],
        "account_name": [firms[i % 6] for i in range(n)], "owner": [list(OWNERS)[i % 4] for i in range(n)],
        "pipeline": "Sales", "stage": [("Discovery", "Proposal", "Negotiation")[i % 3] for i in range(n)],
        "amount": amount, "currency": "EUR", "expected_close": due,
        "cell": [6 * (i % 4) + i // 4 % 6 for i in range(n)],
        "forecast_category": [("Commit", "Best case", "Pipeline")[i % 3] for i in range(n)],
        "p_win": p_win, "p_lost": (1 - p_win) * 0.8, "p_win_in_period": p_in,
        "p_slip": np.where(due < AS_OF, 1.0, 1 - p_in * 0.8),
        "close_p10": AS_OF + pd.Timedelta(days=8), "close_p50": due + pd.Timedelta(days=19),
        "close_p90": due + pd.Timedelta(days=70), "expected_amount_in_period": amount * p_in,
    })  # fmt: skip
    frame.loc[frame.index == 5, ["amount", "expected_amount_in_period"]] = np.nan
    frame.loc[frame.index == 7, ["expected_close", "close_p50"]] = pd.NaT
    return frame


def scores_frame(model_factor: float = 0.72) -> pd.DataFrame:
    rows = []
    for k, method in enumerate(("model", *RULES)):
        for day in DAYS:
            base = 0.34 - 0.0034 * day + 0.02 * k
            wape = base * (model_factor if method == "model" else 1.0)
            model = method == "model"
            rows.append({
                "level": "total", "group": "total", "method": method, "day_of_period": day, "n_origins": 12,
                "n_periods": 12, "wape": wape, "bias": 0.05 - 0.01 * k, "crps": wape * 2.6e6,
                "interval_score": wape * 9e6, "cover50": 0.5, "cover80": 0.75 if model else 0.58, "cover95": 0.92,
                "skill": 1 - model_factor if model else np.nan, "skill_hindsight": 0.1 if model else np.nan,
                "lower": 0.9 - model_factor if model else np.nan, "upper": 1.1 - model_factor if model else np.nan,
            })  # fmt: skip
    frame = pd.DataFrame(rows)
    whole = frame[frame["day_of_period"] == DAYS[0]].assign(day_of_period=-1)
    chosen = frame[frame["method"] == RULES[2]].assign(method=CHOSEN, wape=0.03, n_periods=9, n_origins=9)
    return pd.concat([whole, frame, chosen], ignore_index=True)


def backtest_frame() -> pd.DataFrame:
    r, rows = rng(11), []
    for i in range(12):
        start = pd.Timestamp("2021-04-01") + pd.DateOffset(months=3 * i)
        actual = round(float(3.2e6 * np.exp(0.04 * i + 0.18 * r.standard_normal())), 2)
        for day in DAYS:
            spread = 0.26 * (1 - day / 110)
            middle = actual * np.exp(spread * 0.9 * r.standard_normal())
            q = {c: middle * np.exp(spread * z) for c, z in zip(
                QUANTILES, (-1.96, -1.645, -1.282, -0.674, 0, 0.674, 1.282, 1.645, 1.96), strict=True)}  # fmt: skip
            rows.append({"recipe": "standard", "as_of": start + pd.Timedelta(days=day - 1), "day_of_period": day,
                         "period": f"{start.year}Q{start.quarter}", "level": "total", "group": "total",
                         "method": "model", "mean": middle, "actual": actual,
                         "actual_as_first_known": actual * (0.97 if i == 9 else 1.0)} | q)  # fmt: skip
    return pd.DataFrame(rows)


def findings_frame() -> pd.DataFrame:
    columns = ["code", "severity", "table", "column", "count", "examples", "repair", "advice"]
    return pd.DataFrame([
        ("NO-STAGE-HISTORY", "info", "changes", "stage", 1, "", "", "Keep dated exports: pipeforecast keep does it."),
        ("CLOSED-BEFORE-CREATED", "warning", "deals", "closed_at", 17, "0060012; 0060044",
         "Created day set to the closing day.", "Look for imports that wrote the created day late."),
        ("TODAYS-VALUE", "error", "deals", "next_step", 2210, "0060001", "Column left out of the features.",
         "Add its change log."),
    ], columns=columns)  # fmt: skip


def tie_frame() -> pd.DataFrame:
    columns = ["pipeline", "status", *(f"{x}_{y}" for x in ("raw", "used", "excluded") for y in ("count", "amount"))]
    return pd.DataFrame([
        ("Sales", "lost", 3120, 98_000_000.10, 3100, 97_100_000.05, 20, 900_000.05),
        ("Sales", "open", 93, 4_120_000.33, 90, 4_020_000.00, 3, 100_000.33),
        ("Sales", "won", 1450, 51_200_000.77, 1450, 51_200_000.77, 0, 0.0),
    ], columns=columns)  # fmt: skip


def excluded_frame() -> pd.DataFrame:
    ids = [f"0069{i:03d}" for i in range(23)]
    return pd.DataFrame({"deal_id": ids, "reason": ["test deal"] * 20 + ["no created day"] * 3, "status": "open",
                         "pipeline": "Sales", "amount": [45_000.0025] * 20 + [33_333.443333] * 3})  # fmt: skip


def made_cells() -> Cells:
    """Owners by segment and deal type, each owner in one region: shares of the parts, other ones in each draw."""
    parts, r = part_draws(), rng(11)
    rows = [(("EMEA", "Americas")[i % 2], owner, segment, kind) for i, owner in enumerate(OWNERS)
            for segment in ("large", "mid", "small") for kind in ("existing", "new")]  # fmt: skip
    groups = pd.DataFrame(rows, columns=["region", "owner", "segment", "deal_type"])
    chosen = spread_evenly(parts["total"], 400)
    draws, mean = {}, {}
    for part in ADDENDS:
        share = r.gamma(0.4, size=(len(rows), 1 if part == "won" else 4000)) + 1e-9
        drawn = parts[part] * share / share.sum(axis=0)
        draws[part], mean[part] = drawn[:, chosen], drawn.mean(axis=1)
    return Cells(groups, mean, draws, chosen, 4000, np.array([6 * (i % 4) + i // 4 % 6 for i in range(90)]))


def quotas_frame() -> pd.DataFrame:
    rows = [("total", "total", 4_300_000.0, 0.31), ("owner", "005A1", 900_000.0, 0.4), ("region", "EMEA", 2e6, 0.5)]
    return pd.DataFrame(rows, columns=["level", "group", "quota", "p_hit"])


def scenario_frame() -> pd.DataFrame:
    base = {"won": 10.0, "open": 30.0, "open_due": 20.0, "open_pulled_in": 10.0, "new": 5.0, "total": 45.0}
    rows = [
        {"scenario": "downturn", "level": level, "group": group, "part": part, "base_mean": v, "mean": 0.9 * v,
         "difference": -0.1 * v, "difference_p10": -0.2 * v, "difference_p90": 0.0, "p_lower": 0.9}
        for level, group in (("total", "total"), ("owner", "005A1")) for part, v in base.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def made_input(**changes: object) -> ReportInput:
    given = ReportInput(
        title="Quarterly forecast", company="Halvorsen Pumps", as_of=AS_OF, period="2024Q2", period_start=START,
        period_end=END, day_of_period=44, currency="EUR",
        what_counts="Bookings: the amount of deals won with a close date in the period; not recognised revenue.",
        forecast=forecast_frame(), deals=deals_frame(), scores=scores_frame(), backtest=backtest_frame(),
        findings=findings_frame(), tie=tie_frame(), excluded=excluded_frame(),
        proof="The model beat the best rule chosen beforehand on 12 past quarters: its error was 28 % lower.",
        group_labels={"owner": OWNERS}, draws=part_draws()["total"],
        cells=made_cells(), quotas=quotas_frame(),
    )  # fmt: skip
    return replace(given, **changes)


def empty(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:0]


def made_empty(**changes: object) -> ReportInput:
    """Only a forecast: no deals, no replay, no findings, nothing to tie."""
    bare = forecast_frame().query("method == 'model' and level == 'total'")
    given = made_input(
        forecast=bare, deals=empty(deals_frame()), scores=None, backtest=None, findings=empty(findings_frame()),
        tie=empty(tie_frame()), excluded=empty(excluded_frame()), proof="not yet proven", draws=None, group_labels={},
        cells=None, quotas=None,
    )  # fmt: skip
    return replace(given, **changes)
