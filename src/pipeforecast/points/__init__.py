"""The points card: learned from leads, whole points, few rows, exported to tools that score leads by rules."""

from pipeforecast.points.card import CardRow, PointsCard
from pipeforecast.points.grades import Grades
from pipeforecast.points.learn import CardRecipe, OutOfFold, out_of_fold
from pipeforecast.points.saved import SavedThreshold, path_of, read_threshold, write_threshold

__all__ = [
    "CardRecipe", "CardRow", "Grades", "OutOfFold", "PointsCard", "SavedThreshold", "out_of_fold", "path_of",
    "read_threshold", "write_threshold",
]  # fmt: skip
