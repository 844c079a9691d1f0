"""Score the open deals of one evening, without the period's total."""

from __future__ import annotations

from pipeforecast.champion import chosen
from pipeforecast.digests import digests_of
from pipeforecast.errors import SettingsError
from pipeforecast.explain import explain
from pipeforecast.lessonplan import lessons_at, prepare
from pipeforecast.outbox import whole_folder
from pipeforecast.pastrun import Wrote
from pipeforecast.pipeline import PipelineForecaster
from pipeforecast.records import track
from pipeforecast.results import SCORE_COLUMNS, deal_rows, write_csv
from pipeforecast.run import period_of, prepared
from pipeforecast.settings import ScoreSettings
from pipeforecast.snapshot import take_snapshots
from pipeforecast.tracking import Metric
from pipeforecast.workflow.leads import score_leads


def score(settings: ScoreSettings) -> str:
    """Score the open deals of one evening, without the period's total, or its open leads."""
    if settings.target == "lead":
        return score_leads(settings)
    run = prepared(settings)
    period = period_of(settings, run)
    now = take_snapshots(run.known, [run.as_of])
    use = chosen(settings, run)
    if use.saved is not None:
        deals, amounts = use.saved.deals, use.saved.amounts
    elif isinstance(run.model, PipelineForecaster):
        plan = run.plan.with_day(period.day_of(run.as_of))
        lessons = lessons_at(
            run.known, run.calendar, prepare(run.known, run.calendar, plan, [run.as_of]), run.as_of, plan
        )
        deals, amounts = run.model.learned(lessons)
    else:
        raise SettingsError(f"score: expected a model of deals (model=hazard), came the rule {run.model.name!r}")
    made = deals.forecast(now, amounts.expected(now))
    why = explain(deals, made, now, period)
    table = deal_rows(period, made, now, settings.horizon, use.version, why.reasons, run.currency)[list(SCORE_COLUMNS)]
    with whole_folder(settings.out) as out:
        write_csv(table, out / "deal_scores.csv")
        wrote = Wrote(digests_of(out), (use.version,))
    metrics = [Metric("score.deals", float(len(table)))]
    track(settings, run, "score", metrics, {"model_version": use.version}, wrote=wrote)
    expected = table["expected_amount_in_period"].sum()
    return "\n".join([
        f"{len(table):,} open deals on {run.as_of.date()}: {table['p_win_in_period'].sum():.1f} wins and "
        f"{expected:,.0f} {run.currency} expected of them in {period.name}",
        use.said, f"written: {settings.out / 'deal_scores.csv'}",
    ])  # fmt: skip
