"""What is won brings how much? Amounts given won by several candidates, and the money of chances times amounts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from parts import Case, cases, company_of, options, past_days, shown, told_by

from pipeforecast.contract import WON
from pipeforecast.models.amount import AmountModel, FittedAmounts
from pipeforecast.models.hazard import HazardModel
from pipeforecast.outcome import Lessons
from pipeforecast.snapshot import Snapshot

_DRAWS = 200
_RIDGE = 30.0


class AsListed:
    """What the CRM says: listed amounts, and nothing where none is listed."""

    def fit(self, lessons: Lessons) -> FittedAmounts:
        return FittedAmounts()


class OneSpread:
    """By stage, but single deals of all stages spread alike."""

    def fit(self, lessons: Lessons) -> FittedAmounts:
        fitted = AmountModel().fit(lessons)
        return FittedAmounts(
            fitted.overall, fitted.by_stage, fitted.unlisted, fitted.spread, {}, fitted.unsure, fitted.typical
        )


@dataclass(frozen=True)
class Ridge:
    """Ridge regression of log(final ÷ listed) on amount, age, repricing, stage and segment, made to add up in money."""

    in_period: bool = False

    def fit(self, lessons: Lessons) -> RidgeAmounts:
        rows, outcome = lessons.snapshot.open, lessons.outcome.rows
        use = (outcome["status"] == WON) & (rows["amount"] > 0) & (outcome["amount"] > 0)
        if self.in_period:  # what is won in the period, not long after it, is what a period's revenue is made of
            day = pd.to_datetime(rows["as_of"].unique())
            ends = {d: lessons.calendar.containing(d + pd.Timedelta(days=1)).end for d in day}
            use &= outcome["closed_at"] <= rows["as_of"].map(ends)
        rows, final = rows[use.to_numpy()], outcome["amount"].to_numpy()[use.to_numpy()]
        last = ~rows.duplicated(["deal", "stage"], keep="last").to_numpy()
        rows, final = rows[last], final[last]
        levels = {c: sorted(rows[c].dropna().unique()) for c in ("stage", "segment")}
        x, listed = _columns(rows, levels), rows["amount"].to_numpy()
        y = np.log(np.clip(final / listed, 0.1, 10.0))
        mean, middle = x.mean(axis=0), x - x.mean(axis=0)
        slopes = np.linalg.solve(middle.T @ middle + _RIDGE * np.eye(x.shape[1]), middle.T @ (y - y.mean()))
        ratio = np.exp(y.mean() + middle @ slopes)
        scale = final.sum() / (listed * ratio).sum()
        spread = {str(s): final[at] / (listed * ratio * scale)[at] for s in levels["stage"]
                  for at in [(rows["stage"] == s).to_numpy()]}  # fmt: skip
        told = lambda r: np.exp(y.mean() + (_columns(r, levels) - mean) @ slopes) * scale  # noqa: E731
        return RidgeAmounts(told, spread, AmountModel().fit(lessons))


@dataclass(frozen=True)
class RidgeAmounts:
    ratio: Callable[[pd.DataFrame], np.ndarray]
    spread: dict[str, np.ndarray]
    plain: FittedAmounts

    def expected(self, snapshot: Snapshot) -> np.ndarray:
        listed = snapshot.open["amount"].to_numpy()
        return np.where(listed > 0, np.nan_to_num(listed) * self.ratio(snapshot.open), self.plain.expected(snapshot))

    def draw(self, snapshot: Snapshot, deal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        mean, listed = self.expected(snapshot), (snapshot.open["amount"] > 0).to_numpy()
        stage, out = snapshot.open["stage"].to_numpy(dtype=object), self.plain.draw(snapshot, deal, rng)
        for s, found in self.spread.items():
            here = (listed & (stage == s))[deal]
            out[here] = mean[deal][here] * rng.choice(found / found.mean(), size=int(here.sum()))
        return out


def _columns(rows: pd.DataFrame, levels: dict[str, list[str]]) -> np.ndarray:
    size = np.log(np.maximum(rows["amount"].fillna(1.0).to_numpy(dtype="float64"), 1.0))
    first = np.log(np.maximum(rows["first_amount"].fillna(rows["amount"]).fillna(1.0).to_numpy(dtype="float64"), 1.0))
    age = np.log1p((rows["as_of"] - rows["created_at"]).dt.days.clip(lower=0).to_numpy(dtype="float64"))
    settled = (rows["n_amount_changes"].fillna(0) > 0).to_numpy(dtype="float64")
    numbers = [size, age, 3 * np.clip(size - first, -2, 2), settled]
    dummies = [(rows[c] == level).fillna(False).to_numpy(dtype="float64") for c, of in levels.items() for level in of]
    return np.column_stack([*numbers, *dummies])


CANDIDATES = {
    "as listed": AsListed(), "by stage, one spread": OneSpread(), "by stage": AmountModel(),
    "ridge": Ridge(), "ridge, won in the period": Ridge(in_period=True),
}  # fmt: skip
CHOSEN = "by stage"


def crps(draws: np.ndarray, came: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of each row's draws (n, D), in the unit of ``came`` (n,)."""
    d, ordered = draws.shape[1], np.sort(draws, axis=1)
    weight = 2 * np.arange(1, d + 1) - d - 1
    return np.asarray(np.abs(draws - came[:, None]).mean(axis=1) - (ordered * weight).sum(axis=1) / d**2)


def deals_of(case: Case, final: np.ndarray) -> pd.DataFrame:
    """One row per deal open on the day: its groups, what it brought in the period, and what each candidate expected."""
    rows, rng, origin = case.now.open, np.random.default_rng(0), case.origin
    deals = HazardModel().fit(case.lessons)
    out = pd.DataFrame({
        "origin": origin.as_of, "deal": rows["deal"].to_numpy(), "listed": rows["amount"].to_numpy(dtype="float64"),
        **{c: rows[c].astype("object").fillna("(none)").to_numpy() for c in ("stage", "segment")},
        "p": deals.won_between(case.now, origin.period.start, origin.period.end, 0, rng)[0],
        "won": case.won > 0, "brought": np.where(case.won > 0, np.nan_to_num(final), 0.0),
    })  # fmt: skip
    won = np.flatnonzero(case.won > 0)
    for name, recipe in CANDIDATES.items():
        fitted = recipe.fit(case.lessons)
        out[name] = fitted.expected(case.now)
        draws = fitted.draw(case.now, np.repeat(won[:, None], _DRAWS, axis=1), rng)
        score = np.full((2, len(out)), np.nan)
        score[0, won] = crps(draws, out["brought"].to_numpy()[won])
        score[1, won] = crps(np.log(np.maximum(draws, 1.0)), np.log(np.maximum(out["brought"].to_numpy()[won], 1.0)))
        out[f"{name}: crps"], out[f"{name}: log crps"] = score
    return out


def given_won(rows: pd.DataFrame, names: Sequence[str]) -> list[dict[str, object]]:
    """Scores of amounts of deals that were won: shares of the money that they brought, and of log amounts."""
    out = []
    for which, part in (("listed", rows[rows["listed"] > 0]), ("not listed", rows[rows["listed"].isna()])):
        won = part[part["won"]]
        money = max(float(won["brought"].sum()), 1e-9)
        out += [{
            "amount": which, "candidate": name, "n": len(won), "money": won[name].sum() / money,
            "mae": (won[name] - won["brought"]).abs().sum() / money, "crps": won[f"{name}: crps"].sum() / money,
            "log crps": won[f"{name}: log crps"].mean(),
        } for name in names]  # fmt: skip
    return out


def money(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Σ p · E[amount] ÷ what came, in total and by group."""
    decile = rows["listed"].rank(pct=True).mul(10).apply(np.ceil).fillna(0).astype(int)
    rows = rows.assign(total="all", decile=["none" if d == 0 else f"{d:02d}" for d in decile])
    found = []
    for by in ("total", "decile", "stage", "segment"):
        for group, part in rows.groupby(by):
            meant, came = float((part["p"] * part[CHOSEN]).sum()), float(part["brought"].sum())
            given = part[part["won"]]
            found.append({
                "by": by, "group": group, "won": int(part["won"].sum()), "came": came, "meant": meant,
                "ratio": meant / came if came else np.nan,
                "wins": part["p"].sum() / max(int(part["won"].sum()), 1),
                "given won": given[CHOSEN].sum() / came if came else np.nan,
            })  # fmt: skip
    return found


def main() -> None:
    parser = options(__doc__, deals=[20_000], seeds=[41, 42], quarters=4)
    told = told_by(parser, {})
    score_rows, money_rows = [], []
    for deals in told.deals:
        for kind in told.kinds:
            pooled = []
            for seed in told.seeds:
                began = time.monotonic()
                _, history = company_of(kind, deals, seed)
                final = history.latest()["amount"]
                for case in cases(history, past_days(history, told.quarters)):
                    came = final.reindex(case.now.open["deal"].to_numpy()).to_numpy(dtype="float64")
                    pooled.append(deals_of(case, came))
                print(f"{kind} {deals} {seed}: {time.monotonic() - began:.0f} s", flush=True)
            rows, about = pd.concat(pooled, ignore_index=True), {"deals": deals, "company": kind}
            score_rows += [about | r for r in given_won(rows, list(CANDIDATES))]
            money_rows += [about | r for r in money(rows)]
    shown(pd.DataFrame(score_rows), told.out / "amounts.csv", index=["deals", "amount", "candidate"], columns="company",
          values=["money", "mae", "crps", "log crps"])  # fmt: skip
    shown(pd.DataFrame(money_rows), told.out / "money.csv", index=["deals", "by", "group"], columns="company",
          values=["ratio", "given won", "wins"])  # fmt: skip


if __name__ == "__main__":
    main()
