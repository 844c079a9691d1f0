"""Metrics of what is open on an evening: how much there is, how likely, and whether it is enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.findings import Finding
from pipeforecast.metrics.deals import average_deal_size, cycle, won_in
from pipeforecast.metrics.declared import Metric
from pipeforecast.metrics.facts import Chosen
from pipeforecast.metrics.rates import qualified_from, win_rate, win_rate_by_value
from pipeforecast.metrics.stays import of_stage, open_stages
from pipeforecast.metrics.targets import quotas_of
from pipeforecast.metrics.values import NotAvailable, Values, amount, count, mean, quotient, ratio
from pipeforecast.metrics.view import View
from pipeforecast.metrics.windows import DAY
from pipeforecast.rules.deals import COMMIT, UPSIDE
from pipeforecast.rules.pace import sales_velocity
from pipeforecast.wording import pnoop


def opened(view: View) -> Chosen:
    """Deals open on each window's evening."""
    return view.opened.on_evening()


def listed(view: View) -> np.ndarray:
    """Listed amount of each row of ``view.opened``; where none is listed the average deal size of those evenings (N,).

    One average for all groups (won in the trailing four periods, else listed in the open deals), so that groups add up.
    """

    def make() -> np.ndarray:
        known = view.opened.rows["amount"].to_numpy(dtype="float64")
        now = opened(view)
        typical = average_deal_size(view, "trailing").value[:, 0]
        there = now.known("amount")
        typical = np.where(np.isnan(typical), ratio(there.sum("amount"), there.count())[:, 0], typical)
        fill = np.full(len(known), np.nan)
        fill[now.at] = typical[now.window]  # windows of one evening look back on the same periods
        missing = np.isnan(known)
        if missing.any():
            which = view.deal_frame["deal_id"] if "deal_id" in view.deal_frame else pd.Series(dtype="object")
            ids = which.reindex(view.opened.rows["deal"][missing].unique())
            view.note(Finding(
                "PIPELINE-ESTIMATED", "info", "deals", "amount", len(ids), tuple(map(str, ids.dropna()[:5])),
                "counted with the average deal size", "fill in amounts",
            ))  # fmt: skip
        return np.where(missing, fill, known)

    return view.once("listed amounts", make)  # type: ignore[no-any-return]


def _sum_of(view: View, chosen: Chosen) -> Values:
    x = listed(view)
    worth = amount(chosen.sum(x), chosen.count(), chosen.squares(x))
    unknown = chosen.where(np.isnan(x)).count() > 0  # no amount, and none from which to guess it
    return replace(worth, value=np.where(unknown, np.nan, worth.value))


def _told_then(view: View, values: Values, column: str) -> Values:
    """Leave undefined what rests on a fact of which the evening knows nothing: without a log its past is not kept.

    All groups of a window share that, so that they add up.
    """
    if view.known.roles.get(column) in ("tracked", "birth"):
        return values
    past = (view.windows.evenings < np.datetime64(view.as_of, "s")) | (not view.today)
    return _known_of(view, values, view.opened.rows[column].notna().to_numpy(), past)


def _known_of(view: View, values: Values, known: np.ndarray, windows: np.ndarray | bool = True) -> Values:
    """Leave undefined those ``windows`` (P,) in which deals are open and none of them is ``known`` (N,)."""
    now = opened(view)
    blind = (now.count()[:, 0] > 0) & (now.where(known).count()[:, 0] == 0) & windows
    return replace(values, value=np.where(blind[:, None], np.nan, values.value))


def _open_deals(view: View) -> Values:
    return count(opened(view).count())


def _pipeline_value(view: View) -> Values:
    return _sum_of(view, opened(view))


def _pipeline_estimated(view: View) -> Values:
    return _sum_of(view, opened(view).where(view.opened.rows["amount"].isna().to_numpy()))


def _average_open_deal(view: View) -> Values:
    now = opened(view).known("amount")
    return mean(now.sum("amount"), now.squares("amount"), now.count())


def stage_chances(view: View) -> np.ndarray:
    """Probability of each open row's stage, else the deal's own (N,)."""
    rows, stages = view.opened.rows, view.known.stages
    own = rows["probability"].to_numpy(dtype="float64")
    if "probability" not in stages:
        return own
    chance = of_stage(stages, "probability", rows["stage"], _pipelines(view))
    return np.where(np.isnan(chance), own, chance)


def _pipelines(view: View) -> pd.Series | None:
    """Pipeline of each open row (N,); None where the export knows none."""
    rows = view.opened.rows
    if "pipeline" in rows:
        return rows["pipeline"]
    return view.deal_frame["pipeline"].reindex(rows["deal"]) if "pipeline" in view.deal_frame else None


def _weighted_pipeline(view: View) -> Values:
    chance = stage_chances(view)
    if len(chance) and np.isnan(chance).all():
        raise NotAvailable(pnoop("reason", "neither stages nor deals have a probability"))
    blind = np.isnan(chance)
    if blind.any():
        rows = view.opened.rows[blind]
        stages = tuple(map(str, rows["stage"].dropna().unique()[:5]))
        view.note(Finding(
            "STAGE-WITHOUT-PROBABILITY", "warning", "stages", "probability", int(rows["deal"].nunique()), stages,
            "open deals in it weigh nothing in the weighted pipeline", "give the stage a probability",
        ))  # fmt: skip
    worth = listed(view) * np.where(blind, 0.0, chance)
    now = opened(view)
    return _known_of(view, amount(now.sum(worth), now.count(), now.squares(worth)), ~blind)


def _is_qualified(view: View) -> np.ndarray:
    rank = of_stage(open_stages(view.known.stages), "rank", view.opened.rows["stage"], _pipelines(view))
    return np.asarray(rank >= qualified_from(view))


def _qualified_pipeline(view: View) -> Values:
    return _told_then(view, _sum_of(view, opened(view).where(_is_qualified(view))), "stage")


def _unqualified_pipeline(view: View) -> Values:
    return _told_then(view, _sum_of(view, opened(view).where(~_is_qualified(view))), "stage")


def due(view: View) -> Chosen:
    """Open deals expected by the end of the window, past-due dates among them."""
    now = opened(view)
    close = now.of("expected_close").astype("datetime64[s]")
    keep = close < view.windows.ends[now.window] + DAY  # no date: not due
    return Chosen(now.facts, now.at[keep], now.window[keep], now.n_windows)


def _in_category(view: View, names: tuple[str, ...]) -> Values:
    words = view.opened.rows["forecast_category"].astype("object").fillna("").astype(str).str.strip().str.lower()
    worth = _sum_of(view, due(view).where(words.isin(names).to_numpy()))
    return _told_then(view, _told_then(view, worth, "forecast_category"), "expected_close")


def _commit(view: View) -> Values:
    return _in_category(view, COMMIT)


def _upside(view: View) -> Values:
    return _in_category(view, tuple(name for name in UPSIDE if name not in COMMIT))


def _open_due(view: View) -> Values:
    return _told_then(view, _sum_of(view, due(view)), "expected_close")


def _sales_velocity(view: View) -> Values:
    n = opened(view).count()
    size, rate, days = (f(view, "trailing").value for f in (average_deal_size, win_rate, cycle))
    flat = (pd.Series(v.ravel()) for v in (n, size, rate, days))
    return Values(sales_velocity(*flat).to_numpy().reshape(n.shape), n)


def _missing(view: View) -> tuple[np.ndarray, np.ndarray]:
    """What is missing to the quota (P, G), and where the quota is reached."""
    gap = quotas_of(view) - won_in(view).sum("amount")
    return gap, gap <= 0


def _pipeline_coverage(view: View) -> Values:
    gap, reached = _missing(view)
    now = due(view)
    covered = quotient(now.sum(listed(view)), gap, _quota_n(view, now.count()))
    return replace(_told_then(view, covered, "expected_close"), reached=reached)


def _quota_n(view: View, n: np.ndarray) -> np.ndarray:
    """Count of units where there is a quota, so that groups without one are not told."""
    return np.where(np.isnan(quotas_of(view)), 0.0, np.maximum(n, 1.0))


def _pipeline_needed(view: View) -> Values:
    gap, reached = _missing(view)
    rate = win_rate_by_value(view, "trailing")
    return replace(quotient(gap, rate.value, _quota_n(view, rate.n)), reached=reached)


def _needed(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gap, reached = _missing(view)
    rate, size = win_rate(view, "trailing"), average_deal_size(view, "trailing")
    return ratio(gap, size.value * rate.value), rate.n, reached


def _opportunities_needed(view: View) -> Values:
    needed, n, reached = _needed(view)
    return Values(needed, _quota_n(view, n), reached=reached)


def _opportunities_needed_a_day(view: View) -> Values:
    """By people who own an open deal, and by weekdays that are left of the period."""
    needed, n, reached = _needed(view)
    reps = opened(view).known("owner").distinct("owner")
    first = (view.windows.evenings + DAY).astype("datetime64[D]")
    days = np.busday_count(first, np.maximum((view.windows.ends + DAY).astype("datetime64[D]"), first))
    return Values(ratio(needed, reps * days[:, None]), _quota_n(view, n), reached=reached)


def _quota(view: View) -> Values:
    quotas = quotas_of(view)
    return Values(quotas, np.where(np.isnan(quotas), 0.0, 1.0))


def _quota_attainment(view: View) -> Values:
    quotas = quotas_of(view)
    return quotient(won_in(view).sum("amount"), quotas, _quota_n(view, won_in(view).count()))


def _ahead_of_quota(view: View) -> Values:
    return Values(won_in(view).sum("amount") - quotas_of(view), _quota_n(view, won_in(view).count()))


_DATED = {"deals": ("expected_close",)}
_CATEGORY = {"deals": ("forecast_category", "expected_close")}
_QUOTAS = {"deals": (), "quotas": ("period", "level", "group", "amount")}
_COVERED = _DATED | _QUOTAS

METRICS = (
    Metric(
        "open_deals", "Open deals", "deals open on the evening", "count", "deals open", "as of", "up", "pipeline",
        _open_deals, additive=True, example="50",
    ),
    Metric(
        "pipeline_value", "Pipeline value",
        "Σ amount of open deals; of those without an amount: their number × average deal size (won in the four "
        "periods before)", "currency", "deals open", "as of", "up", "pipeline", _pipeline_value,
        additive=True, example="50 × 150,000 = 7,500,000",
    ),
    Metric(
        "pipeline_estimated", "Estimated part of the pipeline",
        "open deals without an amount × average deal size", "currency", "deals open without an amount", "as of", "down",
        "pipeline", _pipeline_estimated, additive=True, example="2 × 150,000 = 300,000",
    ),
    Metric(
        "average_open_deal", "Average open deal", "Σ amount ÷ number of open deals that have one", "currency",
        "deals open", "as of", "up", "pipeline", _average_open_deal, example="(100 + 300) ÷ 2 = 200",
    ),
    Metric(
        "weighted_pipeline", "Weighted pipeline", "Σ amount × stage probability, of open deals", "currency",
        "deals open", "as of", "up", "pipeline", _weighted_pipeline,
        additive=True, example="100,000 × 0.2 + 50,000 × 0.6 = 50,000",
    ),
    Metric(
        "qualified_pipeline", "Qualified pipeline", "pipeline value of deals at or past the qualified stage",
        "currency", "deals open", "as of", "up", "pipeline", _qualified_pipeline,
        {"deals": ("stage",), "stages": ("position",)}, additive=True, example="300 of 500",
    ),
    Metric(
        "unqualified_pipeline", "Unqualified pipeline", "pipeline value of deals before the qualified stage",
        "currency", "deals open", "as of", "neither", "pipeline", _unqualified_pipeline,
        {"deals": ("stage",), "stages": ("position",)}, additive=True, example="200 of 500",
    ),
    Metric(
        "open_due", "Open and due", "Σ amount of open deals with expected close ≤ end of the period", "currency",
        "deals open", "as of", "up", "pipeline", _open_due, _DATED, additive=True, example="900,000",
    ),
    Metric(
        "commit", "Commit", "Σ amount of open deals in the category commit with expected close ≤ end of the period",
        "currency", "deals open", "as of", "up", "pipeline", _commit, _CATEGORY, additive=True,
        example="1,000 + 400 = 1,400",
    ),
    Metric(
        "upside", "Upside", "Σ amount of open deals in best case (upside) with expected close ≤ end of the period",
        "currency", "deals open", "as of", "up", "pipeline", _upside, _CATEGORY, additive=True, example="400",
    ),
    Metric(
        "sales_velocity", "Sales velocity",
        "open deals × mean won amount × win rate ÷ mean won cycle, the last three over the four periods before",
        "currency a day", "deals open", "as of", "up", "pipeline", _sales_velocity,
        example="100 × 10,000 × 0.2 ÷ 50 = 4,000",
    ),
    Metric(
        "pipeline_coverage", "Pipeline coverage",
        "amount of open deals with expected close ≤ end of the period ÷ (quota − won); reached where nothing is "
        "missing",
        "ratio", "deals open", "as of", "up", "pipeline", _pipeline_coverage, _COVERED,
        example="900,000 ÷ (500,000 − 200,000) = 3.0",
    ),
    Metric(
        "pipeline_needed", "Pipeline needed", "(quota − won) ÷ win rate by value of the four periods before",
        "currency", "deals closed before", "as of", "down", "pipeline", _pipeline_needed, _QUOTAS,
        example="300,000 ÷ 0.25 = 1,200,000",
    ),
    Metric(
        "opportunities_needed", "Opportunities needed",
        "(quota − won) ÷ (average deal size × win rate of the four periods before)", "count", "deals closed before",
        "as of", "down", "pipeline", _opportunities_needed, _QUOTAS, example="300,000 ÷ (50,000 × 0.25) = 24",
    ),
    Metric(
        "opportunities_needed_a_day", "Opportunities needed per rep and day",
        "opportunities needed ÷ people who own an open deal ÷ weekdays left of the period", "count",
        "deals closed before", "as of", "down", "pipeline", _opportunities_needed_a_day,
        _QUOTAS | {"deals": ("owner",)}, example="24 ÷ 2 reps ÷ 6 days = 2",
    ),
    Metric(
        "quota", "Quota", "quota of the period", "currency", "quotas", "day", "neither", "pipeline", _quota, _QUOTAS,
        example="400,000",
    ),
    Metric(
        "quota_attainment", "Quota attainment", "won amount ÷ quota", "ratio", "deals won", "closed", "up", "pipeline",
        _quota_attainment, _QUOTAS, grows=True, example="500,000 ÷ 400,000 = 1.25",
    ),
    Metric(
        "ahead_of_quota", "Ahead of quota", "won amount − quota", "currency", "deals won", "closed", "up", "pipeline",
        _ahead_of_quota, _QUOTAS, grows=True, example="500,000 − 400,000 = 100,000",
    ),
)  # fmt: skip
