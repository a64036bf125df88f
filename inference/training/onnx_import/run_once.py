"""`python -m inference.training.onnx_import.run_once BYTES FOLDER`: run a model on its test vector in its own process.

FOLDER holds `model.onnx` and a question; the answer is written beside them. The process does what a pod does when it
loads a model and answers a request of 1,000 rows, so its peak memory is what a pod needs for one. A dimension that
varies, other than the rows, is 1 here: longer rows need more.
"""

import gc
import sys
from pathlib import Path

import msgspec

from inference.errors import ConversionError, excerpt
from inference.model.manifest import ONNX_FILE
from inference.model.signature import Cell, TensorSignature
from inference.training.child import limit_memory

QUESTION: str = "question.json"
ANSWER: str = "answer.json"


class Question(msgspec.Struct):
    """Inputs of `rows` rows, flat, by name; `most_rows` is the largest request whose memory is measured."""

    inputs: tuple[TensorSignature, ...]
    values: dict[str, list[Cell]]
    rows: int
    most_rows: int


class Output(msgspec.Struct):
    """An output that was found: its datatype, the shape for the question's rows, and the elements."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Cell | None]


class Run(msgspec.Struct):
    """What running the model gave, and how many bytes the process grew at most."""

    outputs: list[Output]
    memory_bytes: int
    runtime: str


def main(arguments: list[str]) -> int:
    """Run, measure, and write; 1 if that is not possible."""
    limit_memory(arguments[0])
    folder = Path(arguments[1])
    question = msgspec.json.decode((folder / QUESTION).read_bytes(), type=Question)
    gc.collect()
    before = _memory("VmRSS")
    try:
        from inference.model import onnx_model  # noqa: PLC0415 - its memory is measured

        found = _run(folder, question)
    except ModuleNotFoundError:
        print("error: importing an ONNX model needs the extra 'onnx': pip install 'tenantry[onnx]'", file=sys.stderr)  # noqa: T201
        return 1
    except BaseException as error:  # noqa: BLE001 - a hostile file may raise anything
        print(f"error: {excerpt(error)}", file=sys.stderr)  # noqa: T201 - the protocol of this program
        return 1
    run = Run(found, max(_memory("VmHWM") - before, 1), onnx_model.RUNTIME_VERSION)
    (folder / ANSWER).write_bytes(msgspec.json.encode(run))
    return 0


def _run(folder: Path, question: Question) -> list[Output]:
    import numpy as np  # noqa: PLC0415 - its memory is measured

    from inference.model.onnx_model import DTYPES, RUNTIME_TYPES, open_session  # noqa: PLC0415

    session = open_session((folder / ONNX_FILE).read_bytes())
    inputs = {
        spec.name: np.array(question.values[spec.name], DTYPES[spec.datatype]).reshape(
            question.rows, *(max(size, 1) for size in spec.row_shape)
        )
        for spec in question.inputs
    }
    try:
        answers = session.run(None, inputs)
    except Exception as error:
        raise ConversionError(
            f"does not run on its test vector; give rows on which it works with --baseline FILE: {excerpt(error)}"
        ) from error
    many = {name: np.resize(each, (question.most_rows, *each.shape[1:])) for name, each in inputs.items()}
    for declared, answer in zip(session.get_outputs(), session.run(None, many), strict=True):
        if not answer.shape or answer.shape[0] != question.most_rows:
            raise ConversionError(
                f"output '{excerpt(declared.name)}' has shape {list(answer.shape)} for {question.most_rows} rows; its"
                " first dimension must be the number of rows"
            )
    return [
        Output(declared.name, RUNTIME_TYPES.get(declared.type, declared.type), list(answer.shape), _cells(answer))
        for declared, answer in zip(session.get_outputs(), answers, strict=True)
    ]


def _cells(answer: "object") -> list[Cell | None]:
    return answer.ravel().tolist()  # type: ignore[attr-defined, no-any-return]


def _memory(field: str) -> int:
    """Bytes of resident memory: now (VmRSS), or at most until now (VmHWM)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:  # not Linux: the most until now, in bytes
        import resource  # noqa: PLC0415

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
