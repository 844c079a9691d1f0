"""How companies forecast today, by hand: the rules that every model has to beat, under the same protocol.

W is what was won in the period by as_of; O the open deals; x a deal's listed amount (missing: the median won amount of
its segment); e its expected close as known at as_of; E the period's end; k the day of the period; the past is the
periods complete by as_of, at most eight. A rule that the past cannot feed says NaN, and never nought.
"""

from __future__ import annotations

from pipeforecast.errors import SettingsError, some
from pipeforecast.rules.deals import CATEGORIES, COVERAGE, CRM_PROBABILITY, STAGES, FittedRule, Rule
from pipeforecast.rules.money import listed_amounts, past_new_business
from pipeforecast.rules.pace import CHAIN_LADDER, RUN_RATE, VELOCITY
from pipeforecast.rules.past import PAST_RULES
from pipeforecast.rules.people import CALLS, Call, FittedCall
from pipeforecast.rules.terms import Terms, terms_of
from pipeforecast.rules.totals import FittedTotal, TotalRule

AnyRule = Rule | TotalRule | Call

_IN_ORDER: tuple[AnyRule, ...] = (
    *CRM_PROBABILITY, *STAGES, *CATEGORIES, *CALLS, *COVERAGE, VELOCITY, RUN_RATE, *PAST_RULES, CHAIN_LADDER
)  # fmt: skip
#: Every rule by its name, in the order in which they are told.
RULES: dict[str, AnyRule] = {r.name: r for r in _IN_ORDER}
#: Variants to look at beside others, which no company forecasts by: none of them is ever the best rule.
NEVER_ALONE = frozenset({"stage_rate_all_dates", "stage_rate_all_dates+new"})


def rule(name: str) -> AnyRule:
    """Give the rule called ``name``.

    Raises
    ------
    SettingsError
        If there is no such rule.
    """
    if name not in RULES:
        raise SettingsError(f"rules: {name!r} is not a rule; expected {some(RULES, len(RULES))}")
    return RULES[name]


__all__ = [
    "NEVER_ALONE", "RULES", "AnyRule", "Call", "FittedCall", "FittedRule", "FittedTotal", "Rule", "Terms", "TotalRule",
    "listed_amounts", "past_new_business", "rule", "terms_of",
]  # fmt: skip
