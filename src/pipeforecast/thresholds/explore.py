"""A few leads below the threshold that are handed over all the same, at random: what makes a claim of a cause."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from pipeforecast.errors import DataError
from pipeforecast.textcells import meant
from pipeforecast.thresholds.curve import Scale

COLUMNS = ("lead_id", "as_of", "scale", "threshold", "score", "share", "seed")
#: So many explored leads with an outcome, and so many leads with a conversion, before they are used.
FEWEST, FEWEST_CONVERSIONS = 30, 10


def drawn(lead_ids: Iterable[str], share: float, seed: int) -> np.ndarray:
    """Say which leads are explored: by a hash of seed and id, so that a lead is drawn or not once and for all.

    Parameters
    ----------
    lead_ids : iterable of n str
    share : float in [0, 1]
    seed : int

    Returns
    -------
    bool array (n,)
    """
    limit = int(share * 2**64)
    heads = (hashlib.sha256(f"{seed}:{i}".encode()).digest()[:8] for i in lead_ids)
    return np.fromiter((int.from_bytes(h, "big") < limit for h in heads), dtype=bool)


def proposal(
    waiting: pd.DataFrame, score: np.ndarray, cut: np.ndarray, scale: Scale, share: float, seed: int
) -> pd.DataFrame:
    """Give the rows of ``explore.csv``: leads without an outcome yet that lie below their threshold and are drawn.

    Parameters
    ----------
    waiting : DataFrame of n rows
        ``lead_id`` and ``as_of``.
    score, cut : float (n,)
        Score and threshold of each lead.
    scale : 'p' or 'points'
    share, seed : float, int
    """
    below = score < cut
    own = waiting[below]
    picked = drawn(own["lead_id"].astype(str), share, seed)
    return pd.DataFrame({
        "lead_id": own["lead_id"].astype(str).to_numpy()[picked], "as_of": own["as_of"].to_numpy()[picked],
        "scale": scale, "threshold": cut[below][picked], "score": score[below][picked], "share": share, "seed": seed,
    })  # fmt: skip


@dataclass(frozen=True)
class ExploreLog:
    """What was drawn before.

    Attributes
    ----------
    ids : frozenset of str
    since : datetime64[s]
        First evening of the log; NaT where it has no dates.
    threshold : float
        Leads below it were handed over only if drawn; the highest of the log.
    scale : 'p' or 'points'
    share : float
    """

    ids: frozenset[str]
    since: np.datetime64
    threshold: float
    scale: Scale
    share: float


def read_log(path: Path) -> ExploreLog:
    """Read an ``explore.csv`` of an earlier call (or several put together).

    Raises
    ------
    DataError
        If it is not such a file, or holds several shares or scales.
    """
    try:
        table = pd.read_csv(path, dtype={"lead_id": "string"}, keep_default_na=False)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise DataError(f"explored: {path} cannot be read ({type(error).__name__}); expected an explore.csv") from None
    lacking = [c for c in COLUMNS if c not in table]
    if lacking or table.empty:
        raise DataError(
            f"explored: expected an explore.csv of an earlier call, came {path}, without {lacking or 'rows'}"
        )
    shares, scales = table["share"].unique(), table["scale"].unique()
    if len(shares) > 1 or len(scales) > 1 or scales[0] not in ("p", "points") or not 0 < float(shares[0]) <= 1:
        raise DataError(f"explored: expected one share in (0, 1] and one scale in {path}, came {shares} and {scales}")
    since = pd.to_datetime(table["as_of"], errors="coerce").min()
    return ExploreLog(
        frozenset(meant(i) for i in table["lead_id"].astype(str)), np.datetime64(since, "s"),
        float(table["threshold"].max()), cast(Scale, str(scales[0])), float(shares[0]),
    )  # fmt: skip


def weights(
    log: ExploreLog, lead_id: np.ndarray, as_of: np.ndarray, score: np.ndarray, left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weigh leads by the inverse of the chance with which they were turned to (Horvitz and Thompson, 1952).

    Parameters
    ----------
    log : ExploreLog
    lead_id, as_of, score, left : arrays (n,)
        ``score`` on the scale of the log.

    Returns
    -------
    weight : float (n,)
        1 above the log's threshold; below it 1 ÷ share for explored leads that were turned to, 0 for all others, for
        which the explored ones speak.
    since : bool (n,)
        Leads decided on since the log began; only they are weighed so.
    """
    since = np.ones(len(score), dtype=bool) if np.isnat(log.since) else as_of >= log.since
    below = score < log.threshold
    mine = np.isin(lead_id.astype(str), list(log.ids)) & ~left
    return np.where(below, np.where(mine, 1 / log.share, 0.0), 1.0), since
