"""What no verb can read past, not even ``check``: one clear message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A defect that stops reading: what it is, a part of the message, what to do."""

    defect: str
    says: str
    advice: str


REFUSALS = (
    Refusal("The file of the deals, or the source, is not there", "is expected in, there is no",
            "the message names what there is; set crm.deals.files"),
    Refusal("The deals' file is empty, broken, or has one column twice", "cannot be read, is empty, more than once",
            "export it again"),
    Refusal("The deals' file is a header alone, or none of its rows can be used", "at least one deal, can be used",
            "export it with its rows; the message names the reasons"),
    Refusal("A column by which open, won and lost are told is not there", "has no column",
            "the message names what is near it; set crm.status"),
)  # fmt: skip
