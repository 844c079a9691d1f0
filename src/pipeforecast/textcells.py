"""Text from outside as a cell of a table that a spreadsheet opens: shown, never run as a formula."""

from __future__ import annotations

import pandas as pd

#: A cell that begins so may be run; a leading apostrophe is escaped too, so that reading back is exact.
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def shown(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet might run.

    References
    ----------
    OWASP, "CSV Injection".
    """
    return "'" + text if text.startswith(RISKY) else text


def meant(cell: str) -> str:
    """Take the apostrophe off again: the text that ``shown`` was given."""
    return cell[1:] if cell.startswith("'") else cell


def shown_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with every text of its text columns as ``shown``; numbers, days and missing values stay."""
    kinds = (pd.StringDtype, pd.CategoricalDtype)
    texts = [str(c) for c in frame if frame[c].dtype == object or isinstance(frame[c].dtype, kinds)]
    return frame.assign(**{c: frame[c].map(lambda v: shown(v) if isinstance(v, str) else v) for c in texts})
