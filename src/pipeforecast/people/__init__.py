"""People: what each layer's judgement adds to the one below, and whether a person closes above or below own calls."""

from __future__ import annotations

from pipeforecast.people.added import no_value_added, value_added
from pipeforecast.people.bias import biases, judged
from pipeforecast.people.called import called_and_closed
from pipeforecast.people.latest import latest_calls
from pipeforecast.people.names import without_names
from pipeforecast.people.words import bias_words, value_sentence

__all__ = [
    "bias_words", "biases", "called_and_closed", "judged", "latest_calls", "no_value_added", "value_added",
    "value_sentence", "without_names",
]  # fmt: skip
