"""How large a packed file is when unpacked, told before it is read: one made for the purpose fills any memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipeforecast.errors import DataError

#: Bytes that a packed file may unpack to. The largest table of a made-up company of a million deals has 0.8 GB as CSV.
MOST_BYTES = 4 * 2**30
_CHUNK = 2**20
_GZIP, _RAW = 16 + zlib.MAX_WBITS, -zlib.MAX_WBITS


def refuse_swollen(path: Path, most: int = MOST_BYTES) -> None:
    """Refuse a file that unpacks to more than ``most`` bytes; what a file says of itself is not believed.

    Parameters
    ----------
    path : Path
        Of any kind; one that is not packed passes, as does a broken one, of which its reader tells.
    most : int

    Raises
    ------
    DataError
        It names the limit and the way round it.
    """
    ending, size = path.suffix.casefold(), 0
    if ending == ".gz":
        sizes = _of_gzip(path)
    elif ending in (".xlsx", ".xlsm", ".xlsb", ".ods") and zipfile.is_zipfile(path):
        sizes = _of_zip(path)
    elif ending == ".parquet":
        sizes = _of_parquet(path)
    else:
        return
    for part in sizes:
        size += part
        if size > most:
            raise DataError(
                f"{path.name}: expected at most {most / 2**30:g} GiB when unpacked, came more; if meant, unpack "
                "it and give the plain CSV, which has no limit"
            )


def _inflated(stream: Iterator[bytes], wbits: int) -> Iterator[int]:
    """Give the sizes of the pieces of what is packed, holding one at a time; a broken end ends it."""
    inflate = zlib.decompressobj(wbits)
    try:
        for data in stream:
            while data:
                yield len(inflate.decompress(data, _CHUNK))
                data = inflate.unconsumed_tail
                if inflate.eof:  # a file may hold several members, one after the other
                    data, inflate = inflate.unused_data, zlib.decompressobj(wbits)
    except zlib.error:
        return


def _read(path: Path, start: int = 0, size: int | None = None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = path.stat().st_size if size is None else size
        while left > 0 and (data := file.read(min(left, _CHUNK))):
            left -= len(data)
            yield data


def _of_gzip(path: Path) -> Iterator[int]:
    return _inflated(_read(path), _GZIP)


def _of_zip(path: Path) -> Iterator[int]:
    """Give the sizes of a workbook's parts, by unpacking them."""
    try:
        with zipfile.ZipFile(path) as book:
            parts = book.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return
    for part in parts:
        if part.compress_type != zipfile.ZIP_DEFLATED:
            yield part.compress_size
            continue
        with path.open("rb") as file:  # the length of a part's name is told beside it, and may differ from the list's
            file.seek(part.header_offset + 26)
            name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
        yield from _inflated(_read(path, part.header_offset + 30 + name + extra, part.compress_size), _RAW)


def _of_parquet(path: Path) -> Iterator[int]:
    """Give the sizes of a Parquet file's row groups; each cell becomes text of a byte or more."""
    try:
        told = pq.ParquetFile(path).metadata
    except (OSError, ValueError):  # ArrowInvalid is a ValueError
        return
    for i in range(told.num_row_groups):
        group = told.row_group(i)
        yield max(group.total_byte_size, group.num_rows * group.num_columns)
