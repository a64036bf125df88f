"""Checks the suite itself: one object of `build/dist` is broken on the cluster, and the tests must detect it.

`python -m tests.e2e.mutations` prints caught/total; a mutation counts as caught only if the report names the promise
that it breaks, and no other one.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tenantry.cluster.kubectl import Kubectl
from tenantry.console import result, say
from tests.e2e import requirements
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import BUILD, DIST, PlatformUnderTest, load_image, objects
from tests.e2e.gateway import RealGateway
from tests.e2e.probes import Probes
from tests.paths import ROOT

TENANT: Final = "tenant-a"
Object = dict[str, Any]
EVERY_NAMESPACE: Final[Object] = {"namespaceSelector": {}}


@dataclass(frozen=True)
class Mutation:
    """One defect.

    Attributes:
        what: The defect, in one line.
        kind, name: The tenant's object that is changed.
        change: Changes the object; None deletes it.
        promise: The promise that the report must name.
        tests: The tests that can detect it, as an expression for pytest's -k.
        options: Options of the suite that make the defect, if the tests apply the object themselves; `kind` is then
            empty.
    """

    what: str
    kind: str
    name: str
    change: Callable[[Object], object] | None
    promise: str
    tests: str
    options: tuple[str, ...] = ()


def _rules(object_: Object) -> list[Object]:
    rules: list[Object] = object_["rules"]
    return rules


def _container(object_: Object) -> Object:
    container: Object = object_["spec"]["template"]["spec"]["containers"][0]
    return container


def _no_exceptions(policy: Object) -> None:
    for peer in policy["spec"]["egress"][0]["to"]:
        peer["ipBlock"].pop("except", None)


OWN: Final = f"{TENANT}-ml-inference"
MUTATIONS: Final = (
    Mutation("no default deny", "NetworkPolicy", "default-deny", None, "structure", "same_objects"),
    Mutation(
        "Prometheus is not allowed", "NetworkPolicy", "allow-prometheus", None, "network", "test_cell and Prometheus"
    ),
    Mutation(
        "the store cannot be reached", "NetworkPolicy", "allow-model-store", None, "network", "test_cell and store"
    ),
    Mutation(
        "every namespace is allowed",
        "NetworkPolicy",
        "allow-same-namespace",
        lambda each: each["spec"]["ingress"][0]["from"].append(EVERY_NAMESPACE),
        "network",
        "test_cell and Service",
    ),
    Mutation(
        "private addresses count as public",
        "NetworkPolicy",
        "allow-world-https",
        _no_exceptions,
        "network",
        "test_cell and elsewhere",
    ),
    Mutation(
        "every port is open to Prometheus",
        "NetworkPolicy",
        "allow-prometheus",
        lambda each: each["spec"]["ingress"][0].pop("ports"),
        "network",
        "test_cell and 8001",
    ),
    Mutation(
        "every pod of a client's namespace is allowed",
        "NetworkPolicy",
        "allow-clients",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].pop("matchExpressions"),
        "network",
        "test_cell and client",
    ),
    Mutation(
        "a client is allowed from every namespace",
        "NetworkPolicy",
        "allow-clients",
        lambda each: each["spec"]["ingress"][0]["from"][0]["namespaceSelector"].pop("matchLabels"),
        "network",
        "test_cell and client",
    ),
    Mutation("the client is not allowed", "NetworkPolicy", "allow-clients", None, "network", "test_cell and client"),
    Mutation(
        "every pod of the gateway's namespace is allowed",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].pop("matchExpressions"),
        "network",
        "test_cell and gateway",
    ),
    Mutation(
        "a gateway is allowed from every namespace",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["namespaceSelector"].pop("matchLabels"),
        "network",
        "test_cell and gateway",
    ),
    Mutation("the gateway is not allowed", "NetworkPolicy", "allow-gateway", None, "network", "test_cell and gateway"),
    Mutation("a real gateway is not allowed", "NetworkPolicy", "allow-gateway", None, "gateway", "listed_path"),
    Mutation(
        "a real gateway's pods are not selected",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].update(matchLabels={"app": "gateway"}),
        "gateway",
        "listed_path",
    ),
    Mutation(
        "metrics are routed",
        "HTTPRoute",
        OWN,
        lambda each: each["spec"]["rules"][0]["matches"].append({"path": {"type": "Exact", "value": "/metrics"}}),
        "gateway",
        "not_routed",
    ),
    Mutation(
        "every path is routed",
        "HTTPRoute",
        OWN,
        lambda each: each["spec"]["rules"][0].pop("matches"),
        "gateway",
        "not_routed",
    ),
    Mutation(
        "the Role reads Secrets",
        "Role",
        OWN,
        lambda each: _rules(each)[0]["resources"].append("secrets"),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "the Role deletes pods",
        "Role",
        OWN,
        lambda each: _rules(each)[0]["verbs"].append("delete"),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "the binding is for every account",
        "RoleBinding",
        OWN,
        lambda each: each["subjects"].append(
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}
        ),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "Pod Security is only baseline",
        "Namespace",
        TENANT,
        lambda each: each["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": "baseline"}),
        "containers",
        "pod_security",
    ),
    Mutation(
        "the root file system is writable",
        "Deployment",
        OWN,
        lambda each: _container(each)["securityContext"].pop("readOnlyRootFilesystem"),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "capabilities are kept",
        "Deployment",
        OWN,
        lambda each: _container(each)["securityContext"].pop("capabilities"),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "the pod gets a token",
        "Deployment",
        OWN,
        lambda each: each["spec"]["template"]["spec"].update({"automountServiceAccountToken": True}),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "the quota is lower",
        "ResourceQuota",
        OWN,
        lambda each: each["spec"]["hard"].update({"pods": "12"}),
        "fairness",
        "quota_refuses",
    ),
    Mutation(
        "NodePorts are allowed",
        "ResourceQuota",
        OWN,
        lambda each: each["spec"]["hard"].pop("services.nodeports"),
        "fairness",
        "open_nodes",
    ),
    Mutation(
        "pods may be larger",
        "LimitRange",
        OWN,
        lambda each: [item["max"].update({"memory": "1Gi"}) for item in each["spec"]["limits"]],
        "fairness",
        "oversize",
    ),
    Mutation(
        "pods may use more disk space",
        "LimitRange",
        OWN,
        lambda each: [item["max"].update({"ephemeral-storage": "1Gi"}) for item in each["spec"]["limits"]],
        "fairness",
        "oversize",
    ),
    Mutation(
        "the autoscaler goes to 20",
        "HorizontalPodAutoscaler",
        OWN,
        lambda each: each["spec"].update({"maxReplicas": 20}),
        "structure",
        "same_objects",
    ),
    Mutation("no ServiceMonitor", "ServiceMonitor", OWN, None, "structure", "same_objects"),
    Mutation("no key is required", "", "", None, "keys", "without_a_secret", options=("--no-key-check",)),
)


def broken(mutation: Mutation, sound: list[Object]) -> tuple[Object, Object | None]:
    """The object of a mutation, before and after the change (None: deleted)."""
    found = [
        each
        for each in sound
        if (each["kind"], each["metadata"]["name"]) == (mutation.kind, mutation.name)
        and each["metadata"].get("namespace", TENANT) == TENANT
    ]
    if len(found) != 1:
        raise SystemExit(
            f"'{mutation.what}' is about {mutation.kind} {mutation.name}, which dist/ contains {len(found)} times"
        )
    if mutation.change is None:
        return found[0], None
    changed = copy.deepcopy(found[0])
    mutation.change(changed)
    if changed == found[0]:
        raise SystemExit(f"'{mutation.what}' changes nothing")
    return found[0], changed


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
