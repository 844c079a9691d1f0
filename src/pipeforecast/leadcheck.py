"""Lead models judged on later leads: their scores with ranges, the hand-made card beside them, and what has drifted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeforecast.drift import FEWEST_VALUES, change_of, drift_of, level_bins, number_bins
from pipeforecast.evidence import bootstrap_periods_and_deals
from pipeforecast.findings import Finding
from pipeforecast.judgement import EVALUATION_COLUMNS, TOTAL, calibrated, scored, splits_of
from pipeforecast.leadmodels import CANDIDATES, LeadRows, replayed
from pipeforecast.leadmodels.replay import fit_line
from pipeforecast.leadmodels.terms import column_of, sigmoid
from pipeforecast.leadrun import LeadRun
from pipeforecast.leads import LeadFeatures
from pipeforecast.leadsettings import CardRuleSettings, LeadCardSettings
from pipeforecast.scores import LEAST

BASELINES = ("naive_bayes", "base_rate")
RANDOM = "random split (for comparison)"
_SCORES = ("log_loss", "brier", "auc", "average_precision", "calibration_error")
_SLOPES = ("calibration_slope", "calibration_intercept")
_MOST = 20_000
_PARTS = ("log_loss", "auc", "calibration_error")
_SERIES = 40


def table_of(run: LeadRun) -> tuple[pd.DataFrame, list[str]]:
    """Table of the foretold leads at their decision evening, one column of chances a method.

    Returns
    -------
    table : DataFrame
        ``lead``, ``as_of``, ``won`` (0, 1), ``period`` (block), ``deal`` (person), ``segment`` and the methods.
    methods : list of str
        The tool's own choice (``chosen``), each kind, naive Bayes, the base rate and the card, where there is one.
    """
    own = list(run.told.kinds)
    table = run.decided(own).rename(columns={"y": "won", "block": "period", "p": "chosen"})
    methods = ["chosen"]
    for kind in (*(own if len(own) > 1 else ()), "naive_bayes"):
        table[kind] = run.decided([kind])["p"].to_numpy()
        methods.append(kind)
    table["deal"] = run.book.leads["person"].to_numpy()[table["lead"]]
    if "segment" in run.book.leads:
        table["segment"] = run.book.leads["segment"].iloc[table["lead"]].to_numpy()
    if run.told.card is not None:
        table[run.told.card.name] = _card_chances(run, run.told.card, table)
        methods.append(run.told.card.name)
    return table, [*methods, "base_rate"]


def evaluation_of(run: LeadRun, table: pd.DataFrame, methods: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``evaluation.csv`` and of ``calibration.csv``."""
    table = few(table, run.seed)
    rows = [
        scored(table, methods, run.split, _SCORES), scored(table, ["chosen"], run.split, _SLOPES),
        _lift(table, methods, run.split),
    ]  # fmt: skip
    for split, part in splits_of(table.drop(columns=["stage"], errors="ignore")):
        rows.append(scored(part, methods, split, _PARTS))
    if run.in_time and run.told.random_split:
        flattering = random_table(run)
        flattering = few(flattering, run.seed)
        rows += [scored(flattering, ["chosen"], RANDOM, _SCORES), _lift(flattering, ["chosen"], RANDOM)]
    found = calibrated(table, methods)
    found["split"] = found["split"].replace(TOTAL, run.split)
    return pd.concat(rows, ignore_index=True), found


def few(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw persons of at most about ``_MOST`` rows: a range from more of them would only take longer."""
    if len(table) <= _MOST:
        return table
    persons = table["deal"].unique()
    kept = persons[np.random.default_rng(seed).random(len(persons)) < _MOST / len(table)]
    return table[table["deal"].isin(kept).to_numpy()].reset_index(drop=True)


def _lift(table: pd.DataFrame, methods: Sequence[str], split: str) -> pd.DataFrame:
    """Lift of the first decile: share that reached the step among the best tenth, over the share of all."""
    won = table["won"].to_numpy(dtype="float64")

    def of(p: np.ndarray):  # type: ignore[no-untyped-def]
        order = np.argsort(-p, kind="stable")

        def lift(weight: np.ndarray) -> np.ndarray:
            w = np.asarray(weight)[order]
            y = won[order][:, None]
            before = np.cumsum(w, axis=0) - w
            inside = np.clip(0.1 * w.sum(axis=0) - before, 0, w)
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray((inside * y).sum(axis=0) / inside.sum(axis=0) / ((w * y).sum(axis=0) / w.sum(axis=0)))

        return lift

    asked = {m: of(table[m].to_numpy(dtype="float64")) for m in methods}
    found = bootstrap_periods_and_deals(asked, table["period"], table["deal"])
    told = [(m, split, "lift_first_decile", i.value, i.lower, i.upper, len(table)) for m, i in found.items()]
    return pd.DataFrame(told, columns=list(EVALUATION_COLUMNS))


def random_table(run: LeadRun) -> pd.DataFrame:
    """Foretell the same leads as a random split would: by leads of all times, later ones too."""
    rows, lessons = run.lessons
    keep = run.decision_evening(rows)
    part = lessons.rows(keep)
    time = np.random.default_rng(run.seed).permutation(len(part)).astype("float64")
    order = np.argsort(time)
    mixed = part.rows(order)
    shuffled = LeadRows(mixed.features, mixed.y, mixed.person, mixed.lead, np.arange(len(part), dtype="float64"))
    plain = [next(c for c in CANDIDATES if c.kind == run.model.kind)]
    found = replayed(shuffled, plain, run.told.blocks, run.told.tested, run.told.max_rows, run.seed)
    return pd.DataFrame({
        "won": found.rows.y, "period": found.block, "deal": found.rows.person,
        "chosen": np.clip(found.said([run.model.kind]), LEAST, 1 - LEAST),
    })  # fmt: skip


def card_points(card: LeadCardSettings, features: LeadFeatures) -> np.ndarray:
    """Points of each lead (n,) by a hand-made card; a column that is not there gives none."""
    points = np.zeros(len(features))
    for rule in card.rules:
        if rule.column in features.names:
            points += rule.points * _meets(rule, column_of(features, rule.column))
    return points


def _meets(rule: CardRuleSettings, column: pd.Series) -> np.ndarray:
    if rule.missing:
        return np.asarray(column.isna() | (column == "(missing)"), dtype=bool)
    if rule.is_ is not None:
        if pd.api.types.is_numeric_dtype(column.dtype):
            named = column.map({1.0: "true", 0.0: "false"})
            return np.asarray(named.isin(rule.is_) | column.map(lambda v: f"{v:g}").isin(rule.is_), dtype=bool)
        return np.asarray(column.astype("object").isin(rule.is_), dtype=bool)
    x = pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64")
    low = -np.inf if rule.at_least is None else rule.at_least
    high = np.inf if rule.below is None else rule.below
    return np.asarray((x >= low) & (x < high))


def card_findings(card: LeadCardSettings | None, features: LeadFeatures) -> list[Finding]:
    """Say which columns of the card the leads do not have."""
    absent = [] if card is None else sorted({r.column for r in card.rules} - set(features.names))
    if not absent:
        return []
    return [
        Finding(
            "CARD-COLUMN-NOT-THERE", "warning", "leads", "", len(absent), tuple(absent), "gives no points",
            "map these columns, declare them fixed at creation or accept them, or take them off the card",
        )
    ]  # fmt: skip


def _card_chances(run: LeadRun, card: LeadCardSettings, table: pd.DataFrame) -> np.ndarray:
    """Chances of the card's points: a line on the log-odds, learned at each block's start from those known then."""
    rows, lessons = run.lessons
    points = card_points(card, lessons.features)
    decided = run.decision_evening(rows)
    out = np.empty(len(table))
    for block, start in run.replay.starts.items():
        here = (table["period"] == block).to_numpy()
        teach = lessons.before(start, table["deal"].to_numpy()[here]) & decided
        y, taught = lessons.y[teach], points[teach]
        base = np.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))
        scale = max(float(taught.std()), 1e-9)
        asked = (points[table["at"].to_numpy()[here]] - taught.mean()) / scale
        a, b = fit_line(y, base + (taught - taught.mean()) / scale, np.ones(len(y)))
        out[here] = sigmoid(a + b * (base + asked))
    return out


def drift_findings(run: LeadRun) -> list[Finding]:
    """Find what has drifted, name it and say since when: how many reach the step, and who comes."""
    if not run.in_time:
        return []
    rows, lessons = run.lessons
    part = lessons.rows(run.decision_evening(rows)).thinned(_MOST, run.seed)
    if len(part) < 20 * FEWEST_VALUES:
        return []
    bin_ = np.minimum(np.arange(len(part)) * _SERIES // len(part), _SERIES - 1)
    out = _conversion_drift(run, part, bin_)
    newest, oldest = bin_ >= _SERIES - _SERIES // 4, bin_ < _SERIES // 2
    names = part.features.names
    rng = np.random.default_rng(run.seed)
    for name in names:
        column = column_of(part.features, name)
        text = name in part.features.categories
        values = column.to_numpy() if text else column.to_numpy(dtype="float64")
        bins = level_bins if text else number_bins
        first, last, n = bins(values[oldest], values[newest])
        moved = drift_of(first, last, n, bin_[oldest], len(names), rng)
        if moved.moved:
            out.append(_column_drift(run, part, name, values, text, bin_, moved.value))
    return out


def _conversion_drift(run: LeadRun, part: LeadRows, bin_: np.ndarray) -> list[Finding]:
    rate = np.bincount(bin_, part.y, _SERIES) / np.bincount(bin_, minlength=_SERIES)
    change = change_of(rate, run.seed)
    if change is None or change.p_value > 0.01:
        return []
    before, after = rate[: change.at].mean(), rate[change.at :].mean()
    since = _when(run, part, bin_, change.at)
    return [
        Finding(
            "DRIFT-CONVERSION", "warning", "leads", run.told.step, int((bin_ >= change.at).sum()), (since,),
            "recent leads count more where that foretold better",
            f"{before:.1%} reached it before, {after:.1%} since {since}, {rate[-4:].mean():.1%} in the newest tenth: "
            "score again soon, and ask what has changed",
        )
    ]  # fmt: skip


def _column_drift(
    run: LeadRun, part: LeadRows, name: str, values: np.ndarray, text: bool, bin_: np.ndarray, index: float
) -> Finding:
    """Date the drift of a column: of the level whose share moved most, or of the number's mean rank."""
    what = name
    if text:
        half = bin_ >= _SERIES // 2
        shares = [pd.Series(values[side]).value_counts(normalize=True) for side in (~half, half)]
        level = str(shares[1].sub(shares[0], fill_value=0.0).abs().idxmax())
        series, what = (values == level).astype("float64"), f"{name}: {level}"
    else:
        series = pd.Series(values).rank(pct=True).fillna(0.0).to_numpy()
    mean = np.bincount(bin_, series, _SERIES) / np.bincount(bin_, minlength=_SERIES)
    change = change_of(mean, run.seed)
    since = _when(run, part, bin_, change.at) if change is not None and change.p_value <= 0.05 else "cannot be dated"
    return Finding(
        "DRIFT-COLUMN", "info", "leads", name, int((bin_ >= _SERIES - _SERIES // 4).sum()), (what, since), "",
        f"other leads come than in the first half of the past (stability index {index:.2f}); most moved {what!r}, "
        f"since {since}" if since[0].isdigit() or since.startswith("row") else
        f"other leads come than in the first half of the past (stability index {index:.2f}); most moved {what!r}",
    )  # fmt: skip


def _when(run: LeadRun, part: LeadRows, bin_: np.ndarray, at: int) -> str:
    """Day of a bin's first lead, or its row where there are no dates."""
    first = float(part.time[np.flatnonzero(bin_ == at)[0]])
    return str(np.datetime64(int(first), "D")) if run.book.dated else f"row {int(first) + 1:,}"
