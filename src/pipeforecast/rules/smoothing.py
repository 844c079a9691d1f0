"""Exponential smoothing of a short series: the form is chosen by AICc."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

#: Error, trend, damped, season. Seasons that multiply need amounts above nought.
_FORMS: tuple[tuple[str, str | None, bool, str | None], ...] = tuple(
    (error, trend, damped, season)
    for error, season in (("add", None), ("add", "add"), ("mul", "mul"))
    for trend, damped in ((None, False), ("add", False), ("add", True))
)
_FEWEST = 3


def smoothed(values: np.ndarray, season: int, steps: int) -> float:
    """Forecast the value ``steps`` after the last of ``values``.

    Parameters
    ----------
    values : float array (n,)
        Totals of complete periods, oldest first.
    season : int
        Periods in a year; a seasonal form needs two years.
    steps : int
        1 for the period right after the last.

    Returns
    -------
    float
        By the form of least AICc; by the simplest where none can be judged; the mean of fewer than three values, and of
        values that are all alike.

    References
    ----------
    Hyndman, Koehler, Ord and Snyder, "Forecasting with Exponential Smoothing: The State Space Approach", 2008.
    """
    mean = float(np.mean(values))
    if len(values) < _FEWEST or np.ptp(values) <= 1e-9 * abs(mean):
        return mean
    scaled = values / np.abs(values).mean()
    best, ahead = np.inf, np.nan
    for form in _FORMS:
        if form[3] is not None and (season < 2 or len(values) < 2 * season):
            continue
        if form[0] == "mul" and scaled.min() <= 0:
            continue
        fitted = _fit(scaled, form, season)
        if fitted is None:
            continue
        told = float(np.asarray(fitted.forecast(steps))[-1])
        # The first form is the simplest: it stands until another one can be judged better.
        if np.isfinite(told) and (np.isnan(ahead) or fitted.aicc < best):
            best, ahead = fitted.aicc, told
    return mean if np.isnan(ahead) else ahead * float(np.abs(values).mean())


def _fit(values: np.ndarray, form: tuple[str, str | None, bool, str | None], season: int) -> Any:
    """One form by statsmodels; None where it cannot be fitted."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    error, trend, damped, seasonal = form
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that do not converge: AICc judges them as they are
        try:
            model = ETSModel(
                values, error=error, trend=trend, damped_trend=damped, seasonal=seasonal,
                seasonal_periods=season if seasonal else None,
            )  # fmt: skip
            return model.fit(disp=False)
        except (ValueError, np.linalg.LinAlgError):
            return None
