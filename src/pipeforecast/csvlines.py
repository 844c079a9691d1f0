"""A table as the lines of a CSV file: each column is told whole, and a text that stands in many rows only once.

What pandas writes, byte by byte, many times as fast: it makes an object of every cell. (Only a lone carriage return is
quoted here and, until Python 3.13, not there.)
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeforecast.textcells import RISKY, shown

_DAY = "%Y-%m-%d"
_NUMBER = "%.10g"
#: Whole numbers below this are told by their digits alone.
_LARGEST_WHOLE = 1e10
#: Rows that are made into lines at once.
_AT_ONCE = 200_000
#: Texts that are not written as they are: those that a spreadsheet might run, and those that need quotes.
_ODD = f"^[{''.join(RISKY)}]".replace("+-", "+\\-") + '|[",\r\n]'


def write_lines(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame: days as days, numbers to ten digits, text as a spreadsheet shows and never runs it."""
    with path.open("wb") as file:
        file.write(_head([str(c) for c in frame]))
        for start in range(0, len(frame), _AT_ONCE):
            rows = frame.iloc[start : start + _AT_ONCE]
            cells = [_cells(rows.iloc[:, i]) for i in range(frame.shape[1])]
            lines = _joined(_joined(*cells, by=","), pa.repeat(_text(""), len(rows)), by="\n")
            _, ends, text = lines.buffers()
            first, last = np.frombuffer(ends, dtype="int64")[[lines.offset, lines.offset + len(lines)]]
            file.write(memoryview(text)[first:last])


def _head(names: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(names)
    return line.getvalue().encode()


def _joined(*cells: pa.Array, by: str) -> pa.Array:
    if len(cells) == 1:  # a line of one empty cell would look like none
        return pc.if_else(pc.equal(pc.fill_null(cells[0], ""), ""), _text('""'), cells[0])
    return pc.binary_join_element_wise(*cells, _text(by), null_handling="replace", null_replacement="")


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def _cells(column: pd.Series) -> pa.Array:
    """Tell each value of a column; missing ones as null (n,)."""
    dtype = column.dtype
    if pd.api.types.is_float_dtype(dtype):
        return _numbers(column.to_numpy(dtype="float64", na_value=np.nan))
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        return pa.array(column.to_numpy()).cast(pa.large_string())
    if pd.api.types.is_object_dtype(dtype) and pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty"):
        found = column.infer_objects()
        if not pd.api.types.is_object_dtype(found.dtype):
            return _cells(found)
        return pa.array([None if pd.isna(v) else _word(v) for v in column], pa.large_string())
    if isinstance(dtype, pd.CategoricalDtype):
        code, values = column.cat.codes.to_numpy(), dtype.categories
        if not isinstance(values.dtype, pd.StringDtype):
            return _cells(column.astype(values.dtype))
    else:
        code, values = pd.factorize(column)
    return pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), _texts(pd.Series(values))).dictionary_decode()


def _texts(values: pd.Series) -> pa.Array:
    """Tell different values, none of them missing."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pa.array(values.dt.strftime(_DAY), pa.large_string())
    if not isinstance(values.dtype, pd.StringDtype) and values.dtype != object:
        return pa.array([str(v) for v in values], pa.large_string())
    told = pa.array(values.astype("object"), pa.large_string())
    odd = pc.match_substring_regex(told, _ODD)
    if not pc.any(odd).as_py():
        return told
    return pc.replace_with_mask(told, odd, pa.array([_cell(v) for v in told.filter(odd).to_pylist()], told.type))


def _word(value: object) -> str:
    """Tell a value of a column that holds several kinds of them."""
    if isinstance(value, str):
        return _cell(value)
    return value.strftime(_DAY) if isinstance(value, datetime) else _quoted(str(value))


def _cell(text: str) -> str:
    return _quoted(shown(text))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _numbers(values: np.ndarray) -> pa.Array:
    """Tell numbers to ten digits; most of a table's are whole."""
    missing = np.isnan(values)
    whole = (np.abs(values) < _LARGEST_WHOLE) & (values == np.rint(values)) & ~((values == 0) & np.signbit(values))
    told = pa.array(np.where(whole, values, 0.0).astype("int64"), mask=missing).cast(pa.large_string())
    rest = ~whole & ~missing
    if not rest.any():
        return told
    digits = pa.array([_NUMBER % v for v in values[rest].tolist()], pa.large_string())
    return pc.replace_with_mask(told, pa.array(rest), digits)
