"""`python -m inference.training.onnx_import.inspect_file BYTES FILE FOLDER`: check an ONNX file in its own process.

Writes the model with all its data as `model.onnx`, and its description, into FOLDER.
"""

import sys
from pathlib import Path

import msgspec

from inference.errors import ConversionError, excerpt
from inference.model.manifest import ONNX_FILE
from inference.training.child import limit_memory

DESCRIPTION: str = "description.json"


def main(arguments: list[str]) -> int:
    """Check, describe, and write; 1 if that is not possible."""
    memory, path, folder = arguments[0], Path(arguments[1]), Path(arguments[2])
    limit_memory(memory)
    try:
        from inference.training.onnx_import import description, graph  # noqa: PLC0415 - below the memory limit

        model = graph.load_whole(path)
        labels = description.read_labels(model)
        description.replace_zip_maps(model)
        described = description.describe(model, labels)
        (folder / ONNX_FILE).write_bytes(model.SerializeToString(deterministic=True))
        (folder / DESCRIPTION).write_bytes(msgspec.json.encode(described))
    except ConversionError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the protocol of this program
        return 1
    except ModuleNotFoundError:
        print("error: importing an ONNX model needs the extra 'onnx': pip install 'tenantry[onnx]'", file=sys.stderr)  # noqa: T201
        return 1
    except BaseException as error:  # noqa: BLE001 - a hostile file may raise anything
        print(f"error: cannot be read: {excerpt(repr(error))}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
