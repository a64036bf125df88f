"""Compares the audit with a real API server, and writes what came of it as JSON.

    python -m tests.audit.api --sets 60 --asks 75 --pods 400

It needs `KUBECONFIG`. It makes namespaces, roles and bindings that begin with audit-, and deletes them. It ends with 1
where the API server decides otherwise than the audit.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import say
from tests.audit.api import permissions, pods

RESULT: Final = Path(__file__).with_name("result.json")
SEED: Final = 20


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=60, help="sets of roles and bindings (default 60)")
    parser.add_argument("--asks", type=int, default=75, help="requests per set (default 75)")
    parser.add_argument("--pods", type=int, default=400, help="pods for each level and version (default 400)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"where they come from (default {SEED})")
    parser.add_argument("--report", type=Path, default=RESULT, help="where counts go")
    chosen = parser.parse_args()
    kubectl = Kubectl.find()
    confirm(kubectl, "make namespaces, roles and bindings that begin with audit-, and delete them")
    version = json.loads(kubectl.run("get", "--raw", "/version"))["gitVersion"]
    found = {
        "kubernetes": version,
        "permissions": permissions.compare(kubectl, chosen.sets, chosen.asks, chosen.seed),
        "pods": pods.compare(kubectl, chosen.pods, chosen.seed),
    }
    chosen.report.write_text(json.dumps(found, indent=2) + "\n")
    wrong = sum(len(each["wrong"]) for each in found.values() if isinstance(each, dict))
    say(f"{wrong} decisions differ; counts are in {chosen.report}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
