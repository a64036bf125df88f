"""Compares the audit with a live cluster, and writes what came of it as JSON.

    python -m tests.audit.live --sets 200 --image python:3.11-slim

It needs `KUBECONFIG`, and on the nodes an image with Python. It makes the namespaces audit-red, audit-blue and
audit-grey, and deletes them at the end. It ends with 1 where the network did otherwise than the audit said.
"""

import argparse
import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import say
from tests.audit.live.comparison import Compared, Network, compare, show_that_everything_is_open
from tests.audit.live.faults import FAULTS
from tests.audit.live.pods import NAMESPACES
from tests.audit.live.probes import Agents
from tests.audit.live.sets import SEED, policy_sets
from tests.e2e.cluster import LiveCluster

RESULT = Path(__file__).with_name("result.json")
FAULT_SECONDS = 15
"""A fault that is there shows for as long as one looks."""


def run(network: Network, number: int, seed: int) -> tuple[list[Compared], dict[str, list[str]]]:
    """Compare so many policy sets, and look for the known faults of the network engine."""
    compared = []
    with Agents(network.cluster) as agents:
        show_that_everything_is_open(network, agents)
        for index, policies in enumerate(policy_sets(number, seed), 1):
            found = compare(network, agents, policies)
            compared.append(found)
            what = "a fault of the network engine" if found.shows_a_fault else f"{len(found.wrong())} wrong"
            say(f"set {index} of {number}: {found.seconds:.1f} s, {what}")
        faults = {
            fault.behaviour: compare(network, agents, fault.policies, seconds=FAULT_SECONDS, as_drawn=True).wrong()
            for fault in FAULTS
        }
    return compared, faults


def report(network: Network, compared: list[Compared], faults: dict[str, list[str]], seed: int) -> dict[str, Any]:
    """Counts of a run."""
    node = network.cluster.items("nodes")[0]["status"]["nodeInfo"]
    return {
        "kubernetes": node["kubeletVersion"],
        "seed": seed,
        "sets": len(compared),
        "policies": sum(len(each.policies) for each in compared),
        "verdicts": Counter(verdict for each in compared for verdict in each.verdicts.values()),
        "verdicts from YAML alone": Counter(verdict for each in compared for verdict in each.from_yaml.values()),
        "wrong": {
            str(index): {"connections": each.wrong(), "policies": each.policies}
            for index, each in enumerate(compared, 1)
            if each.wrong() and not each.shows_a_fault
        },
        "sets that show a fault": [index for index, each in enumerate(compared, 1) if each.shows_a_fault],
        "observations": sum(each.rounds for each in compared),
        "seconds to settle": {
            "median": round(statistics.median(each.seconds for each in compared), 1),
            "most": round(max(each.seconds for each in compared), 1),
        },
        "connections that show a fault": {behaviour: len(wrong) for behaviour, wrong in faults.items()},
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200, help="how many policy sets (default 200)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"where they come from (default {SEED})")
    parser.add_argument("--image", default="python:3.11-slim", help="an image with Python, on the nodes")
    parser.add_argument("--report", type=Path, default=RESULT, help="where counts go")
    chosen = parser.parse_args()
    kubectl = Kubectl.find()
    confirm(kubectl, f"make namespaces {', '.join(NAMESPACES)} with pods and policies, and delete them")
    network = Network(LiveCluster(kubectl), chosen.image)
    network.start()
    try:
        compared, faults = run(network, chosen.sets, chosen.seed)
        found = report(network, compared, faults, chosen.seed)
    finally:
        network.stop()
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    chosen.report.write_text(json.dumps(found, indent=2) + "\n")
    say(f"{len(found['wrong'])} of {found['sets']} sets differ; counts are in {chosen.report}")
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
