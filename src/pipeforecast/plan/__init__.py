"""Planning backwards: from a target to the wins, opportunities, leads and contacts that it asks for."""

from pipeforecast.plan.backwards import PLAN_COLUMNS, Goal, latest_day, plan_rows, rate_rows
from pipeforecast.plan.past import Past, of_type, past_of
from pipeforecast.plan.rates import Rate, rates_of

__all__ = [
    "PLAN_COLUMNS",
    "Goal",
    "Past",
    "Rate",
    "latest_day",
    "of_type",
    "past_of",
    "plan_rows",
    "rate_rows",
    "rates_of",
]
