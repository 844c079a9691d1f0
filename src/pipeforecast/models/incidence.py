"""Hazards and cumulative incidences, one made of the other; and hazards whose odds are moved.

In each interval a deal that is still open is won, lost or stays open (the hazards); chained, they give the chances to
be won and to be lost by the end of each interval (the cumulative incidences).

References
----------
Tutz and Schmid, *Modeling Discrete Time-to-Event Data*, Springer 2016, chapter 8 (competing risks).
"""

from __future__ import annotations

import numpy as np

_TINY = 1e-9

#: One number for all, or an array that broadcasts against the hazards.
Numbers = float | np.ndarray


def chained(hazards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative incidences (n, m) of winning and of losing from the hazards (n, m, 3: open, won, lost)."""
    n = len(hazards)
    open_before = np.cumprod(np.concatenate([np.ones((n, 1)), hazards[:, :-1, 0]], axis=1), axis=1)
    return np.cumsum(open_before * hazards[:, :, 1], axis=1), np.cumsum(open_before * hazards[:, :, 2], axis=1)


def chained_causes(won: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative incidences (n, m) from the hazards of winning and of losing (n, m); what is left stays open."""
    return chained(np.stack([1.0 - won - lost, won, lost], axis=2))


def hazards(won: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hazards of winning and of losing in each interval, from cumulative incidences (n, m)."""
    before = np.concatenate([np.ones((len(won), 1)), 1.0 - (won + lost)[:, :-1]], axis=1)
    open_ = np.maximum(before, _TINY)
    h_won, h_lost = (np.clip(np.diff(c, axis=1, prepend=0.0) / open_, 0.0, 1.0) for c in (won, lost))
    whole = np.maximum(h_won + h_lost, 1.0)
    return h_won / whole, h_lost / whole


def moved(
    won: np.ndarray, lost: np.ndarray, shift: tuple[Numbers, Numbers], power: tuple[float, float] = (1.0, 1.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Hazards whose log-odds against staying open become ``shift`` + ``power`` × log-odds; one of 0 stays 0.

    Parameters
    ----------
    won, lost : float arrays of one shape
    shift, power : (of winning, of losing)
    """
    stays = np.maximum(1.0 - won - lost, _TINY)
    odds = [
        np.where(h > 0, np.exp(s) * (np.maximum(h, 1e-300) / stays) ** p, 0.0)
        for h, s, p in zip((won, lost), shift, power, strict=True)
    ]
    whole = 1.0 + odds[0] + odds[1]
    return odds[0] / whole, odds[1] / whole
