"""When is a deal won? Coverage of P10 … P90 and the error of P50, beside the CRM's date; all origins a horizon old.

The forks are other futures of the same past, which see what no CRM records: a floor that nobody reaches.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
from parts import DAYS, Case, cases, company_of, options, past_days, shown, told_by

from pipeforecast.contract import WON
from pipeforecast.demo import Company, fork
from pipeforecast.evidence import bootstrap_by_group
from pipeforecast.history import DealHistory
from pipeforecast.models.chosen import ChosenHazard
from pipeforecast.models.closing import closing_shares
from pipeforecast.models.prior import WithPrior

HORIZON = 365
SHARES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
MODEL = WithPrior(ChosenHazard())
#: CRM's dates as they stand, and overdue ones taken as today.
RIVALS = ("CRM", "CRM, not overdue", "CRM + slip", "CRM + slip, not overdue")


def days(dates: object) -> np.ndarray:
    return np.asarray(dates).astype("datetime64[s]").astype("int64") / 86400.0


def rivals(case: Case) -> dict[str, np.ndarray]:
    """Days ahead to the CRM's date, and with its stage's median past slip (won deals, by the cutoff); NaN without."""
    now, past, outcome = case.now.open, case.lessons.snapshot.open, case.lessons.outcome.rows
    won = (outcome["status"] == WON) & (outcome["days"] <= HORIZON) & past["expected_close"].notna()
    past, closed = past[won.to_numpy()], days(outcome["closed_at"][won.to_numpy()])
    out = {}
    for suffix, least in (("", -np.inf), (", not overdue", 0.0)):
        ahead = np.maximum(_ahead(now), least)
        slip = pd.Series(closed - days(past["as_of"]) - np.maximum(_ahead(past), least))
        by_stage = slip.groupby(past["stage"].to_numpy(dtype=object)).median()
        added = now["stage"].astype("object").map(by_stage).astype("float64").fillna(slip.median()).to_numpy()
        out[f"CRM{suffix}"], out[f"CRM + slip{suffix}"] = ahead, np.maximum(ahead + added, least)
    return out


def _ahead(rows: pd.DataFrame) -> np.ndarray:
    due = days(rows["expected_close"]) - days(rows["as_of"])
    return np.where(rows["expected_close"].isna(), np.nan, due)


def forked(company: Company, history: DealHistory, case: Case, n: int) -> dict[str, np.ndarray]:
    """Quantiles of the winning day among the futures in which the deal is won within the horizon."""
    until = case.origin.as_of + pd.Timedelta(days=HORIZON)
    futures = fork(company, case.origin.as_of.date(), n=n, seed=1, until=until.date())
    won = np.where(futures.won_day >= 0, futures.won_day.astype("float64"), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # deals that are won in no future
        found = np.nanquantile(won, list(SHARES.values()), axis=0)
    ids = history.deals.loc[case.now.open["deal"].to_numpy(), "deal_id"].to_numpy()
    at = pd.DataFrame(found.T, index=futures.deal_ids, columns=list(SHARES)).reindex(ids)
    return {f"forks {name}": at[name].to_numpy() for name in SHARES}


def won_deals(case: Case, more: dict[str, np.ndarray]) -> pd.DataFrame:
    """Deals that were won within the horizon: days until then, as foretold and as they came."""
    as_of = case.origin.as_of
    until = as_of + pd.Timedelta(days=HORIZON)
    fitted = MODEL.fit(case.lessons)
    shares = dict(zip(SHARES, closing_shares(fitted, case.lessons), strict=True))
    forecast = fitted.forecast(case.now, np.ones(len(case.now.open)))
    first = days([as_of.to_datetime64()])[0]
    rows = pd.DataFrame({
        "deal": case.now.open["deal"].to_numpy(), "day": case.origin.day,
        "stage": case.now.open["stage"].to_numpy(dtype=object), "came": case.days,
        **{name: days(forecast.closing_day(share, until)) - first for name, share in shares.items()},
        **{f"nominal {name}": days(forecast.closing_day(s, until)) - first for name, s in SHARES.items()},
        **rivals(case), **more,
    })  # fmt: skip
    return rows[(case.cause == 1) & (case.days <= HORIZON)]


def scores(rows: pd.DataFrame) -> dict[str, object]:
    """Coverage and its range (deals drawn again), the two tails, and the error of P50 where the CRM has a date."""
    inside = ((rows["came"] >= rows["p10"]) & (rows["came"] <= rows["p90"])).to_numpy(dtype="float64")
    cover = bootstrap_by_group(lambda at: float(inside[at].mean()), rows["deal"], draws=200)
    dated = rows[rows["CRM"].notna()]
    off = {name: float((dated[name] - dated["came"]).abs().mean()) for name in ("p50", *RIVALS)}
    out: dict[str, object] = {
        "n": len(rows), "cover": cover.value, "lower": cover.lower, "upper": cover.upper,
        "too early": float((rows["came"] < rows["p10"]).mean()), "too late": float((rows["came"] > rows["p90"]).mean()),
        "cover nominal": float(((rows["came"] >= rows["nominal p10"]) & (rows["came"] <= rows["nominal p90"])).mean()),
        "before p50": float((rows["came"] <= rows["p50"]).mean()), "mae": off["p50"],
        **{f"below {name}": 1 - off["p50"] / off[name] for name in RIVALS},
    }  # fmt: skip
    if "forks p50" in rows:
        seen = dated[dated["forks p50"].notna()]
        mae = float((seen["forks p50"] - seen["came"]).abs().mean())
        out |= {"forks mae": mae}
        out |= {f"forks below {name}": 1 - mae / (seen[name] - seen["came"]).abs().mean() for name in RIVALS}
    return out


def main() -> None:
    parser = options(__doc__, deals=[5000, 20_000], seeds=[41, 42], quarters=4)
    parser.add_argument("--forks", type=int, default=300)
    told = told_by(parser, {"forks": 20})
    found = []
    for size in told.deals:
        for kind in told.kinds:
            pooled = []
            for seed in told.seeds:
                began = time.monotonic()
                company, history = company_of(kind, size, seed)
                # A quarter's later days may lie less than a horizon before the data's end.
                last = history.written_until - pd.Timedelta(days=HORIZON)
                origins = [o for o in past_days(history, told.quarters + 1, before=HORIZON - 92) if o.as_of <= last]
                for case in cases(history, origins[-len(DAYS) * told.quarters :]):
                    more = forked(company, history, case, told.forks) if told.forks else {}
                    pooled.append(won_deals(case, more).assign(seed=seed))
                print(f"{kind} {size} {seed}: {time.monotonic() - began:.0f} s", flush=True)
            rows = pd.concat(pooled, ignore_index=True)
            rows["deal"] = rows["seed"].astype(str) + "-" + rows["deal"].astype(str)
            for by in ("all", "day", "stage"):
                groups = rows.groupby(by) if by != "all" else [("all", rows)]
                found += [{"deals": size, "company": kind, "by": by, "group": g} | scores(part) for g, part in groups]
    table = pd.DataFrame(found)
    shown(table, told.out / "close_dates.csv")


if __name__ == "__main__":
    main()
