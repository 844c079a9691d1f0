"""Where keys of one table stand in another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def place_of(known: pd.Series, asked: pd.Series) -> np.ndarray:
    """Place in ``known`` (its first) of each value of ``asked``; −1 where it is not there or missing.

    By Arrow: pandas makes an object of every string first.
    """
    places = pc.index_in(_strings(asked), value_set=_strings(known), skip_nulls=True)
    return np.asarray(places.fill_null(-1).to_numpy(zero_copy_only=False), dtype="int64")


def _strings(values: pd.Series) -> pa.Array:
    made = pa.array(values.astype("string"), from_pandas=True)
    whole = made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made
    return whole.cast(pa.large_string())
