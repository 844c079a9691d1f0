"""The forecast of a scenario, and how far it is from that of the base in every draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError, SettingsError
from pipeforecast.fiscal import Period
from pipeforecast.forecast import Forecast
from pipeforecast.kinds import NoScenario, ScenarioSettings
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.rollup import roll_up
from pipeforecast.scenario.changes import applied
from pipeforecast.snapshot import Snapshot

#: Columns of ``scenario.csv``.
SCENARIO_COLUMNS = (
    "scenario", "period", "level", "group", "part", "base_mean", "mean", "difference", "base_p10", "p10",
    "difference_p10", "difference_p90", "base_p90", "p90", "p_lower",
)  # fmt: skip
_METHOD = "scenario:"
_CELL = ["level", "group", "part"]


def what_if(
    scenario: ScenarioSettings, fitted: object, now: Snapshot, period: Period, levels: Sequence[str] = ()
) -> Forecast | None:
    """Forecast the period as the scenario has it, with the luck of the base; None without a scenario.

    Raises
    ------
    SettingsError
        If what forecasts looks at no single deal, or the scenario names what is not there.
    """
    if isinstance(scenario, NoScenario):
        return None
    if not isinstance(fitted, FittedPipeline):
        raise SettingsError(
            "scenario: expected a model of deals, came a rule, which cannot be asked what if; say model=hazard or "
            "scenario=none"
        )
    changed = applied(fitted.outlook(now, period), scenario, fitted)
    return roll_up(changed, levels, fitted.recipe.draws, fitted.recipe.seed, _METHOD + scenario.title)


def difference(base: Forecast, changed: Forecast) -> pd.DataFrame:
    """Rows of ``scenario.csv``: each cell of both forecasts, and quantiles of the difference draw by draw.

    A cell that one of them does not have is nought there.
    """
    if base.draws is None or changed.draws is None:
        raise DataError("a difference draw by draw needs the draws of both forecasts")
    cells = pd.concat([base.cells[_CELL], changed.cells[_CELL]]).drop_duplicates(ignore_index=True)
    one, two = _laid_out(base.cells, base.draws, cells), _laid_out(changed.cells, changed.draws, cells)
    mean_one, mean_two = (_laid_out(f.cells, f.mean[:, None], cells)[:, 0] for f in (base, changed))
    apart = two - one
    quantile = {"p10": 0.1, "p90": 0.9}
    out = cells.assign(
        scenario=changed.method.removeprefix(_METHOD),
        period=base.period.name,
        base_mean=mean_one,
        mean=mean_two,
        difference=mean_two - mean_one,
        p_lower=(apart < 0).mean(axis=1),
        **{f"base_{name}": np.quantile(one, q, axis=1) for name, q in quantile.items()},
        **{name: np.quantile(two, q, axis=1) for name, q in quantile.items()},
        **{f"difference_{name}": np.quantile(apart, q, axis=1) for name, q in quantile.items()},
    )
    return out[list(SCENARIO_COLUMNS)]


def _laid_out(own: pd.DataFrame, values: np.ndarray, cells: pd.DataFrame) -> np.ndarray:
    """Values (cells, n) of a forecast's own cells in the order of ``cells``."""
    at = pd.MultiIndex.from_frame(own[_CELL]).get_indexer(pd.MultiIndex.from_frame(cells))
    return np.where(at[:, None] >= 0, values[at], 0.0)
