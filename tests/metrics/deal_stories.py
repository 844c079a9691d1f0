"""Small companies of deals, and the figures that the catalogue tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from lead_stories import QUARTERS, history, window

from pipeforecast.history import DealHistory
from pipeforecast.metrics import View, view_of
from pipeforecast.metrics.choices import Choices
from stories import Deal, deal


def won(name: str, created: str, closed: str, amount: float | None, stage: str = "Talk", **facts: Any) -> Deal:
    return _closed("won", name, created, closed, amount, stage, **facts)


def lost(name: str, created: str, closed: str, amount: float | None, stage: str = "Talk", **facts: Any) -> Deal:
    return _closed("lost", name, created, closed, amount, stage, **facts)


def _closed(how: str, name: str, created: str, closed: str, amount: float | None, stage: str, **facts: Any) -> Deal:
    state = {"stage": stage, "amount": amount, "owner": facts.pop("owner", None)}
    return deal(name, (created, state), (closed, {"status": how}), **facts)


def opened(name: str, created: str, amount: float | None, stage: str = "Talk", **facts: Any) -> Deal:
    state = {"stage": stage, "amount": amount}
    state |= {k: facts.pop(k) for k in ("owner", "expected_close", "probability", "forecast_category") if k in facts}
    return deal(name, (created, state), **facts)


def seen(
    deals: Sequence[Deal], *periods: str, until: str = "2024-06-30", by: Sequence[str] = (), as_of: str | None = None,
    stages: Mapping[str, Any] | None = None, choices: Choices | None = None, **tables: Any,
) -> View:  # fmt: skip
    """Look at these deals; ``stages`` are further columns of the stages."""
    made = history(deals, until, **tables)
    if stages:
        made = replace(made, stages=made.stages.assign(**stages))
    return at(made, *periods, by=by, as_of=as_of, choices=choices)


def at(
    company: DealHistory,
    *periods: str,
    by: Sequence[str] = (),
    as_of: str | None = None,
    choices: Choices | None = None,
) -> View:
    day = pd.Timestamp(as_of) if as_of else company.written_until
    return view_of(company, QUARTERS, day, [window(p) for p in periods or ("2024Q2",)], by, choices)
