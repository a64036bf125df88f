"""The rows of a Parquet file, with the reader of the extra `parquet`."""

import io
from collections.abc import Iterator
from typing import Any, Final

from inference.errors import excerpt
from inference.training.corpus import DataError

_MAGIC: Final = b"PAR1"


def read_columns(content: bytes, source: str, columns: tuple[str, str]) -> Iterator[tuple[int, Any, Any]]:
    """The number of each row, from 1, and its values of the two `columns`.

    Raises:
        DataError: the extra is not installed, or the content is not a Parquet file with these columns.
    """
    try:
        from arro3.io import read_parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DataError(f"{source}: Parquet needs an extra: pip install 'tenantry[parquet]'") from error
    if not content.startswith(_MAGIC) or not content.endswith(_MAGIC):
        raise DataError(f"{source}: not a Parquet file, or not all of it")
    try:
        reader: Any = read_parquet(io.BytesIO(content))
        _check_columns(source, list(reader.schema.names), columns)
        row = 0
        for batch in reader:
            values = ((value.as_py() for value in batch[name]) for name in columns)
            for row, (first, second) in enumerate(zip(*values, strict=True), start=row + 1):  # noqa: B020 - it goes on
                yield row, first, second
    except (DataError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # what this library raises for a damaged file is not an Exception
        raise DataError(f"{source}: the Parquet file cannot be read: {excerpt(error)}") from error


def _check_columns(source: str, found: list[str], expected: tuple[str, str]) -> None:
    for name in expected:
        if name not in found:
            names = excerpt(", ".join(map(repr, found))) or "none"
            raise DataError(
                f"{source}: no column {name!r}; the columns are {names}; name yours with --text and --label"
            )
