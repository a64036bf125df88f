"""Labelled texts from where a user has them, and the checks before a model is made of them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from inference import contract
from tenantry.errors import InputError

if TYPE_CHECKING:
    from inference.training.corpus import Row
    from inference.training.reading import Reading

BUCKET: Final = f"s3://{contract.DATASETS_BUCKET}/"
_MAX_DATA_BYTES: Final = 2**32


def check_destination(name: str, output: Path) -> None:
    """Refuse a name or a folder that a model cannot have, before the work that makes the model."""
    from inference.address import check_name
    from inference.errors import ArtifactError
    from inference.model.artifact import check_output

    try:
        check_name(name)
    except ValueError as error:
        raise InputError(f"--name {name}: {error}") from error
    try:
        check_output(output)
    except ArtifactError as error:
        raise InputError(f"--output {output}: {error}") from error


def read_labelled(data: str, reading: "Reading") -> "tuple[list[Row], str]":
    """The labelled texts of a file, of standard input or of an object in the bucket for data, and the source's name."""
    from inference.store.bucket import Bucket
    from inference.training.reading import parse, read_file

    if data == "-":
        return parse(sys.stdin.buffer.read(), "standard input", reading), "standard input"
    if "://" not in data:
        return read_file(Path(data), reading), Path(data).name
    key = urlsplit(data).path.lstrip("/")
    if not data.startswith(BUCKET) or not key:
        raise InputError(f"--data {data}: data is read from a file, from {BUCKET}KEY, or from - (standard input)")
    content = Bucket.open(contract.DATASETS_BUCKET).get(key, max_bytes=_MAX_DATA_BYTES)
    return parse(content, data, reading), Path(key).name
