"""Which column was true on every past day, whose past is known, and which is only today's."""

from __future__ import annotations

import pandas as pd

from pipeforecast.contract import Role
from pipeforecast.expressions import Constant
from pipeforecast.ingest.pasts import Log
from pipeforecast.mapping import CrmMapping

#: Fixed at creation by what they are.
_ALWAYS_BIRTH = ("deal_id", "created_at")


def roles_of(mapping: CrmMapping, deals: pd.DataFrame, log: Log) -> dict[str, Role]:
    """Give every column of the deals its role.

    A log comes before a declared birth fact (its past is known better), and ``roles.today`` before both.
    Constants of the mapping are birth facts.
    """
    expressions = mapping.deals.expressions()
    tracked = {*log.tracked, *(["expected_close"] if "close_date" in log.tracked else [])}
    out: dict[str, Role] = {}
    for name in (str(c) for c in deals.columns):
        if name in mapping.roles.today:
            out[name] = "today"
        elif name in tracked:
            out[name] = "tracked"
        elif name in (*_ALWAYS_BIRTH, *mapping.roles.birth) or isinstance(expressions.get(name), Constant):
            out[name] = "birth"
        else:
            out[name] = "today"
    return out
