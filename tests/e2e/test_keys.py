"""API keys: a tenant that requires them, keys that `tenantry keys` manages, and a client in another namespace."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from inference import contract
from tests.e2e.access import CLIENT_NAMESPACE, host_name, write
from tests.e2e.cluster import LiveCluster, service, workload
from tests.e2e.deployment import BUILD, DIST, PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.gateway import RealGateway
from tests.e2e.probes import Probes
from tests.paths import ROOT

pytestmark = pytest.mark.promise("keys")
WRONG_KEYS = 1_000
RELOAD_SECONDS = 150


@dataclass
class Locked:
    """A tenant that requires keys, as a client in another namespace calls it.

    Attributes:
        setting: What `tenants[].auth` is while the tests run; None: no key is required.
    """

    cluster: LiveCluster
    platform: PlatformUnderTest
    evidence: Evidence
    setting: str | None

    @property
    def tenant(self) -> str:
        """Its name."""
        return self.platform.tenants[-1]

    def keys(self, *arguments: str) -> str:
        """Run `tenantry keys`; return what it prints."""
        command = [sys.executable, "-m", "tenantry", "keys", self.tenant, *arguments]
        environment = self.cluster.kubectl.environment()
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, *requests: dict[str, str], path: str = contract.PREDICT_PATH) -> list[int]:
        """The statuses of requests with these headers, from the client's pod."""
        self.evidence.count("keys", "requests", len(requests))
        place = {"host": f"{service(self.tenant)}.{self.tenant}.svc", "path": path, "port": contract.PORT}
        found: list[int] = self.cluster.python(CLIENT_NAMESPACE, "client", "ask", place, list(requests))
        return found

    def wait_for(self, key: str, status: int) -> float:
        """Wait until every pod answers a key with this status: eight requests in a row, on new connections."""

        def reason() -> str:
            found = set(self.ask(*[bearer(key)] * 8))
            return "" if found == {status} else f"the answers are {sorted(found)}"

        return self.cluster.wait(f"{status} from all pods", reason, seconds=RELOAD_SECONDS)

    def apply(self, *, auth: bool) -> None:
        """Synthesize and apply the tenant, with or without keys, and wait until no old pod is left."""
        content = yaml.safe_load(self.platform.file.read_text("utf-8"))
        if auth:
            content["tenants"][-1]["auth"] = self.setting
        model = f"s3://models/{{tenant}}/spam@sha256:{self.platform.digest}" if self.platform.digest else None
        self.platform.synth(model=model, file=write(content, BUILD / "keys.yaml"))
        self.cluster.kubectl.run("apply", "-f", str(DIST / f"{self.tenant}.k8s.yaml"))
        name = f"deployment/{workload(self.tenant)}"
        self.cluster.kubectl.run("rollout", "status", name, "-n", self.tenant, "--timeout=240s")

        def replaced() -> str:
            """Pods that are terminating: a connection can still reach one until it is gone."""
            pods = self.cluster.items("pods", "-n", self.tenant)
            return ", ".join(each["metadata"]["name"] for each in pods if "deletionTimestamp" in each["metadata"])

        self.cluster.wait("the replaced pods to be gone", replaced, seconds=120)


def bearer(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def locked(
    cluster: LiveCluster,
    platform: PlatformUnderTest,
    probes: Probes,
    evidence: Evidence,
    pytestconfig: pytest.Config,
) -> Iterator[Locked]:
    """The last tenant, which requires keys while these tests run."""
    del probes  # its client pod sends the requests
    setting = None if pytestconfig.getoption("--no-key-check") else "apiKeys"
    found = Locked(cluster, platform, evidence, setting)
    try:
        found.apply(auth=True)
        yield found
    finally:
        found.apply(auth=False)
        cluster.delete("secret", contract.API_KEYS_SECRET_NAME, "-n", found.tenant)


def test_without_a_secret_every_caller_is_refused(locked: Locked) -> None:
    """The pods are Ready, and answer nobody until a key exists."""
    assert locked.ask({}, bearer("tnt_any")) == [401, 401]
    assert locked.ask({}, path="/model") == [401]
    assert locked.ask({}, path="/readyz") == [200]


def test_a_key_is_accepted_without_a_restart_and_the_secret_holds_only_its_digest(locked: Locked) -> None:
    """The kubelet updates the mounted Secret, and the pods read it."""
    before = {pod["metadata"]["name"] for pod in locked.cluster.ready_pods(locked.tenant)}
    key = locked.keys("add", "shop")
    took = locked.wait_for(key, 200)
    locked.evidence.figure("keys", "seconds until every pod accepted a new key", round(took))
    assert locked.ask({"X-API-Key": key}, bearer(key[:-1]), bearer(key + "a"), {}) == [200, 401, 401, 401]
    assert {pod["metadata"]["name"] for pod in locked.cluster.ready_pods(locked.tenant)} == before
    secret = locked.cluster.kubectl.get("secret", contract.API_KEYS_SECRET_NAME, "-n", locked.tenant)
    assert key not in json.dumps(secret)
    assert list(secret["data"]) == ["shop"]


def test_wrong_keys_are_refused_while_the_right_one_works(locked: Locked) -> None:
    """A thousand wrong keys, and a right one after each hundred."""
    key = locked.keys("add", "web")
    locked.wait_for(key, 200)
    requests = [bearer(key if number % 100 == 99 else f"tnt_wrong{number}") for number in range(WRONG_KEYS)]
    found = locked.ask(*requests)
    assert [found[number] for number in range(99, WRONG_KEYS, 100)] == [200] * (WRONG_KEYS // 100)
    assert found.count(401) == WRONG_KEYS - WRONG_KEYS // 100


def test_a_key_is_replaced_without_a_failed_request_of_another_caller(locked: Locked) -> None:
    """Another caller sends requests all the time while a caller's old key is replaced and revoked."""
    old, other = locked.keys("add", "batch"), locked.keys("add", "steady")
    locked.wait_for(other, 200)
    new = locked.keys("add", "batch")
    statuses: list[int] = []
    began = time.monotonic()
    while (
        200 not in (found := locked.ask(bearer(other), bearer(new)))[1:] and time.monotonic() - began < RELOAD_SECONDS
    ):
        statuses.append(found[0])
    locked.wait_for(new, 200)
    locked.keys("revoke", "batch", "--older")
    while (
        200 in (found := locked.ask(bearer(other), bearer(old)))[1:] and time.monotonic() - began < 2 * RELOAD_SECONDS
    ):
        statuses.append(found[0])
    took = locked.wait_for(old, 401)
    locked.evidence.figure("keys", "seconds until every pod refused a revoked key, after the first", round(took))
    assert locked.ask(bearer(new), bearer(other)) == [200, 200]
    assert set(statuses) == {200}


@pytest.mark.promise("gateway")
def test_through_the_gateway_a_key_is_required_and_reaches_the_service(locked: Locked, gateway: RealGateway) -> None:
    """A real gateway passes both headers on, and adds no key."""
    key = locked.keys("add", "outside")
    locked.wait_for(key, 200)
    asked = {
        "host": host_name(locked.tenant),
        "path": contract.PREDICT_PATH,
        "method": "POST",
        "body": json.dumps({"text": "Win a free prize now"}),
    }
    headers = [{}, bearer(key), {"X-API-Key": key}, bearer(f"{key}a")]
    found = gateway.ask(*(asked | {"headers": each} for each in headers))
    locked.evidence.count("gateway", "requests over TLS", len(found))
    assert [each.status for each in found] == [401, 200, 200, 401]


def test_no_key_and_no_digest_is_in_the_logs(locked: Locked) -> None:
    """The pods log that keys were loaded, and none of them."""
    key = locked.keys("add", "logged")
    locked.wait_for(key, 200)
    logs = "".join(
        locked.cluster.logs(locked.tenant, pod["metadata"]["name"]) for pod in locked.cluster.ready_pods(locked.tenant)
    )
    assert "api keys loaded" in logs
    assert "tnt_" not in logs
    assert "sha256:" not in logs.replace("@sha256:", "")
