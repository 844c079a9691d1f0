"""Lead models: P(step within the days) as a sum of terms, chosen and recalibrated in the order of time."""

from pipeforecast.leadmodels.learners import Candidate, fit_plain
from pipeforecast.leadmodels.replay import CANDIDATES, Replay, Variant, replayed
from pipeforecast.leadmodels.rows import LeadRows, in_sequence
from pipeforecast.leadmodels.terms import LeadModel, Term

__all__ = [
    "CANDIDATES", "Candidate", "LeadModel", "LeadRows", "Replay", "Term", "Variant", "fit_plain", "in_sequence",
    "replayed",
]  # fmt: skip
