"""Features as a person thinks of them: several columns that tell of one thing are one factor."""

from __future__ import annotations

from collections.abc import Iterable

#: What the place of an interval against the expected close belongs to.
EXPECTED_CLOSE = "expected_close"
#: What the prior's belief in the CRM belongs to.
CRM_PROBABILITY = "crm_probability"
#: Factor of each feature that has no factor of its own name; facts of birth are factors of their own.
_FACTORS = {
    "log_days_in_stage": "time_in_stage",
    "log_moves": "stage_moves",
    "log_back": "stage_moves",
    "log_age": "age",
    "log_days_since_change": "last_change",
    "overdue": EXPECTED_CLOSE,
    "log_overdue": EXPECTED_CLOSE,
    "no_expected_close": EXPECTED_CLOSE,
    "log_pushes": "pushes",
    "log_push_days": "pushes",
    "planned_days": "planned_length",
    "log_amount": "amount",
    "amount_change": "amount",
    "log_amount_changes": "amount",
    "listed_log_odds": CRM_PROBABILITY,
    "log_touches": "activity",
    "log_touches_recent": "activity",
    "log_days_since_touch": "activity",
    "owner_wins": "owner_win_rate",
    "recent_wins": "recent_win_rate",
    "source_wins": "lead_source",
    "customer_won": "customer",
    "customer_lost": "customer",
}


def factor_of(feature: str) -> str:
    """Name the factor that a feature belongs to."""
    return _FACTORS.get(feature, feature)


def factors_of(features: Iterable[str]) -> tuple[str, ...]:
    """Name the factors of the features, each once, in the order in which they are met; the expected close is one."""
    return tuple(dict.fromkeys([EXPECTED_CLOSE, *(factor_of(f) for f in features)]))
