"""Lead models replayed in the order of time: each block is foretold by what was known at its start, choices included.

Every variant (candidate × memory of its recalibration) foretells every block. Which of them speaks for a block is
chosen by the blocks before it whose answers were known, so that the scores of the whole contain the choosing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeforecast.errors import DataError
from pipeforecast.leadmodels.learners import Candidate, fit_all, fit_plain
from pipeforecast.leadmodels.rows import LeadRows, in_sequence
from pipeforecast.leadmodels.terms import LeadModel, sigmoid
from pipeforecast.scores import row_log_loss

#: scikit-learn's C or rounds, and the share of the time so far after which a row counts half; the first is simplest.
CANDIDATES = (
    Candidate("logistic", 0.3), Candidate("logistic", 0.03), Candidate("logistic", 0.3, 0.25),
    Candidate("logistic", 0.03, 0.08), Candidate("boosting", 100), Candidate("boosting", 60, 0.25),
    Candidate("naive_bayes", 0),
)  # fmt: skip
#: Memories of the recalibration: none, all blocks so far alike, the newest (halving every block).
MEMORIES = ("none", "all", "newest")
#: A variant takes the simplest one's place where it was better by as many standard errors; another kind by more.
_BETTER, _OTHER_KIND = 1.0, 2.0
#: Weight, in leads, of the assumption that nothing has to be recalibrated.
_PRIOR = 20.0
_FEWEST = 100


@dataclass(frozen=True)
class Variant:
    """A candidate and the memory of its recalibration."""

    candidate: Candidate
    memory: str

    @property
    def title(self) -> str:
        """Name in files."""
        c = self.candidate
        told = {"logistic": f"C={c.strength:g}", "boosting": f"rounds={c.strength:g}", "naive_bayes": ""}[c.kind]
        fading = f" half-life={c.half_life:g}" if np.isfinite(c.half_life) else ""
        return f"{c.kind} {told}{fading} recalibrated={self.memory}".replace("  ", " ")


@dataclass(frozen=True)
class Replay:
    """What every candidate foretold of every block.

    Attributes
    ----------
    rows : LeadRows
        The rows that were foretold, in the order of time.
    at : int (m,)
        Their places among all rows.
    block : int (m,)
        Number of the block of each.
    plain : float (m, candidates)
        Log-odds.
    candidates : sequence of Candidate
    share : float (m,)
        Share that had reached the step among the rows known at the block's start: the base rate.
    """

    rows: LeadRows
    at: np.ndarray
    block: np.ndarray
    plain: np.ndarray
    candidates: Sequence[Candidate]
    share: np.ndarray
    whole: LeadRows = field(repr=False)

    @cached_property
    def starts(self) -> dict[int, float]:
        """First time of each block."""
        return {int(b): float(self.rows.time[self.block == b].min()) for b in np.unique(self.block)}

    @cached_property
    def variants(self) -> list[Variant]:
        """All variants, by candidate and memory; naive Bayes is left as CRMs leave it."""
        return [Variant(c, m) for c in self.candidates for m in (MEMORIES if c.kind != "naive_bayes" else ("none",))]

    @cached_property
    def foretold(self) -> np.ndarray:
        """Log-odds of each variant (m, variants), recalibrated by what was known at each block's start."""
        out = np.empty((len(self.rows), len(self.variants)))
        for i, variant in enumerate(self.variants):
            plain = self.plain[:, self.candidates.index(variant.candidate)]
            for block, start in self.starts.items():
                here = self.block == block
                a, b = self.recalibration(variant, self.known(start), start)
                out[here, i] = a + b * plain[here]
        return out

    def known(self, start: float) -> np.ndarray:
        """Mask of the foretold rows whose answers were known at a time."""
        return np.asarray(self.rows.time + self.rows.lag < start)

    def recalibration(self, variant: Variant, known: np.ndarray, now: float) -> tuple[float, float]:
        """Offset and slope that the known rows ask for."""
        if variant.memory == "none" or known.sum() < _FEWEST:
            return 0.0, 1.0
        weight = self.rows.weights()[known]
        if variant.memory == "newest":
            length = (self.rows.time[-1] - self.rows.time[0]) / max(len(self.starts), 1)
            weight = weight * 0.5 ** ((now - self.rows.lag - self.rows.time[known]) / max(length, 1e-9))
        plain = self.plain[known, self.candidates.index(variant.candidate)]
        return fit_line(self.rows.y[known], plain, weight)

    def chosen(self, kinds: Sequence[str], known: np.ndarray) -> int:
        """Place of the variant that the known rows speak for: the first of ``kinds``, unless another was better."""
        mine = [i for i, v in enumerate(self.variants) if v.candidate.kind in kinds]
        if not mine:
            raise DataError(f"lead models: expected candidates of {list(kinds)}, came none")
        first = mine[0]
        if known.sum() < _FEWEST:
            return first
        weight = self.rows.weights()[known]
        loss = np.stack([row_log_loss(self.rows.y[known], sigmoid(self.foretold[known, i])) for i in mine], axis=1)
        best, least = first, 0.0
        for place, i in enumerate(mine[1:], start=1):
            mean, error = _paired(loss[:, place] - loss[:, 0], weight, self.rows.person[known])
            same = self.variants[i].candidate.kind == self.variants[first].candidate.kind
            if mean < -(_BETTER if same else _OTHER_KIND) * error and mean < least:
                best, least = i, mean
        return best

    def said(self, kinds: Sequence[str]) -> np.ndarray:
        """Chances of all rows (m,) as they would have been given: the variant of each block chosen by earlier ones."""
        out = np.empty(len(self.rows))
        for block, start in self.starts.items():
            here = self.block == block
            out[here] = sigmoid(self.foretold[here, self.chosen(kinds, self.known(start))])
        return out

    def final(self, kinds: Sequence[str], most: int, seed: int) -> LeadModel:
        """Fit what all blocks speak for on all rows, recalibrated by what was foretold."""
        every = np.ones(len(self.rows), dtype=bool)
        variant = self.variants[self.chosen(kinds, every)]
        taught = self.whole.thinned(most, seed)
        model = fit_plain(taught, _timed(variant.candidate, taught), seed)
        offset, slope = self.recalibration(variant, every, float(self.whole.time.max()) + self.rows.lag)
        facts = {"variant": variant.title, "leads": len(np.unique(taught.lead)), "rows": len(taught)}
        return replace(model, offset=offset, slope=slope, facts=facts)


def _paired(difference: np.ndarray, weight: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """Weighted mean of differences and its standard error, with the rows of one person together."""
    mean = float(np.average(difference, weights=weight))
    place = np.unique(person, return_inverse=True)[1]
    off = np.bincount(place, weight * (difference - mean))
    return mean, float(np.sqrt((off**2).sum()) / weight.sum())


def _timed(candidate: Candidate, rows: LeadRows) -> Candidate:
    """Turn the half-life from a share of the time so far into units of time."""
    if not np.isfinite(candidate.half_life) or len(rows) < 2:
        return candidate
    return replace(candidate, half_life=max(candidate.half_life * float(np.ptp(rows.time)), 1e-9))


def replayed(
    rows: LeadRows,
    candidates: Sequence[Candidate] = CANDIDATES,
    blocks: int = 12,
    tested: int = 8,
    most: int = 20_000,
    seed: int = 0,
) -> Replay:
    """Foretell the newest blocks, one after another, by what was known at the start of each.

    Parameters
    ----------
    rows : LeadRows
        In the order of time.
    candidates : sequence of Candidate
    blocks, tested : int
        Into how many blocks of equal count time is cut, and how many of them are foretold.
    most : int
        Most rows that teach one fit; more are thinned by lead.
    seed : int

    Raises
    ------
    DataError
        If no block can be foretold: too few leads, or all of them ended alike.
    """
    at, number, share, plain = [], [], [], []
    for i, (teach, here) in enumerate(in_sequence(rows, blocks, tested)):
        taught, asked = rows.rows(teach).thinned(most, seed), rows.rows(here)
        models = fit_all(taught, [_timed(c, taught) for c in candidates], seed)
        plain.append(np.stack([m.log_odds(asked.features) for m in models], axis=1))
        at.append(here)
        number.append(np.full(len(here), i))
        share.append(np.full(len(here), np.average(taught.y, weights=taught.weights())))
    if not at:
        raise DataError(
            f"leads: expected past leads of both outcomes whose days are over, earlier and later ones, came "
            f"{len(rows)} rows of {len(np.unique(rows.lead))} leads, {int(rows.y.sum())} of which reached the step; "
            "wait, shorten lead.days, or take an earlier lead.step"
        )
    place = np.concatenate(at)
    return Replay(
        rows.rows(place), place, np.concatenate(number), np.concatenate(plain), candidates, np.concatenate(share), rows
    )


def fit_line(y: np.ndarray, plain: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Offset and slope of log-odds by penalised likelihood (Newton), drawn towards (0, 1) by a few leads' weight."""
    x = np.stack([np.ones(len(y)), plain], axis=1)
    beta, pull, aim = np.array([0.0, 1.0]), _PRIOR * 0.1 * np.array([1.0, 10.0]), np.array([0.0, 1.0])
    for _ in range(30):
        p = sigmoid(x @ beta)
        gradient = x.T @ (weight * (y - p)) - pull * (beta - aim)
        hessian = (x * (weight * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ x + np.diag(pull)
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(max(beta[1], 0.05))
