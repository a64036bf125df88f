"""Checks the suite itself: one object of `build/dist` is broken on the cluster, and the tests must detect it.

`python -m tests.e2e.mutations` prints caught/total; a mutation counts as caught only if the report names the promise
that it breaks, and no other one.
"""

import argparse
import json
import os
import subprocess
import sys
import time

from tenantry.cluster.kubectl import Kubectl
from tenantry.console import result, say
from tests.e2e import requirements
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import BUILD, DIST, PlatformUnderTest, load_image, objects
from tests.e2e.gateway import RealGateway
from tests.e2e.mutation_cases import MUTATIONS, TENANT, Mutation, Object, broken
from tests.e2e.probes import Probes
from tests.paths import ROOT


def try_one(cluster: LiveCluster, image: str, mutation: Mutation, sound: list[Object]) -> tuple[bool, str]:
    """Change the object, run the tests, restore the object; whether they caught it, and the broken promises."""
    before, after = broken(mutation, sound) if mutation.kind else (None, None)
    # Not a patch, which would not remove fields.
    place = ("-n", TENANT) if mutation.kind != "Namespace" else ()
    report = BUILD / "mutations" / mutation.what.replace(" ", "-")
    try:
        if after is not None:
            cluster.apply(after)
        elif before is not None:
            cluster.delete(mutation.kind, mutation.name, *place)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "tests/e2e",
            "-m",
            "e2e",
            "-k",
            mutation.tests,
            "--reuse",
            "-q",
            "-x",
            *mutation.options,
        ]
        command += ["--no-evidence", "--image", image, "--report", str(report)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        if before is not None:
            cluster.apply(before)
    rows = json.loads((report / "e2e-report.json").read_text("utf-8"))["promises"]
    red = [row["id"] for row in rows if row["result"] == "broken"]
    return done.returncode == 1 and red == [mutation.promise], ", ".join(red) or f"pytest ended with {done.returncode}"


def main() -> int:
    """Set up once, try every mutation, remove everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="ml-inference-service:dev")
    parser.add_argument("--only", default="", help="only the mutations with these words; default: all")
    parser.add_argument("--keep", action="store_true", help="leave the platform in the cluster")
    parser.add_argument("--reuse", action="store_true", help="use the platform in the cluster, and load no image")
    arguments = parser.parse_args()
    cluster = LiveCluster(Kubectl.find(context=os.environ.get("CONTEXT")))
    if problems := list(requirements.missing(cluster)):
        raise SystemExit("\n".join(problems))
    if not arguments.reuse:
        load_image(cluster, arguments.image)
        requirements.policies_are_enforced(cluster, arguments.image)
    platform = PlatformUnderTest(cluster, arguments.image)
    probes = Probes(cluster, arguments.image, tuple(platform.tenants), gateway=platform.gateway)
    gateway = RealGateway(cluster)
    without = gateway.why_not()
    if without:
        say(f"{without}; the mutations of a real gateway are left out")
    chosen = [
        each
        for each in MUTATIONS
        if arguments.only in each.what
        and not (without and each.promise == "gateway")
        and (platform.gateway or each.name != "allow-gateway")
    ]
    caught = 0
    try:
        platform.prepare()
        probes.start()
        if not without:
            gateway.start(platform.tenants)
        sound = objects(DIST)
        for mutation in chosen:
            began = time.monotonic()
            is_caught, said = try_one(cluster, arguments.image, mutation, sound)
            caught += is_caught
            took = time.monotonic() - began
            say(f"{'caught' if is_caught else 'MISSED'}  {mutation.what}: broke {said} ({took:.0f} s)")
        platform.wait_until_ready()
    finally:
        if not (arguments.keep or arguments.reuse):
            probes.stop()
            if not without:
                gateway.stop()
            cluster.delete("namespace", requirements.CHECK, requirements.OTHER_NAMESPACE)
            platform.remove()
    result(f"{caught}/{len(chosen)} mutations caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
