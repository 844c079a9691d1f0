"""What a report is made from: plain frames with the columns of the files of the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from pipeforecast.audit import Audit
from pipeforecast.cells import Cells
from pipeforecast.compare import CAUSES
from pipeforecast.errors import DataError, SettingsError, some
from pipeforecast.forecast import QUANTILES, TOTAL
from pipeforecast.report.catalogue_cells import MetricsInput
from pipeforecast.wording import Language

People = Literal["full", "own_team", "anonymous"]

#: The least that each frame must have; further columns are welcome.
NEEDED: dict[str, tuple[str, ...]] = {
    "forecast": ("level", "group", "method", "part", "mean", *QUANTILES),
    "deals": ("deal_id", "name", "owner", "amount", "expected_close", "p_win_in_period", "expected_amount_in_period"),
    "scores": ("level", "method", "day_of_period", "wape"),
    "backtest": ("day_of_period", "period", "level", "method", "p10", "p25", "p50", "p75", "p90", "actual"),
    "findings": ("code", "severity"),
    "tie": ("raw_count", "raw_amount", "used_count", "used_amount", "excluded_count", "excluded_amount"),
    "excluded": ("deal_id", "reason", "amount"),
    "quotas": ("level", "group", "quota"),
    "course": ("as_of", "day_of_period", "mean", *QUANTILES),
    "won_by_day": ("period", "day_of_period", "won"),
    "calls": ("layer", "level", "group", "person", "made_at", "amount"),
    "biases": ("layer", "person", "n_periods", "bias", "lower", "upper", "flagged"),
    "value_added": ("layer", "below", "day_of_period", "n_origins", "n_periods", "wape", "added", "lower", "upper"),
    "chances": ("bin", "forecast", "observed", "lower", "upper", "n"),
    "moves": ("measure", "deal_id", "name", "start", *CAUSES, "end"),
    "scenario": (
        "scenario",
        "level",
        "part",
        "base_mean",
        "mean",
        "difference",
        "difference_p10",
        "difference_p90",
        "p_lower",
    ),
}


@dataclass(frozen=True)
class ReportInput:
    """Everything that a report says, before it is put into words.

    Parameters
    ----------
    title, company : str
    as_of : Timestamp
        Evening from which the forecast looks; nothing written later is in it.
    period : str
        Name of the period, such as ``2024Q2``.
    period_start, period_end : Timestamp
        First and last day of the period; both belong to it.
    day_of_period : int
        Day whose evening is ``as_of``; 0 is the last evening before the period.
    currency : str
    what_counts : str
        One sentence on what counts as revenue.
    forecast : DataFrame
        Rows of ``forecast.csv``: the model's at every level and part, of each rule its total.
    deals : DataFrame
        Rows of ``deals.csv``: the open deals.
    scores : DataFrame or None
        Rows of ``backtest_scores.csv``. ``wape`` and ``bias`` are shares of the actual amount (bias above 0:
        forecast too high), ``crps`` is an amount of money, coverages are shares, ``skill`` is the share by which
        the CRPS is lower than that of the rule chosen beforehand, with its interval ``lower`` to ``upper``.
        A row whose ``day_of_period`` is missing or −1 speaks for all days.
    backtest : DataFrame or None
        Rows of ``backtest.csv``.
    findings : DataFrame
        Findings about the data, as written by ``check``.
    tie : DataFrame
        Per pipeline and status, counts and amounts as they came, used and excluded.
    excluded : DataFrame
        Rows that were not used, with the reason and the amount.
    proof : str
        First line: whether the forecast beats the rules on past periods.
    model_name : str
        ``method`` under which the model's rows stand in ``forecast``, ``scores`` and ``backtest``.
    group_labels : mapping of level to (group to shown name)
        Names for ids, such as those of owners; the level ``method`` names models and rules.
    people : 'full', 'own_team' or 'anonymous'
        ``own_team`` shows no name and no id of an owner or a manager but those of ``team``, ``anonymous`` none.
    team : frozenset of str
        Ids of the people who are shown by ``own_team``.
    draws : float array (D,) or None
        Draws of the period's total.
    top_deals : int
        How many deals the page lists at a time; none: no deal by name.
    later : DataFrame or None
        Rows of ``forecast`` for the periods after this one, of the model alone.
    cells : Cells or None
        The forecast cut by the groupings that a reader may filter by; the column ``cell`` of ``deals`` then says in
        which of them each deal lies.
    quotas : DataFrame or None
        Rows of ``quota.csv``: ``level``, ``group``, ``quota`` and ``p_hit``.
    scenario : DataFrame or None
        Rows of ``scenario.csv``.
    moves : DataFrame or None
        What moved the forecast since an earlier evening, as ``moves`` of ``compare.Waterfall``.
    moves_since : Timestamp or None
        That evening.
    course : DataFrame or None
        Rows of ``course.csv``: what would have been said on earlier days of the period; None: nothing was replayed.
    course_missing : tuple of int
        Days of the period whose forecasts have not been made anew yet.
    won_by_day : DataFrame or None
        What was won in the period, and in past ones, by each day: ``period``, ``day_of_period``, ``won``.
    calls : DataFrame or None
        People's latest calls of the period, as ``people.latest_calls`` gives them; None: the export has none.
    biases, value_added : DataFrame or None
        Rows of ``people.csv`` with their names, and of ``value_added.csv``.
    chances : DataFrame or None
        Chances of past days beside what came true, as of ``Proof.chances``.
    audit : Audit or None
        Of the same evening.
    catalogue : MetricsInput or None
        A few metrics of the last periods, without groups.
    language : str
        In which of ``wording.LANGUAGES`` everything is said.
    """

    title: str
    company: str
    as_of: pd.Timestamp
    period: str
    period_start: pd.Timestamp
    period_end: pd.Timestamp
    day_of_period: int
    currency: str
    what_counts: str
    forecast: pd.DataFrame
    deals: pd.DataFrame
    scores: pd.DataFrame | None
    backtest: pd.DataFrame | None
    findings: pd.DataFrame
    tie: pd.DataFrame
    excluded: pd.DataFrame
    proof: str
    model_name: str = "model"
    group_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    people: People = "full"
    team: frozenset[str] = frozenset()
    draws: np.ndarray | None = None
    top_deals: int = 200
    later: pd.DataFrame | None = None
    cells: Cells | None = None
    quotas: pd.DataFrame | None = None
    scenario: pd.DataFrame | None = None
    moves: pd.DataFrame | None = None
    moves_since: pd.Timestamp | None = None
    course: pd.DataFrame | None = None
    course_missing: tuple[int, ...] = ()
    won_by_day: pd.DataFrame | None = None
    calls: pd.DataFrame | None = None
    biases: pd.DataFrame | None = None
    value_added: pd.DataFrame | None = None
    chances: pd.DataFrame | None = None
    audit: Audit | None = None
    catalogue: MetricsInput | None = None
    language: Language = "en"

    def __post_init__(self) -> None:
        if self.people not in get_args(People):
            raise SettingsError(f"report.people: expected one of {', '.join(get_args(People))}, came {self.people!r}")
        for name, needed in NEEDED.items():
            frame = getattr(self, name)
            missing = [] if frame is None else [c for c in needed if c not in frame.columns]
            if missing:
                raise DataError(f"report: the table {name!r} lacks the columns {some(missing)}")
        rows = self.forecast
        if not ((rows["method"] == self.model_name) & (rows["level"] == TOTAL) & (rows["part"] == TOTAL)).any():
            came = some(sorted(set(rows["method"].astype(str))))
            raise DataError(f"report: expected a total of the method {self.model_name!r}; the forecast has {came}")
