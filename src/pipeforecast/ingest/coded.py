"""Columns of text that hold few distinct texts: each text once, and a code a row, so that a text is judged once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TEXT_TYPE = pd.StringDtype("pyarrow")
#: Rows that are looked at to tell whether a column repeats itself, and the most distinct texts that are worth codes.
_LOOKED_AT, _MOST_LEVELS = 10_000, 100_000


def coded(table: pa.Table) -> pd.DataFrame:
    """Make a frame of a table of text, trimmed: columns that repeat themselves become categories, the others text."""
    columns = {str(name): _column(values) for name, values in zip(table.column_names, table.columns, strict=True)}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _column(values: pa.ChunkedArray) -> pd.Series:
    whole = values.combine_chunks()
    if _repeats(whole):
        short = whole.dictionary_encode()
        if len(short.dictionary) <= _MOST_LEVELS:
            codes = short.indices.fill_null(-1).to_numpy()
            new, levels = pd.factorize(pd.array(trimmed(short.dictionary), dtype=TEXT_TYPE))
            return _of_codes(np.append(new, -1)[codes], levels)
    return pd.Series(pd.array(trimmed(whole), dtype=TEXT_TYPE))


def _of_codes(codes: np.ndarray, levels: Any, index: pd.Index | None = None) -> pd.Series:
    categories: Any = pd.Index(levels)
    return pd.Series(pd.Categorical.from_codes(codes, categories=categories, validate=False), index=index)


def trimmed(text: Any) -> Any:
    """Cut white space off both ends of each text."""
    return pc.utf8_trim_whitespace(text)


def arrow(text: pd.Series) -> pa.ChunkedArray:
    """Give a column of text, without codes, as Arrow holds it."""
    return pa.chunked_array(text.array.__arrow_array__())


def _repeats(values: pa.Array) -> bool:
    """Tell from rows all over a column whether its texts, but for empty ones, come twice and more on average."""
    n = len(values)
    some = values.take(pa.array(np.arange(0, n, max(1, n // _LOOKED_AT)))) if n > _LOOKED_AT else values
    told = some.filter(pc.not_equal(some, ""))
    return bool(2 * pc.count_distinct(told).as_py() <= max(len(told), 1))


def is_coded(text: pd.Series) -> bool:
    """Tell whether a column holds codes."""
    return isinstance(text.dtype, pd.CategoricalDtype)


def decoded(text: pd.Series) -> pd.Series:
    """Give a column as text."""
    if not is_coded(text):
        return text.astype("string")
    return spread(pd.Series(text.cat.categories.array, dtype="string"), text.cat.codes.to_numpy(), text.index)


def distinct(text: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Give the code of each row (−1 where it is missing), and the texts in the order of their first rows.

    The index of the texts is that of their first rows.
    """
    n = len(text)
    if is_coded(text):
        levels = text.cat.categories.array
        codes = np.asarray(text.cat.codes, dtype="int64")
    else:
        codes, levels = pd.factorize(text, use_na_sentinel=True)
    first = np.full(len(levels) + 1, n)  # the last entry is that of missing texts
    first[codes[::-1]] = np.arange(n - 1, -1, -1)  # the earliest is assigned last
    used = np.flatnonzero(first[:-1] < n)
    used = used[np.argsort(first[used])]
    new = np.full(len(levels) + 1, -1)
    new[used] = np.arange(len(used))
    return new[codes], pd.Series(levels.take(used), dtype="string").set_axis(text.index.take(first[used]))


def spread(values: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    """Give each row the value of its code, missing where that is −1."""
    if values.dtype == bool:
        values = values.astype("boolean")
    return pd.Series(values.array.take(codes, allow_fill=True), index=index)


def blanked(text: pd.Series, missing: Collection[str]) -> pd.Series:
    """Set the texts missing that mean so: mostly the empty one."""
    if is_coded(text):
        levels = text.cat.categories
        return text.cat.remove_categories(levels[levels.isin(missing)])
    if list(missing) != [""]:
        none = text.isin(missing).to_numpy(dtype=bool)
        return text.mask(none) if none.any() else text
    held = arrow(text)
    none = pc.equal(pc.binary_length(held), 0)
    return (
        pd.Series(pd.array(pc.if_else(none, None, held), dtype=text.dtype), text.index)
        if pc.any(none).as_py()
        else text
    )


def each(text: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Apply a function of single texts, once for each distinct text where a column holds codes."""
    if not is_coded(text):
        return function(text)
    codes, texts = distinct(text)
    return spread(function(texts), codes, text.index)


def recoded(text: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Turn each text into another or none, and keep the codes of a column that has them."""
    if not is_coded(text):
        return function(text)
    codes, texts = distinct(text)
    new, levels = pd.factorize(function(texts).astype("string"), use_na_sentinel=True)
    return _of_codes(np.append(new, -1)[codes], levels, text.index)


def positions(values: pd.Series, among: pd.Series) -> np.ndarray:
    """Give the place of each text among distinct ones, −1 where it is missing or not there."""
    if is_coded(values):
        codes, texts = distinct(values)
        return np.asarray(np.append(positions(texts, among), -1)[codes])
    known = pa.array(among.astype("string").array).cast(pa.large_string())
    found = pc.index_in(arrow(values.astype("string")), value_set=known)
    return np.asarray(found.fill_null(-1).to_numpy(), dtype="int64")
