"""What a reader has to know of a study before relying on it, as findings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeforecast.findings import Finding, first_examples
from pipeforecast.thresholds.study import ALL, Study

TABLE = "leads"


def findings_of(made: Study) -> list[Finding]:
    """List what is assumed, missing or odd in a study."""
    return [*_of_data(made), *_of_card(made), *_of_value(made), *_of_thresholds(made)]


def _of_data(made: Study) -> Iterator[Finding]:
    leads = made.scored.leads
    young = int(leads["converted_within"].isna().sum())
    if young:
        yield Finding(
            "IMMATURE", "info", TABLE, count=young, repair="left out of conversions, counted in the last weeks",
            advice=f"these leads are younger than the {made.scored.days} days within which the step counts",
        )  # fmt: skip
    if not made.scored.dated or leads["as_of"].isna().any():
        how = "judged in the order of the rows" if made.scored.dated else "folds drawn at random"
        yield Finding(
            "NO-DATES", "warning", TABLE, count=len(leads),
            repair=f"{how}; no weeks, no capacity, no stability over time",
            advice="map the day on which a lead was created: a random split flatters where anything drifts",
        )  # fmt: skip
    unknown = int(leads["contacted"].isna().sum())
    left = int(leads["contacted"].eq(False).sum())
    if unknown == len(leads):
        yield Finding(
            "CONTACT-UNKNOWN", "warning", TABLE, "contacted", unknown, repair="every lead is taken for contacted",
            advice="map first_response_at or touches: a lead that nobody called says nothing of what calling brings",
        )  # fmt: skip
    elif left:
        yield Finding(
            "UNCONTACTED", "warning", TABLE, "contacted", left,
            repair="left out of precision; their conversions are a range (none, or as contacted ones of the score)",
            advice="nobody turned to these leads: they are neither successes nor failures of a threshold",
        )  # fmt: skip


def _of_card(made: Study) -> Iterator[Finding]:
    card, against = made.card, made.against
    if not card.rows:
        yield Finding(
            "CARD-SAYS-NOTHING", "warning", TABLE, repair="every lead has 0 points",
            advice="no condition tells more than chance would; a threshold of points would be arbitrary",
        )  # fmt: skip
        return
    yield Finding(
        "CARD-AGAINST-MODEL", "info" if against.enough else "warning", TABLE, count=against.n,
        repair=f"{len(card.rows)} rows keep {_part(against.kept_auc)} of the model's AUC above chance, "
        f"{_part(against.kept_loss)} of its log-loss gain (out of fold)",
        advice="" if against.enough else "less than the 90 and 80 % that are wanted: rather use the model's chance",
    )  # fmt: skip


def _part(share: float) -> str:
    return "an unknown part" if np.isnan(share) else f"{100 * share:.0f} %"


def _of_value(made: Study) -> Iterator[Finding]:
    if made.explored:
        yield Finding(
            "EXPLORED", "info", TABLE, repair="leads below the threshold weighed by those that were explored at random",
            count=int((made.leads["p"][ALL].weight > 1).sum()),
        )  # fmt: skip
        return
    if made.asked.log is not None:
        yield Finding(
            "EXPLORED-TOO-FEW", "info", TABLE, count=len(made.asked.log.ids), repair="explored leads are not used yet",
            advice="thirty of them need an outcome first; go on handing the leads of explore.csv over",
        )  # fmt: skip
    yield Finding(
        "VALUE-IS-ASSOCIATION", "info", TABLE, repair="value and net tell what leads of such scores brought, not what "
        "handing them over causes", advice="hand the leads of explore.csv over too, and later say explored=FILE",
    )  # fmt: skip


def _of_thresholds(made: Study) -> Iterator[Finding]:
    terms, table = made.asked.terms, made.table
    whole = table[table["segment"].eq(ALL) & table["scale"].eq(made.asked.scale)]
    best = whole[whole["best"]].iloc[0]
    if best["leads"] == 0:
        yield Finding(
            "NOBODY-HANDED-OVER", "warning", TABLE, repair="the best threshold hands no lead over",
            advice="no score pays for a contact within the capacity: look at cost, value and capacity",
        )  # fmt: skip
    elif terms.capacity is not None and whole["net"].max() > best["net"] + 1e-9:
        free = whole.iloc[int(whole["net"].argmax())]
        yield Finding(
            "CAPACITY-BINDS", "info", TABLE, repair=f"cut where {terms.capacity:g} leads a week are not exceeded",
            advice=f"without it {free['leads_per_week']:.1f} a week would bring {free['net'] - best['net']:.0f} more",
        )  # fmt: skip
    if made.pooled:
        yield Finding(
            "SMALL-SEGMENTS", "info", TABLE, "segment", len(made.pooled), first_examples(made.pooled),
            repair="judged with all leads, and given their threshold",
            advice="a threshold of its own takes 100 leads, ten conversions and ten without",
        )  # fmt: skip
    if made.alarm is not None:
        yield Finding(
            "SHARE-HANDED-OVER-GREW", "warning", TABLE, examples=(str(made.alarm.since),),
            repair=f"{_part(made.alarm.after)} of leads pass the threshold, {_part(made.alarm.before)} before",
            advice="scores inflate or better leads come: look whether conversion grew too, or set the threshold anew",
        )  # fmt: skip
