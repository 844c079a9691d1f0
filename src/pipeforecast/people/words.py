"""Shares and counts in words."""

from __future__ import annotations


def percent(share: float) -> str:
    """Give a share in whole percent: ``18 %``."""
    return f"{round(100 * share)} %"


def counted(n: int, thing: str) -> str:
    """Give a number of things: ``1 period``, ``12 periods``."""
    return f"{n} {thing}{'' if n == 1 else 's'}"
