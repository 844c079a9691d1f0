"""The other company: trials whose hidden usage drives competing clocks, with frailty.

Usage of the trial wanders and jumps as teams adopt or abandon the product. It speeds a clock that asks for a
quote and slows one that ends the trial; once quoted, a Weibull clock runs towards payment, faster at the end
of a month. Gamma frailties make every buyer's clocks run at a pace of their own, which nobody records.
"""

from __future__ import annotations

import numpy as np

from pipeforecast.demo.columns import Array, Columns
from pipeforecast.demo.rules import COMPETITOR, FADED, FELL_SILENT, NOTHING, WON, Rules, Tide

RULES = Rules(
    kind="other",
    segments=("Self-Serve", "Team", "Business"),
    mix=(0.42, 0.38, 0.2),
    cycle=(38.0, 60.0, 95.0),
    amount=(2_400.0, 9_500.0, 42_000.0),
    spread=(0.6, 0.75, 0.95),
    employees=(15.0, 120.0, 900.0),
    products=("Starter", "Growth", "Scale"),
    product_mix=(0.45, 0.35, 0.2),
    product_amount=(0.8, 1.1, 1.6),
    regions=("Americas", "EMEA", "APAC"),
    stages=("Trial Started", "Onboarded", "Active Use", "Quote Sent"),
    stage_probability=(15, 25, 45, 75),
    thresholds=(0.3, 0.6, 0.93),
    won_label="Subscribed",
    lost_label="Trial Ended",
    touches=(0.12, 0.12, 0.1),
    belief=0.6,
)

PACE = np.array([1.35, 0.95, 0.62], dtype=np.float32)
SOURCE_FIT = np.array([0.0, -0.15, 0.1, -0.05, 0.35, 0.15, -0.2, 0.1])
SHOCK, MOOD = 0.24, 2.0
QUOTE_RATE, PAY_SCALE, PAY_SHAPE = 0.0078, 26.0, 1.7
UNQUOTED = 0.06
CHURN_RATE, TRIAL_END_FACTOR = 0.0075, 2.5
COMPETITOR_STRIKES, SILENCE = 0.0012, 0.0013
NOT_QUOTED = -1


class Other:
    """Mechanism of the other company."""

    rules = RULES

    def born(self, births: Columns, rng: np.random.Generator) -> Columns:
        """Hidden columns of new deals."""
        n = len(births["segment"])
        noise = rng.standard_normal((2, n), dtype=np.float32)
        fit = (
            -0.35
            + 0.75 * noise[0]
            + 0.45 * births["existing"]
            + 0.3 * births["lead_quality"]
            - 0.1 * births["size"]
            + SOURCE_FIT[births["source"]]
        )
        return {
            "fit": fit.astype(np.float32),
            "usage": (-0.5 + 0.4 * fit + 0.3 * noise[1]).astype(np.float32),
            "keen": rng.gamma(2.5, 1 / 2.5, n).astype(np.float32),
            "fickle": rng.gamma(3.0, 1 / 3.0, n).astype(np.float32),
            "quoted": np.full(n, NOT_QUOTED, dtype=np.int16),
        }

    def step(self, deals: Columns, tide: Tide, rng: np.random.Generator) -> Array:
        """Move all deals by a workday, in place; what the day brought to each, shape (n_deals,)."""
        usage, n = deals["usage"], len(deals["usage"])
        pace = PACE[deals["segment"]] * np.float32(tide.pace)
        usage += 0.06 * pace * (deals["fit"] - usage)
        usage += 0.2 * np.sqrt(pace) * rng.standard_normal(n, dtype=np.float32)
        self._adoption(deals, pace, rng)
        lift = np.exp((SHOCK * tide.shock + MOOD * tide.mood) / 2).astype(np.float32)
        lift = lift * np.exp(tide.skill[deals["desk"]])
        brought = np.full(n, NOTHING, dtype=np.int8)
        luck = rng.random((2, n), dtype=np.float32)
        self._end_trials(deals, tide, pace, lift, luck[0], brought)
        self._pay(deals, tide, pace, lift, luck[1], brought)
        return brought

    def _adoption(self, deals: Columns, pace: Array, rng: np.random.Generator) -> None:
        """Teams adopt the product, which also adds seats, or abandon it."""
        luck = rng.random(len(pace), dtype=np.float32)
        joins = np.flatnonzero(luck < 0.009 * pace)
        leaves = np.flatnonzero(luck > 1 - 0.009 * pace)
        deals["usage"][joins] += 0.7
        deals["usage"][leaves] -= 0.8
        deals["amount"][joins] *= 1 + 0.15 * rng.random(len(joins))

    def _end_trials(self, deals: Columns, tide: Tide, pace: Array, lift: Array, luck: Array, brought: Array) -> None:
        """Churn, most of all when the trial runs out; competitors; silence."""
        usage, age = deals["usage"], tide.day - deals["born"]
        spike = np.where((age >= 28) & (age <= 35) & (deals["quoted"] < 0), TRIAL_END_FACTOR, 1.0)
        churn = CHURN_RATE * pace * deals["fickle"] * np.exp(-0.9 * usage) * spike / np.sqrt(lift)
        brought[luck < np.minimum(churn, 0.4)] = FADED
        brought[(luck > 0.5) & (luck < 0.5 + COMPETITOR_STRIKES)] = COMPETITOR
        silence = SILENCE * np.exp(-0.4 * usage)
        brought[(luck > 0.6) & (luck < 0.6 + silence) & (deals["quoted"] < 0)] = FELL_SILENT

    def _pay(self, deals: Columns, tide: Tide, pace: Array, lift: Array, luck: Array, brought: Array) -> None:
        """Ask for a quote, then pay; some pay by card without a quote."""
        usage, quoted = deals["usage"], deals["quoted"]
        waiting = np.maximum(quoted, 0) + 0.5
        rising = PAY_SHAPE / PAY_SCALE * (waiting / PAY_SCALE) ** (PAY_SHAPE - 1)
        clock = np.where(quoted >= 0, rising * np.exp(0.8 * usage), UNQUOTED * QUOTE_RATE * np.exp(1.2 * usage))
        pays = clock * pace * deals["keen"] * lift * month_rush(tide.left_in_month)
        brought[(luck < np.minimum(pays, 0.5)) & (brought == NOTHING)] = WON
        asks = QUOTE_RATE * pace * deals["keen"] * lift * np.exp(1.2 * usage)
        asking = (quoted < 0) & (luck > 1 - np.minimum(asks, 0.4))
        withdrawn = (quoted >= 0) & (usage < -1.0)
        quoted[quoted >= 0] += 1
        quoted[asking] = 0
        quoted[withdrawn] = NOT_QUOTED

    def revive(self, deals: Columns, rows: Array) -> None:
        """Give reopened deals another chance, in place."""
        deals["usage"][rows] = 0.4
        deals["quoted"][rows] = NOT_QUOTED

    def readiness(self, deals: Columns) -> Array:
        """How near to signing the buyer is: about 0 at the start, 1 at signing, shape (n_deals,)."""
        quoted = deals["quoted"] >= 0
        ready: Array = np.where(quoted, 0.95 + 0.1 * deals["usage"], 0.45 + 0.35 * deals["usage"])
        return ready

    def signing(self, deals: Columns) -> Array:
        """Whether the buyer has agreed and only formalities are left, shape (n_deals,)."""
        signing: Array = deals["quoted"] >= 0
        return signing


def month_rush(workdays_left: int) -> float:
    """How much faster payments come as the month ends."""
    if workdays_left <= 1:
        return 2.4
    return 1.5 if workdays_left <= 4 else 0.85
