"""Identifiers, dates and labels as compact columns of strings."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeforecast.demo.columns import Array

ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
CHECK = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", dtype=np.uint8)
CHUNK = 1_000_000


def strings(values: Any) -> ExtensionArray:
    """A compact column of strings."""
    column: ExtensionArray = pd.array(values, dtype="str")
    return column


def pick(labels: tuple[str, ...] | list[str], codes: Array) -> ExtensionArray:
    """Labels by code; a negative code is missing."""
    return strings(list(labels)).take(np.asarray(codes, dtype=np.int64), allow_fill=True)


def choose(labels: ExtensionArray, rows: Array) -> ExtensionArray:
    """Rows of a column of strings; a negative row is missing."""
    return labels.take(np.asarray(rows, dtype=np.int64), allow_fill=True)


def identifiers(prefix: str, instance: int, count: int) -> ExtensionArray:
    """Unique 18-character ids: 3 for the table, 5 for the company, 7 counted, 3 to check upper and lower case.

    Parameters
    ----------
    prefix : str
        Three characters, such as ``006``.
    instance : int
        Keeps companies apart; used modulo 62**5.
    """
    parts = [
        _identifiers(prefix, instance, np.arange(start, min(start + CHUNK, count)))
        for start in range(0, max(count, 1), CHUNK)
    ]
    return strings(np.concatenate(parts))


def _identifiers(prefix: str, instance: int, number: Array) -> Array:
    text = np.empty((len(number), 18), dtype=np.uint8)
    text[:, :3] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    for place in range(5):
        text[:, 7 - place] = ALPHABET[instance // 62**place % 62]
    for place in range(7):
        text[:, 14 - place] = ALPHABET[number // 62**place % 62]
    upper = (text[:, :15] >= ord("A")) & (text[:, :15] <= ord("Z"))
    for group in range(3):
        bits = upper[:, 5 * group : 5 * group + 5] @ (1 << np.arange(5))
        text[:, 15 + group] = CHECK[bits]
    found: Array = text.view("S18").ravel().astype("U18")
    return found


def days(start: date, day: Array) -> ExtensionArray:
    """Dates as ``YYYY-MM-DD``; a day below -5000 is missing."""
    day = np.asarray(day, dtype=np.int64)
    lowest = -5000
    table = np.datetime64(start, "D") + np.arange(lowest, max(int(day.max(initial=0)), 0) + 1)
    return strings(np.datetime_as_string(table)).take(np.where(day < lowest, -1, day - lowest), allow_fill=True)


def stamps(start: date, day: Array, second: Array) -> ExtensionArray:
    """Moments as ``YYYY-MM-DDTHH:MM:SSZ``; a day below -5000 is missing."""
    day, parts = np.asarray(day, dtype=np.int64), []
    for at in range(0, max(len(day), 1), CHUNK):
        piece = slice(at, at + CHUNK)
        moment = np.datetime64(start, "s") + (np.maximum(day[piece], -5000) * 86400 + second[piece])
        parts.append(strings(np.char.add(np.datetime_as_string(moment, unit="s"), "Z")))
    written = parts[0] if len(parts) == 1 else pd.concat([pd.Series(part) for part in parts]).array
    missing = day < -5000
    return written.take(np.where(missing, -1, np.arange(len(day))), allow_fill=True) if missing.any() else written


def flags(values: Array) -> ExtensionArray:
    """Booleans as ``true`` and ``false``."""
    return pick(("false", "true"), values)
