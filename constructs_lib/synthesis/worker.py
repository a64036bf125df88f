"""A process that writes one manifest per line of its standard input. `workers.py` starts it."""

import json
import sys

from constructs_lib.charts import write
from constructs_lib.errors import PropsError
from constructs_lib.inputs import KINDS


def main() -> None:
    """Read a folder, then per line an input as its kind and its JSON; answer each with JSON.

    The answer has an `error` if a property is wrong.

    It ends when standard input is closed, so it does not survive the process that started it.
    """
    outdir = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        answer = {}
        try:
            kind, text = json.loads(line)
            write(KINDS[kind].model_validate_json(text), outdir)
        except PropsError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the protocol
