"""The platform under test: installs image, models, keys and `build/dist` in the cluster, and removes them."""

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
from tenantry.cluster.applying.kinds import GATEWAY_API
from tenantry.console import say, step
from tenantry.errors import CommandError
from tests.e2e.access import with_access, write
from tests.e2e.cluster import LiveCluster, is_ready, pod_state, service_labels, workload
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
    """The platform in the cluster while the tests run.

    Attributes:
        tenants: Names of the tenants of `platform.yaml`.
        file: The platform file: `platform.yaml` with the callers that the suite adds.
        gateway: Whether the tenants accept the gateway of the suite; not on a cluster without Gateway API.
        image: Image of the service and of the probes.
        found: Whether the tenants existed before the run, which then deletes nothing of theirs.
        digest: Digest of the model that the tenants serve.
        warnings: Warnings of the API server while `build/dist` was applied.
        ready_seconds: Time from apply to Ready.
        made: Objects that this run has created.
        relabelled: Labels that this run has added to existing namespaces.
    """

    cluster: LiveCluster
    image: str
    file: Path = BUILD / "platform.yaml"
    found: bool = False
    digest: str = ""
    warnings: str = ""
    ready_seconds: float = 0
    made: list[Mapping[str, Any]] = field(default_factory=list)
    relabelled: dict[str, set[str]] = field(default_factory=dict)
    store: Store | None = None
    gateway: bool = False

    def __post_init__(self) -> None:
        self.gateway = self.cluster.kubectl.serves(GATEWAY_API)
        write(with_access(ROOT / "platform.yaml", gateway=self.gateway), self.file)

    @property
    def tenants(self) -> list[str]:
        """Names of the tenants of the platform file."""
        return [tenant.name for tenant in Platform.load(self.file).tenants]

    def prepare(self) -> None:
        """Publish models, create what Terraform would create, synthesize, apply, and wait until all pods are Ready."""
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
        """Use the platform in the cluster as the platform under test."""
        self.found, self.store = True, Store.find(self.cluster)
        self.digest = digest_in_use(self.cluster, self.tenants[0])

    def _make_buckets_and_keys(self, store: Store, tenants: Sequence[str]) -> None:
        """Create the namespaces of dist/ first, since the Secrets belong to them."""
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
        """Write build/dist for this image and model, with the command that a user runs."""
        arguments = ["--file", str(file or self.file), "--output", str(DIST), "--image", image or self.image]
        run([*_TENANTRY, "synth", *arguments, *(("--model", model) if model else ())])

    def apply(self, directory: Path = DIST) -> str:
        """Run `kubectl apply -f`; return the API server's warnings."""
        done = self.cluster.kubectl.try_run("apply", "-f", str(directory))
        if done.returncode:
            raise CommandError(f"kubectl apply -f {directory}: {done.stderr.strip()}")
        return warnings_of_the_server(done.stderr)

    def wait_until_ready(self, tenants: Sequence[str] = (), *, pods: int = 2, seconds: float = 240) -> float:
        """Wait until each tenant has this number of Ready pods; return the time that it took."""

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
        """Delete what this run has created, and nothing else."""
        namespaces = [each["metadata"]["name"] for each in self.made if each["kind"] == "Namespace"]
        with step("deleting what this run created"):
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
        """Store events, logs and descriptions of the namespaces, to analyse a failure."""
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
    """The standard error of `kubectl apply`, without its remark that it adopts a Namespace of another creator.

    The remark appears once on every cluster where Terraform or the chart created `monitoring`.
    """
    lines = said.strip().splitlines()
    return "\n".join(line for line in lines if not (line.startswith(_ADOPTED[0]) and _ADOPTED[1] in line))


def digest_in_use(cluster: LiveCluster, tenant: str) -> str:
    """The digest of the model that a tenant's pods serve."""
    pod = cluster.ready_pods(tenant)[0]
    variables = {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}
    return str(variables[f"{contract.ENV_PREFIX}MODEL_URI"].partition("@sha256:")[2])


def objects(directory: Path) -> list[dict[str, Any]]:
    """All objects of a folder of manifests, in the order of kubectl."""
    return [
        each
        for path in sorted(directory.glob("*.yaml"))
        for each in yaml.safe_load_all(path.read_text("utf-8"))
        if each
    ]


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a command in this repository, with other variables if an environment is given; return its output.

    Raises:
        CommandError: It failed; the message contains its output.
    """
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise CommandError(f"{' '.join(command)} ended with {done.returncode}: {said}")
    return done.stdout


def load_image(cluster: LiveCluster, image: str, *, build: bool = True, runtime: str = "text") -> None:
    """Build an image without a registry in its name from this checkout, and load it onto the nodes.

    Loading works for Kind and for a cluster of TENANTRY_CLUSTER_TOOLS; other clusters pull the image.

    Args:
        cluster: The cluster under test.
        image: Name of the image.
        build: Whether to build it; otherwise Docker already has it.
        runtime: What the image runs, `text` or `onnx`.
    """
    tools = Path(os.environ.get("TENANTRY_CLUSTER_TOOLS", ROOT.parent / "shared" / "tools" / "cluster")) / "cluster"
    kind = cluster.kubectl.context.removeprefix("kind-") if cluster.kubectl.context.startswith("kind-") else ""
    ours = tools.is_file() and _serves(tools, cluster.kubectl.server())
    if not (kind or ours):
        say(f"image {image}: the cluster pulls it")
        return
    if shutil.which("docker") is None or not _succeeds("docker", "info"):
        say(f"image {image}: there is no Docker Engine here, so it must already be on the nodes")
        return
    if build and "/" not in image:
        with step(f"building {image}"):
            run(["make", "image", f"IMAGE={image}", f"IMAGE_RUNTIME={runtime}"])
    with step(f"loading {image} onto the nodes"):
        run(["kind", "load", "docker-image", image, "--name", kind] if kind else [str(tools), "load", image])


def _serves(tools: Path, server: str) -> bool:
    """Whether a cluster of these tools has this address."""
    said = subprocess.run([tools, "kubeconfig"], capture_output=True, text=True, check=False).stdout.strip()
    return bool(said) and Path(said).is_file() and server in Path(said).read_text("utf-8")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _reference(each: Mapping[str, Any]) -> list[str]:
    group, _, version = each["apiVersion"].rpartition("/")
    kind = f"{each['kind']}.{version}.{group}" if group else each["kind"]
    namespace = each["metadata"].get("namespace")
    return [kind, each["metadata"]["name"], *(("-n", namespace) if namespace else ())]
