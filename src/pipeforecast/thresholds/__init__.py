"""Thresholds: from which score on a lead is handed to sales, under what a contact costs and a conversion brings."""

from pipeforecast.thresholds.explore import read_log
from pipeforecast.thresholds.said import findings_of
from pipeforecast.thresholds.study import ALL, SCALES, Asked, Study
from pipeforecast.thresholds.terms import Terms
from pipeforecast.thresholds.work import studied

__all__ = ["ALL", "SCALES", "Asked", "Study", "Terms", "findings_of", "read_log", "studied"]
