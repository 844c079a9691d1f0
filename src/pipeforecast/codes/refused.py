"""What is refused with one clear message, because any reading of it would be a guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A defect that stops reading: what it is, a part of the message, what to do."""

    defect: str
    says: str
    advice: str


REFUSALS = (
    Refusal("A file or column that a mapping needs is not there", "has no column", "the message names what is near it"),
    Refusal("A stage that is not in the list, or was renamed", "are not known; known are",
            "add it to crm.stages, or give it its new name with values"),
    Refusal("A status that is neither open, won nor lost", "is not known; say under crm.status",
            "map the words with values"),
    Refusal("Dates of several formats in one column, or text among them", "are no dates in",
            "set dates.formats, or list the text under missing"),
    Refusal("Dates that day-first and month-first both fit", "nothing in the column decides",
            "set dates.order to day_first or month_first"),
    Refusal("Text among numbers", "are no numbers", "set numbers.decimal and numbers.thousands, or missing"),
    Refusal("A currency without a rate", "no rate for", "add earlier rows to the table of rates"),
    Refusal("Several currencies and no table of rates", "deals have the currencies", "set crm.currency and give rates"),
    Refusal("A file that is empty, broken, or has one column twice", "cannot be read, is empty, more than once",
            "export it again"),
)  # fmt: skip
