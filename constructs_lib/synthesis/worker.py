"""A process that writes one manifest for each line of its standard input. `workers.py` starts it."""

import json
import sys

from constructs_lib.charts import write
from constructs_lib.errors import PropsError
from constructs_lib.inputs import TenantInput


def main() -> None:
    """Read a folder, then tenants as JSON; answer each with JSON that has an `error` if a property is wrong.

    It ends when standard input is closed, so it does not survive the process that started it.
    """
    outdir = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        answer = {}
        try:
            write(TenantInput.model_validate_json(line), outdir)
        except PropsError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the protocol
