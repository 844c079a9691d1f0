"""How a study is made: the card learned, its refits judged beside the model, every threshold of every segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeforecast.calibration import wilson
from pipeforecast.errors import DataError
from pipeforecast.leads import ScoredLeads
from pipeforecast.points import Grades, OutOfFold, PointsCard, out_of_fold
from pipeforecast.points.grades import axis_of_grades, calibration_table, cuts_of, grade_table
from pipeforecast.thresholds.against import against_model
from pipeforecast.thresholds.curve import Scale, curve, priced
from pipeforecast.thresholds.curve import cuts_of as threshold_cuts
from pipeforecast.thresholds.explore import FEWEST, FEWEST_CONVERSIONS, weights
from pipeforecast.thresholds.judged import Judged, weeks_of
from pipeforecast.thresholds.stability import Inflation, history, inflation, weekly
from pipeforecast.thresholds.study import ALL, SCALES, Asked, Study
from pipeforecast.thresholds.terms import Terms

#: A segment with fewer leads, or conversions, is judged with all others.
LEAST_LEADS, LEAST_CONVERSIONS, MOST_SEGMENTS = 100, 10, 20
_LEAST_BELOW = 50
_YEAR = 52

Scores = Mapping[Scale, np.ndarray]
#: Last days of the weeks, and counts at each threshold.
Weeks = tuple[np.ndarray, np.ndarray]


def studied(scored: ScoredLeads, asked: Asked) -> Study:
    """Learn the card and judge every threshold, out of fold.

    Raises
    ------
    DataError
        If too few leads converted, or too few did not, or no card could be taught before the leads that judge it.
    """
    known = scored.leads["converted_within"].notna().to_numpy(dtype=bool)
    came = scored.leads["converted_within"].fillna(False).to_numpy(dtype=float)
    card = asked.recipe.learn(scored.features.rows(known), came[known])
    oof = out_of_fold(scored, asked.recipe)
    use = scored.judged & oof.known
    if not use.any():
        raise DataError(
            f"thresholds: no lead has an out-of-fold score and a known outcome ({int(known.sum())} of {len(known)} "
            "have an outcome); expected leads over a longer time, or fewer days until the step counts"
        )
    score: Scores = {"p": scored.leads["p"].to_numpy(dtype=float), "points": oof.points(card)}
    base, keep, explored = _judged(scored, asked, use, came, score)
    groups, pooled = _segments(scored.leads["segment"][keep], base.came)
    leads = {s: {n: replace(base, score=score[s][keep]).rows(own) for n, own in groups.items()} for s in SCALES}
    card = replace(card, disqualify_below=_disqualified(leads["points"][ALL], asked.terms))
    grades = _grades(card, oof, scored, use, came)
    table, weeks = _table(scored, score, leads, asked)
    best = table[table["best"] & (table["scale"] == asked.scale)].set_index("segment")["threshold"]
    return Study(
        scored=scored, asked=asked, card=card, grades=grades[0], oof=oof,
        against=against_model(came[use], score["p"][use], oof.chance[use], oof.base[use]), grade_rows=grades[1],
        calibration=calibration_table(card, score["points"][use], came[use]), leads=leads, table=table,
        rule=_by_rule(scored, base, keep, groups, asked),
        threshold={str(k): float(v) for k, v in best.items()},
        past=history(leads[asked.scale][ALL], asked.scale, asked.terms, asked.calendar, scored.dated),
        weeks=weeks, explored=explored,
        alarm=_alarm(scored, score[asked.scale], float(best[ALL]), asked.seed), pooled=pooled,
    )  # fmt: skip


def _judged(
    scored: ScoredLeads, asked: Asked, use: np.ndarray, came: np.ndarray, score: Scores
) -> tuple[Judged, np.ndarray, bool]:
    """Give the leads with an outcome, scored by the model, their mask, and whether explored leads speak for others."""
    leads = scored.leads
    as_of = leads["as_of"].to_numpy().astype("datetime64[s]")
    left = leads["contacted"].eq(False).fillna(False).to_numpy(dtype=bool)
    weight, keep, explored = np.ones(len(leads)), use, False
    if asked.log is not None:
        found, since = weights(asked.log, leads["lead_id"].to_numpy(), as_of, score[asked.log.scale], left)
        later = use & since
        mine = later & (found > 1)
        if mine.sum() >= FEWEST and came[later & (found > 0)].sum() >= FEWEST_CONVERSIONS:
            weight, keep, explored = found, later, True
    own = as_of[keep]
    weeks = weeks_of(own) if scored.dated else float("nan")
    return Judged(score["p"][keep], came[keep], left[keep], own, weight[keep], weeks), keep, explored


def _segments(segment: pd.Series, came: np.ndarray) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Give the mask of all leads and of each segment that is large enough, and the names of the others."""
    groups = {ALL: np.ones(len(segment), dtype=bool)}
    names = segment.astype("string").fillna("").to_numpy(dtype=object)
    count = pd.Series(names).value_counts()
    pooled = []
    for name in (str(n) for n in count.index if n):
        own = names == name
        large = own.sum() >= LEAST_LEADS and min(came[own].sum(), (1 - came[own]).sum()) >= LEAST_CONVERSIONS
        if large and len(groups) <= MOST_SEGMENTS and len(count) > 1 and name != ALL:
            groups[name] = own
        else:
            pooled.append(name)
    return groups, tuple(pooled) if len(count) > 1 else ()


def _table(
    scored: ScoredLeads, score: Scores, leads: Mapping[Scale, Mapping[str, Judged]], asked: Asked
) -> tuple[pd.DataFrame, dict[tuple[Scale, str], Weeks]]:
    """Judge every threshold of every scale and segment, and count the leads of the last weeks at each."""
    parts, weeks = [], {}
    for scale, groups in leads.items():
        for name, own in groups.items():
            cuts = threshold_cuts(own.score, scale)
            if scale == asked.scale and asked.current is not None:
                cuts = np.unique(np.append(cuts, asked.current))
            weeks[scale, name] = _weeks(scored, score[scale], cuts, name)
            terms = asked.terms.of_share(len(own.score) / len(groups[ALL].score))
            table = priced(curve(own, cuts).assign(leads_per_week=_a_week(weeks[scale, name])), terms)
            today = np.nan if asked.current is None or scale != asked.scale else asked.current
            current = table["threshold"].to_numpy() == today
            parts.append(table.assign(segment=name, scale=scale, current=current))
    return pd.concat(parts, ignore_index=True), weeks


def _by_rule(
    scored: ScoredLeads, base: Judged, keep: np.ndarray, groups: Mapping[str, np.ndarray], asked: Asked
) -> pd.DataFrame:
    """Judge today's rules card at its own threshold, on the same leads."""
    rule = asked.rule
    if rule is None:
        return pd.DataFrame(columns=["segment"])
    points, cut = rule.points.astype(float), np.array([float(rule.threshold)])
    judged, parts = replace(base, score=points[keep]), []
    for name, own in groups.items():
        a_week = _a_week(_weeks(scored, points, cut, name))
        parts.append(
            priced(curve(judged.rows(own), cut).assign(leads_per_week=a_week), asked.terms).assign(segment=name)
        )
    return pd.concat(parts, ignore_index=True).assign(scale=rule.name, best=False, current=True)


def _weeks(scored: ScoredLeads, score: np.ndarray, cuts: np.ndarray, name: str) -> Weeks:
    """Count the leads of the last weeks at each threshold, young ones included."""
    as_of = scored.leads["as_of"].to_numpy().astype("datetime64[s]")
    there = ~np.isnan(score) & ~np.isnat(as_of) & scored.dated & scored.leads["p"].notna().to_numpy(dtype=bool)
    segment = scored.leads["segment"].astype("string").fillna("").to_numpy(dtype=object)
    own = there & (segment == name) if name != ALL else there
    return weekly(as_of[own], score[own], cuts, last=as_of[there].max() if there.any() else None)


def _a_week(weeks: Weeks) -> np.ndarray:
    """Leads a week at each threshold; NaN where there are no weeks."""
    days, counts = weeks
    return counts[:, :-1].mean(axis=0) if len(days) else np.full(counts.shape[1] - 1, np.nan)


def _disqualified(leads: Judged, terms: Terms) -> int | None:
    """Give the highest sum of points below which even the upper end of the conversion does not pay for a contact."""
    for cut in np.unique(leads.score)[::-1]:
        own = leads.known & (leads.score < cut)
        n = float(leads.weight[own].sum())
        if own.sum() < _LEAST_BELOW:
            return None
        share = float((leads.weight * leads.came)[own].sum()) / n
        worth = n**2 / float((leads.weight[own] ** 2).sum())
        if float(wilson(share, worth)[1]) * terms.value < terms.cost:
            return int(cut)
    return None


def _grades(
    card: PointsCard, oof: OutOfFold, scored: ScoredLeads, use: np.ndarray, came: np.ndarray
) -> tuple[Grades, pd.DataFrame]:
    axes = axis_of_grades(card)
    points = [(oof.points(card) if a is None else oof.axis_points(card, a, scored.features))[use] for a in axes]
    cuts = [cuts_of(p, came[use]) for p in points]
    two = len(cuts) == 2 and all(cuts)
    if len(cuts) == 2 and not two:
        points = [oof.points(card)[use]]
        cuts = [cuts_of(points[0], came[use])]
    grades = Grades(cuts[0], cuts[1] if two else None)
    return grades, grade_table(grades.named(*points), oof.chance[use], came[use], grades.names)


def _alarm(scored: ScoredLeads, score: np.ndarray, threshold: float, seed: int) -> Inflation | None:
    there = ~np.isnan(score)
    if not scored.dated:
        return None
    days, counts = weekly(
        scored.leads["as_of"].to_numpy().astype("datetime64[s]")[there], score[there], np.array([threshold]), _YEAR
    )
    return inflation(days, counts[:, 0], counts[:, 1], seed) if len(days) else None
