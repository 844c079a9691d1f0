"""Explain: why each open deal's chance to win in the period is what it is, in words and in money."""

from pipeforecast.explain.tables import FACTOR_COLUMNS, REASON_COLUMNS, Explained, explain

__all__ = ["FACTOR_COLUMNS", "REASON_COLUMNS", "Explained", "explain"]
