"""The platform under test: image, models, keys and `build/dist`, brought into the cluster, and taken away again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from constructs_lib.platform import Platform
from inference import contract
from tenantry.console import say, step
from tenantry.errors import CommandError
from tests.e2e.cluster import Cluster, is_ready, pod_state, service_labels, workload
from tests.e2e.store import NAMESPACE as STORE_NAMESPACE
from tests.e2e.store import Store
from tests.paths import ROOT

BUILD: Final = ROOT / "build" / "e2e"
DIST: Final = ROOT / "build" / "dist"
MODEL: Final = ROOT / "build" / "models" / "spam"
STORE_POLICY: Final = ROOT / "terraform" / "platform" / "manifests" / "minio-network-policy.yaml"
_LOGS: Final = ("logs", "--prefix", "--tail=300", "--ignore-errors", "--all-containers")
_ADOPTED: Final = ("Warning: resource namespaces/", "kubectl.kubernetes.io/last-applied-configuration")
_TENANTRY: Final = (sys.executable, "-m", "tenantry")


@dataclass
class PlatformUnderTest:
    """What stands in the cluster while the tests run.

    Attributes:
        tenants: Their names, from `platform.yaml`.
        image: The service's image, which probes use too.
        found: Whether the tenants were there before; then nothing of theirs is deleted at the end.
        digest: Of the model that they serve.
        warnings: What the API server warned of while `build/dist` was applied.
        ready_seconds: How long it took from apply to Ready.
        made: What this run has made.
        relabelled: Labels that this run has given to namespaces that were there before.
    """

    cluster: Cluster
    image: str
    file: Path = ROOT / "platform.yaml"
    found: bool = False
    digest: str = ""
    warnings: str = ""
    ready_seconds: float = 0
    made: list[Mapping[str, Any]] = field(default_factory=list)
    relabelled: dict[str, set[str]] = field(default_factory=dict)
    store: Store | None = None

    @property
    def tenants(self) -> list[str]:
        """Names of the tenants of the platform file."""
        return [tenant.name for tenant in Platform.load(self.file).tenants]

    def prepare(self) -> None:
        """Publish models, make what Terraform has not, synthesize, apply, wait until all is Ready."""
        store = self.store = Store.find(self.cluster)
        tenants = self.tenants
        self.found = all(self.cluster.exists("deployment", workload(name), "-n", name) for name in tenants)
        with step("publishing the models"):
            self._make_buckets_and_keys(store, tenants)
        self.synth(model=f"s3://models/{{tenant}}/spam@sha256:{self.digest}")
        for each in objects(DIST):
            if not self._exists(each):
                self.made.append(each)
            elif each["kind"] == "Namespace" and each not in self.made:
                found = self.cluster.kubectl.get(*_reference(each))["metadata"].get("labels", {})
                self.relabelled[each["metadata"]["name"]] = set(each["metadata"]["labels"]) - set(found)
        with step(f"applying {DIST.relative_to(ROOT)}"):
            self.warnings = self.apply()
        self.ready_seconds = self.wait_until_ready()
        say(f"all tenants are Ready {self.ready_seconds:.0f} s after the apply")

    def adopt(self) -> None:
        """Take what stands there as the platform under test."""
        self.found, self.store = True, Store.find(self.cluster)
        self.digest = digest_in_use(self.cluster, self.tenants[0])

    def _make_buckets_and_keys(self, store: Store, tenants: Sequence[str]) -> None:
        """Namespaces first, since Secrets stand in them; they are those of dist/."""
        if not MODEL.joinpath("manifest.json").is_file():
            run([*_TENANTRY, "train", "--output", str(MODEL)])
        if not store.ours:
            self.digest = store.publish(MODEL, tenants)
            return
        self.synth()
        for each in objects(DIST):
            if each["kind"] == "Namespace" and not self._exists(each):
                self.cluster.apply(each)
                self.made.append(each)
        for policy in yaml.safe_load_all(STORE_POLICY.read_text("utf-8")):
            if not self._exists(policy):
                self.made.append(policy)
            self.cluster.apply(policy)
        if made := store.prepare(tenants):
            self.cluster.apply(*made.values())
        self.digest = store.publish(MODEL, tenants)

    def synth(self, *, model: str | None = None, image: str | None = None, file: Path | None = None) -> None:
        """Write build/dist for this image and model, with the very command that a user runs."""
        arguments = ["--file", str(file or self.file), "--output", str(DIST), "--image", image or self.image]
        run([*_TENANTRY, "synth", *arguments, *(("--model", model) if model else ())])

    def apply(self, directory: Path = DIST) -> str:
        """`kubectl apply -f`; what the API server warned of."""
        done = self.cluster.kubectl.try_run("apply", "-f", str(directory))
        if done.returncode:
            raise CommandError(f"kubectl apply -f {directory}: {done.stderr.strip()}")
        return warnings_of_the_server(done.stderr)

    def wait_until_ready(self, tenants: Sequence[str] = (), *, pods: int = 2, seconds: float = 240) -> float:
        """Wait until each tenant has that many Ready pods; how long it took."""

        def reason() -> str:
            said = []
            for tenant in tenants or self.tenants:
                found = self.cluster.pods(tenant, labels=service_labels(tenant))
                ready = [pod for pod in found if is_ready(pod)]
                if len(ready) < pods:
                    others = sorted({pod_state(pod) for pod in found if not is_ready(pod)})
                    said.append("; ".join([f"{tenant} has {len(ready)} of {pods} pods ready", *others]))
            return "; ".join(said)

        return self.cluster.wait("tenants", reason, seconds=seconds)

    def remove(self) -> None:
        """Delete what this run has made, and nothing else."""
        namespaces = [each["metadata"]["name"] for each in self.made if each["kind"] == "Namespace"]
        with step("deleting what this run made"):
            for each in self.made:
                if each["kind"] != "Namespace" and each["metadata"].get("namespace") not in namespaces:
                    self.cluster.delete(*_reference(each))
            if namespaces:
                self.cluster.delete("namespace", *namespaces)
            for namespace, labels in self.relabelled.items():
                if labels and not self.found:
                    self.cluster.kubectl.run("label", "namespace", namespace, *(f"{each}-" for each in labels))
            if self.store and self.store.ours and not self.found:
                self.store.remove(self.tenants)

    def keep_evidence(self, directory: Path) -> None:
        """Keep events, logs and descriptions of the tenants' namespaces, for whoever asks why a test failed."""
        directory.mkdir(parents=True, exist_ok=True)
        kubectl = self.cluster.kubectl
        for tenant in [*self.tenants, STORE_NAMESPACE, "monitoring"]:
            for name, arguments in (
                ("events.txt", ("get", "events", "--sort-by=.lastTimestamp")),
                ("describe.txt", ("describe", "pods,deployments,replicasets,hpa,resourcequotas,networkpolicies")),
                ("objects.yaml", ("get", "all,networkpolicies,roles,rolebindings,hpa,pdb", "-o", "yaml")),
                ("logs.txt", (*_LOGS, "-l", "app.kubernetes.io/name")),
            ):
                said = kubectl.try_run(*arguments, "-n", tenant)
                (directory / f"{tenant}-{name}").write_text(said.stdout + said.stderr, "utf-8")

    def _exists(self, each: Mapping[str, Any]) -> bool:
        return self.cluster.exists(*_reference(each))


def warnings_of_the_server(said: str) -> str:
    """What `kubectl apply` said on standard error, but for its own remark that it adopts a Namespace that others made.

    It comes once on every cluster where Terraform or the chart made `monitoring`.
    """
    lines = said.strip().splitlines()
    return "\n".join(line for line in lines if not (line.startswith(_ADOPTED[0]) and _ADOPTED[1] in line))


def digest_in_use(cluster: Cluster, tenant: str) -> str:
    """The digest that a tenant's pods are told to serve."""
    pod = cluster.ready_pods(tenant)[0]
    variables = {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}
    return str(variables[f"{contract.ENV_PREFIX}MODEL_URI"].partition("@sha256:")[2])


def objects(directory: Path) -> list[dict[str, Any]]:
    """All objects of a folder of manifests, in the order in which kubectl takes them."""
    return [
        each
        for path in sorted(directory.glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text("utf-8"))
        if each
    ]


def run(command: Sequence[str]) -> str:
    """Run a command of this repository to its end; what it printed.

    Raises:
        CommandError: It failed; the message is its own.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise CommandError(f"{' '.join(command)} ended with {done.returncode}: {said}")
    return done.stdout


def bring_image(cluster: Cluster, image: str, *, build: bool = True) -> None:
    """Build an image of this checkout, one without a registry in its name, and bring it to the nodes where that works.

    A Kind cluster and a cluster of TENANTRY_CLUSTER_TOOLS are loaded; any other pulls by itself.
    """
    tools = Path(os.environ.get("TENANTRY_CLUSTER_TOOLS", ROOT.parent / "shared" / "tools" / "cluster")) / "cluster"
    kind = cluster.kubectl.context.removeprefix("kind-") if cluster.kubectl.context.startswith("kind-") else ""
    ours = tools.is_file() and _serves(tools, cluster.kubectl.server())
    if not (kind or ours):
        say(f"image {image}: the cluster pulls it by itself")
        return
    if shutil.which("docker") is None or not _succeeds("docker", "info"):
        say(f"image {image}: no Docker Engine answers here, so it must be on the nodes already")
        return
    if build and "/" not in image:
        with step(f"building {image}"):
            run(["make", "image", f"IMAGE={image}"])
    with step(f"bringing {image} to the nodes"):
        run(["kind", "load", "docker-image", image, "--name", kind] if kind else [str(tools), "load", image])


def _serves(tools: Path, server: str) -> bool:
    """Whether a cluster of these tools runs at that address."""
    said = subprocess.run([tools, "kubeconfig"], capture_output=True, text=True, check=False).stdout.strip()
    return bool(said) and Path(said).is_file() and server in Path(said).read_text("utf-8")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _reference(each: Mapping[str, Any]) -> list[str]:
    group, _, version = each["apiVersion"].rpartition("/")
    kind = f"{each['kind']}.{version}.{group}" if group else each["kind"]
    namespace = each["metadata"].get("namespace")
    return [kind, each["metadata"]["name"], *(("-n", namespace) if namespace else ())]
