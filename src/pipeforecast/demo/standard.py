"""The standard company: a buyer's intent wanders between two barriers, and a purchase needs a procedure.

Intent follows a mean-reverting diffusion whose level comes from fit, champion, rep, season and the
quarter's shock. It must rise over an upper barrier, and then some steps of procurement must be completed
before it falls back. It fades under a lower barrier, a competitor may strike at any time, and some buyers
just fall silent. None of this is a hazard that is linear in what a CRM records.
"""

from __future__ import annotations

import numpy as np

from pipeforecast.demo.columns import Array, Columns
from pipeforecast.demo.rules import COMPETITOR, FADED, FELL_SILENT, NOTHING, WON, Rules, Tide

RULES = Rules(
    kind="standard",
    segments=("SMB", "Mid-Market", "Enterprise"),
    mix=(0.48, 0.36, 0.16),
    cycle=(50.0, 95.0, 170.0),
    amount=(7_000.0, 26_000.0, 105_000.0),
    spread=(0.65, 0.75, 0.9),
    employees=(40.0, 350.0, 4_000.0),
    products=("Core", "Plus", "Platform"),
    product_mix=(0.5, 0.3, 0.2),
    product_amount=(0.85, 1.1, 1.5),
    regions=("Americas", "EMEA", "APAC"),
    stages=("Discovery", "Qualification", "Demo", "Proposal", "Negotiation"),
    stage_probability=(10, 20, 40, 60, 80),
    thresholds=(0.22, 0.45, 0.68, 0.95),
    won_label="Closed Won",
    lost_label="Closed Lost",
    touches=(0.22, 0.16, 0.12),
    belief=0.62,
)

SPEED = np.array([0.038, 0.024, 0.015], dtype=np.float32)
STEPS = np.array([1, 2, 3])
STEP_RATE = np.array([0.16, 0.14, 0.11], dtype=np.float32)
SOURCE_FIT = np.array([0.05, -0.2, 0.1, 0.0, 0.4, 0.2, -0.15, 0.1])
SIGMA = 0.95
SHOCK = 0.085
UPPER, LOWER = 0.95, -0.95
CHAMPION_LIFT = 0.5
CHAMPION_LEAVES, CHAMPION_FOUND = 0.004, 0.003
COMPETITOR_STRIKES, SILENCE = 0.0016, 0.00118


class Standard:
    """Mechanism of the standard company."""

    rules = RULES

    def born(self, births: Columns, rng: np.random.Generator) -> Columns:
        """Hidden columns of new deals."""
        n = len(births["segment"])
        noise = rng.standard_normal((3, n), dtype=np.float32)
        fit = (
            -1.05
            + 0.68 * noise[0]
            + 0.5 * births["existing"]
            + 0.3 * births["lead_quality"]
            - 0.12 * births["size"]
            + np.array([0.0, 0.12, -0.1])[births["product"]]
            + SOURCE_FIT[births["source"]]
        )
        return {
            "fit": fit.astype(np.float32),
            "intent": (0.3 * noise[1] + 0.15 * births["existing"]).astype(np.float32),
            "upper": (UPPER + 0.15 * noise[2]).astype(np.float32),
            "champion": rng.random(n) < 0.5,
            "steps": np.zeros(n, dtype=np.int8),
        }

    def step(self, deals: Columns, tide: Tide, rng: np.random.Generator) -> Array:
        """Move all deals by a workday, in place; what the day brought to each, shape (n_deals,)."""
        intent, champion, segment = deals["intent"], deals["champion"], deals["segment"]
        n = len(intent)
        speed = SPEED[segment] * np.float32(tide.pace)
        level = deals["fit"] + tide.skill[deals["desk"]] + CHAMPION_LIFT * champion
        level += np.float32(tide.mood) + (SHOCK * tide.shock).astype(np.float32)
        level -= intent
        intent += speed * level + np.sqrt(speed) * np.float32(SIGMA) * rng.standard_normal(n, dtype=np.float32)
        luck = rng.random(n, dtype=np.float32)
        self._champions(deals, luck)
        brought = np.full(n, NOTHING, dtype=np.int8)
        brought[(intent < LOWER) & (luck > 0.85)] = FADED
        brought[(luck > 0.5) & (luck < 0.5 + COMPETITOR_STRIKES)] = COMPETITOR
        silence = SILENCE * np.exp(-0.5 * intent)
        brought[(luck > 0.6) & (luck < 0.6 + silence) & (deals["steps"] == 0)] = FELL_SILENT
        self._procure(deals, tide, brought, rng)
        return brought

    def _champions(self, deals: Columns, luck: Array) -> None:
        """Champions leave, which shakes the buyer, and others are found."""
        champion, intent = deals["champion"], deals["intent"]
        event = np.flatnonzero(luck < CHAMPION_LEAVES)
        leaves = event[champion[event]]
        found = event[~champion[event] & (luck[event] < CHAMPION_FOUND)]
        champion[leaves] = False
        champion[found] = True
        intent[leaves] -= 0.6
        intent[found] += 0.3

    def _procure(self, deals: Columns, tide: Tide, brought: Array, rng: np.random.Generator) -> None:
        """Begin, advance, break off or complete the purchase."""
        steps, intent, upper = deals["steps"], deals["intent"], deals["upper"]
        busy = np.flatnonzero(steps > 0)
        broken = busy[intent[busy] < upper[busy] - 1.1]
        rate = STEP_RATE[deals["segment"][busy]] * tide.pace * rush(tide.left_in_quarter)
        moved = busy[rng.random(len(busy)) < rate]
        steps[moved] -= 1
        brought[moved[steps[moved] == 0]] = WON
        steps[broken] = 0
        begun = np.flatnonzero((steps == 0) & (intent > upper) & (brought == NOTHING))
        steps[begun] = 1 + rng.binomial(STEPS[deals["segment"][begun]], 0.6)
        deals["amount"][begun] *= _haggle(len(begun), rng)

    def revive(self, deals: Columns, rows: Array) -> None:
        """Give reopened deals another chance, in place."""
        deals["intent"][rows] = 0.35
        deals["steps"][rows] = 0

    def readiness(self, deals: Columns) -> Array:
        """How near to signing the buyer is: about 0 at the start, 1 at signing, shape (n_deals,)."""
        ready: Array = np.where(deals["steps"] > 0, 1.0, deals["intent"] / UPPER)
        return ready

    def signing(self, deals: Columns) -> Array:
        """Whether the buyer has agreed and only formalities are left, shape (n_deals,)."""
        signing: Array = deals["steps"] > 0
        return signing


def rush(workdays_left: int) -> float:
    """How much faster signatures come as the quarter ends."""
    if workdays_left <= 3:
        return 3.2
    if workdays_left <= 10:
        return 2.0
    return 0.75 if workdays_left > 45 else 1.0


def _haggle(n: int, rng: np.random.Generator) -> Array:
    """Factor on the amount when the buyer sits down to sign: usually a discount, sometimes more seats."""
    luck = rng.random(n)
    discount = 1.0 - 0.35 * rng.beta(1.5, 3.0, n)
    factor: Array = np.where(luck < 0.55, discount, np.where(luck > 0.9, 1.0 + 0.4 * rng.random(n), 1.0))
    return factor
