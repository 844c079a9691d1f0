"""Which few conditions tell most: forward by score tests, then each changed for a better one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipeforecast.points.card import CardRow

Direction = Literal["rising", "falling"]
_C = 10.0
_PASSES = 2
_NEVER = 2
_TINY = 1e-9


def fitted(X: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Fit a barely shrunk logistic regression; give its intercept and coefficients."""
    if not X.shape[1]:
        return float(np.log(y.mean() / (1 - y.mean()))), np.zeros(0)
    model = LogisticRegression(C=_C, solver="newton-cholesky", max_iter=100).fit(X, y)
    return float(model.intercept_[0]), model.coef_[0]


def log_likelihood(X: np.ndarray, y: np.ndarray, intercept: float, beta: np.ndarray) -> float:
    """Σ log of the probability given to what came."""
    eta = intercept + X @ beta
    return float((y * eta - np.logaddexp(0, eta)).sum())


def chosen_conditions(
    holds: np.ndarray, y: np.ndarray, rows: Sequence[CardRow], most: int, monotone: Mapping[str, Direction]
) -> list[int]:
    """Choose at most ``most`` conditions.

    Each step adds the one with the largest score statistic given those that are in, while it exceeds ``2 log m``: of m
    useless conditions the best one seldom does. Then each is taken out and the best of all is put in its place, as long
    as the likelihood gains.

    Parameters
    ----------
    holds : bool array (n, m)
    y : float (n,), 0 or 1, both present
    rows : sequence of m CardRow
    most : int
    monotone : mapping of feature to 'rising' or 'falling'
        A cut of such a feature may only add (rising) or only take away (falling).

    Returns
    -------
    list of int
        Positions, in the order of choice.

    References
    ----------
    Rao, "Large sample tests of statistical hypotheses", Proc. Camb. Phil. Soc. 44, 1948.
    Foster and George, "The risk inflation criterion for multiple regression", Ann. Statist. 22, 1994.
    """
    if not holds.shape[1]:
        return []
    Z = holds.astype(np.float32)
    signs = np.array([_sign(row, monotone) for row in rows])
    inside = _grown(Z, y, most, signs)
    for _ in range(_PASSES):
        before = list(inside)
        inside = _swapped(Z, y, inside, signs)
        if inside == before:
            break
    return _of_right_sign(Z, y, inside, signs)


def _grown(Z: np.ndarray, y: np.ndarray, most: int, signs: np.ndarray) -> list[int]:
    """Add conditions while they tell something; ``signs`` marks those that may never come in."""
    inside: list[int] = []
    bar = 2 * np.log(Z.shape[1] + 1)
    while len(inside) < most:
        best, statistic = _best(Z, y, inside, signs)
        if best < 0 or statistic < bar:
            break
        inside = _of_right_sign(Z, y, [*inside, best], signs)
        if best not in inside:
            signs[best] = _NEVER  # its effect turns beside the others
    return inside


def _sign(row: CardRow, monotone: Mapping[str, Direction]) -> int:
    """The sign that a cut's points must have: 1, −1, or 0 for either."""
    if row.operator != ">=":
        return 0
    return {"rising": 1, "falling": -1}.get(monotone.get(row.feature, ""), 0)


def _best(Z: np.ndarray, y: np.ndarray, inside: list[int], signs: np.ndarray) -> tuple[int, float]:
    """Find the condition with the largest score statistic given those inside; −1 where none is left."""
    X = Z[:, inside].astype(float)
    intercept, beta = fitted(X, y)
    p = 1 / (1 + np.exp(-(intercept + X @ beta)))
    v = p * (1 - p)
    X1 = np.column_stack([np.ones(len(y)), X])
    score = (Z.T @ (y - p).astype(np.float32)).astype(float)
    own = (Z.T @ v.astype(np.float32)).astype(float)
    cross = (Z.T @ (v[:, None] * X1).astype(np.float32)).astype(float)
    inner = X1.T @ (v[:, None] * X1) + _TINY * np.eye(X1.shape[1])
    free = own - np.einsum("ij,ij->i", cross @ np.linalg.inv(inner), cross)
    told = (free > 1e-3 * own) & (free > _TINY) & (signs * np.sign(score) >= 0) & (signs < _NEVER)
    told[inside] = False
    statistic = np.where(told, score**2 / np.where(told, free, 1), -1.0)
    at = int(np.argmax(statistic))
    return (at, float(statistic[at])) if statistic[at] > 0 else (-1, 0.0)


def _of_right_sign(Z: np.ndarray, y: np.ndarray, inside: list[int], signs: np.ndarray) -> list[int]:
    """Leave out cuts whose effect, beside the others, has the sign that was ruled out."""
    while inside:
        beta = fitted(Z[:, inside].astype(float), y)[1]
        ruled = [(b * signs[i], i) for i, b in zip(inside, beta, strict=True) if abs(signs[i]) == 1]
        wrong = [each for each in ruled if each[0] < 0]
        if not wrong:
            break
        inside = [i for i in inside if i != min(wrong)[1]]
    return inside


def _swapped(Z: np.ndarray, y: np.ndarray, inside: list[int], signs: np.ndarray) -> list[int]:
    """Try for each condition whether another in its place tells more."""
    value = _likelihood(Z, y, inside)
    for old in list(inside):
        others = [i for i in inside if i != old]
        best, _ = _best(Z, y, others, signs)
        if best < 0 or best == old:
            continue
        trial = _of_right_sign(Z, y, [*others, best], signs)
        gained = _likelihood(Z, y, trial)
        if len(trial) == len(inside) and gained > value + 0.1:
            inside, value = trial, gained
    return inside


def _likelihood(Z: np.ndarray, y: np.ndarray, inside: list[int]) -> float:
    X = Z[:, inside].astype(float)
    return log_likelihood(X, y, *fitted(X, y))
