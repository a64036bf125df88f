"""A tenant with `runtime: onnx` beside the text tenants, published, served by the second image."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import run as start
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from constructs_lib.monitoring.panel_queries import filled, missing_values, out_of_range
from inference import contract
from tests.e2e import pods
from tests.e2e.access import write
from tests.e2e.cluster import LiveCluster, service
from tests.e2e.deployment import BUILD, PlatformUnderTest, digest_in_use, load_image, run
from tests.e2e.evidence import Evidence
from tests.e2e.load import Load
from tests.e2e.matrix import OF_A_TENANT, Cell, Target
from tests.e2e.monitoring import prometheus
from tests.e2e.probes import ATTEMPTS, Probes, expectation
from tests.e2e.requirements import OTHER_NAMESPACE
from tests.onnx_models import RealModel, gradient_boosting, write_csv
from tests.paths import ROOT

pytestmark = pytest.mark.promise("onnx")
TENANT = "tenant-onnx"
MODEL = "cancer"
DIST = BUILD / "onnx"
READY_SECONDS = 120
TOLERANCE = 1e-5
EVERY = 19
"""Each 19th row of the data is asked: 30 rows."""


@dataclass
class Tabular:
    """The tenant, and the original model."""

    cluster: LiveCluster
    platform: PlatformUnderTest
    model: RealModel
    digest: str

    @property
    def rows(self) -> Any:
        """The rows that are asked."""
        return self.model.rows[::EVERY]

    @property
    def expected(self) -> Any:
        """What the original library answers to them."""
        return self.model.expected[::EVERY]

    @property
    def records(self) -> list[dict[str, float]]:
        """The rows as records."""
        return [dict(zip(self.model.names, map(float, row), strict=True)) for row in self.rows]

    def ask(self, target: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to a Service or a pod of the tenant: a POST if there is a body."""
        with self.cluster.kubectl.port_forward(TENANT, target, contract.PORT) as port:
            url = f"http://127.0.0.1:{port}{path}"
            if body is None:
                return httpx.get(url, trust_env=False, timeout=20)
            return httpx.post(url, json=body, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def onnx_image(cluster: LiveCluster, pytestconfig: pytest.Config) -> str:
    """The image for ONNX models, on the nodes."""
    image = str(pytestconfig.getoption("--onnx-image"))
    if not image:
        pytest.skip("no image for ONNX models was given (ONNX_IMAGE=)")
    if not pytestconfig.getoption("--reuse"):
        load_image(cluster, image, runtime="onnx")
    return image


@pytest.fixture(scope="module")
def tabular(
    cluster: LiveCluster,
    platform: PlatformUnderTest,
    onnx_image: str,
    evidence: Evidence,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tabular]:
    """The tenant, with two Ready pods, as its users get there: import, publish, synth, apply."""
    store = platform.store
    if store is None or not store.ours:
        pytest.skip("Terraform creates the keys of a new tenant in this cluster")
    model, file = gradient_boosting(), BUILD / "onnx.yaml"
    content = yaml.safe_load(platform.file.read_text("utf-8"))
    content["platform"] |= {"image": platform.image, "onnxImage": onnx_image}
    address = f"s3://{contract.MODELS_BUCKET}/{TENANT}/{MODEL}"
    clients = content["tenants"][0]["clients"]
    content["tenants"].append({"name": TENANT, "runtime": "onnx", "model": address, "clients": clients})
    write(content, file)
    folder = _sealed(model, tmp_path_factory.mktemp("onnx"))
    with store.settings() as settings:
        keys = {contract.STORE_ACCESS_KEY_ENV: store.keys[0], contract.STORE_SECRET_KEY_ENV: store.keys[1]}
        place = ("--file", str(file), "--endpoint", str(settings.endpoint))
        _tenantry("publish", TENANT, *place, "--model", str(folder), "--write", **keys)
    digest = yaml.safe_load(file.read_text("utf-8"))["tenants"][-1]["model"].partition("@sha256:")[2]
    run([sys.executable, "-m", "tenantry", "synth", "--file", str(file), "--output", str(DIST)])
    try:
        began = time.monotonic()
        cluster.kubectl.run("apply", "-f", str(DIST / f"{TENANT}.k8s.yaml"))
        cluster.apply(*store.prepare([*platform.tenants, TENANT]).values())
        platform.wait_until_ready([TENANT], seconds=READY_SECONDS)
        evidence.figure("onnx", "seconds from apply to two Ready pods", round(time.monotonic() - began))
        yield Tabular(cluster, platform, model, digest)
    finally:
        cluster.delete("namespace", TENANT)
        cluster.delete("pod", f"tenant-labels-of-{TENANT}", "-n", OTHER_NAMESPACE)
        store.remove([TENANT])


def _sealed(model: RealModel, folder: Path) -> Path:
    """Import the ONNX file with its training rows as the baseline; return the model's folder."""
    source = folder / "model.onnx"
    source.write_bytes(model.onnx)
    rows = str(write_csv(folder / "rows.csv", model))
    described = ("--name", MODEL, "--labels", "malignant,benign", "--baseline", rows)
    _tenantry("import", str(source), *described, "--output", str(folder / MODEL))
    return folder / MODEL


def _tenantry(*arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "tenantry", *arguments]
    done = start(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_pod_has_loaded_the_published_digest_with_onnx_runtime(tabular: Tabular, evidence: Evidence) -> None:
    """The model is that of the address in platform.yaml, and the process that of the second image."""
    assert digest_in_use(tabular.cluster, TENANT) == tabular.digest
    for pod in tabular.cluster.ready_pods(TENANT):
        metrics = tabular.ask(f"pod/{pod['metadata']['name']}", contract.METRICS_PATH).text
        evidence.count("onnx", "pods")
        assert f'digest="{tabular.digest}"' in metrics
        assert 'scorer="onnxruntime ' in metrics


def test_predictions_equal_those_of_the_original_library(tabular: Tabular, evidence: Evidence) -> None:
    """POST /predict with records through the Service; a text tenant answers texts at the same time."""
    answer = tabular.ask(f"service/{service(TENANT)}", contract.PREDICT_PATH, {"inputs": tabular.records})
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    evidence.count("onnx", "predictions", len(found))
    names = ("malignant", "benign")
    assert [each["prediction"] for each in found] == [names[place] for place in tabular.expected.argmax(axis=1)]
    confidences = np.array([each["confidence"] for each in found])
    difference = np.abs(confidences - tabular.expected.max(axis=1)).max()
    evidence.figure("onnx", "largest difference from predict_proba", f"{difference:.1e}")
    assert difference < TOLERANCE
    text = tabular.platform.tenants[0]
    with tabular.cluster.kubectl.port_forward(text, f"service/{service(text)}", contract.PORT) as port:
        other = httpx.post(f"http://127.0.0.1:{port}/predict", json={"text": "Win a prize"}, trust_env=False)
    assert other.json()["prediction"] in {"ham", "spam"}


def test_open_inference_protocol_describes_and_runs_the_model(tabular: Tabular, evidence: Evidence) -> None:
    """Metadata, `infer` with a tensor of all rows, and the protocol's error for a wrong datatype."""
    target, path = f"service/{service(TENANT)}", f"{contract.PROTOCOL_PATH}/models/{MODEL}"
    metadata = tabular.ask(target, path).json()
    (described,) = metadata["inputs"]
    assert (described["datatype"], described["shape"]) == ("FP32", [-1, len(tabular.model.names)])
    assert metadata["versions"] == [tabular.digest[:12]]
    tensor = {**described, "shape": list(tabular.rows.shape), "data": tabular.rows.ravel().tolist()}
    answer = tabular.ask(target, f"{path}/infer", {"inputs": [tensor]})
    assert answer.status_code == 200, answer.text
    outputs = {each["name"]: each for each in answer.json()["outputs"]}
    assert set(outputs) == {each["name"] for each in metadata["outputs"]}
    probabilities = np.array(outputs["probabilities"]["data"]).reshape(outputs["probabilities"]["shape"])
    assert np.abs(probabilities - tabular.expected).max() < TOLERANCE
    wrong = tabular.ask(target, f"{path}/infer", {"inputs": [tensor | {"datatype": "FP64"}]})
    assert (wrong.status_code, list(wrong.json())) == (400, ["error"])
    evidence.count("onnx", "requests of the protocol", 3)


def test_network_isolation_is_that_of_the_others(tabular: Tabular, probes: Probes, evidence: Evidence) -> None:
    """Every cell of the matrix in which this tenant is the client or the target holds."""
    both = Probes(tabular.cluster, probes.image, (*probes.tenants, TENANT), gateway=probes.gateway)
    both.start()
    measured = both.measure(about=TENANT)
    evidence.count("onnx", "connections", sum(len(each.outcomes) for each in measured))
    assert not [str(each) for each in measured if expectation(each) is Cell.CLOSED and each.is_open]
    failed = [each for each in measured if expectation(each) is Cell.OPEN and not each.is_open]
    again = [both.connect(each.client, each.endpoint) for each in failed]  # slow on a busy machine: once more
    evidence.count("onnx", "connections", ATTEMPTS * len(again))
    assert not [str(each) for each in again if not each.is_open]
    kinds = {each.endpoint.kind for each in measured}
    assert kinds >= {each for each in OF_A_TENANT if each is not Target.IPV6}


def test_a_killed_pod_is_replaced_under_load_and_serves_the_same_model(tabular: Tabular, evidence: Evidence) -> None:
    """After SIGKILL, only requests on that pod's connections are lost; the new process loads the same digest."""
    cluster, pod = tabular.cluster, tabular.cluster.ready_pods(TENANT)[0]
    name = pod["metadata"]["name"]
    killer = pods.killer(OTHER_NAMESPACE, image=tabular.platform.image, node=pod["spec"]["nodeName"])
    load = Load(cluster, TENANT, tabular.platform.image)
    cluster.apply(killer)
    try:
        load.start(rate=40, connections=4, seconds=300, body={"inputs": tabular.records[0]})
        cluster.wait_for_pods(OTHER_NAMESPACE, [killer["metadata"]["name"]])
        begin = time.time()
        killed = cluster.python(OTHER_NAMESPACE, killer["metadata"]["name"], "kill", pod["metadata"]["uid"])
        assert killed["killed"] > 0
        cluster.wait("the killed pod to be Ready again", lambda: _restarted(tabular, name), seconds=60)
        recovered = time.time()
        load.wait_for(recovered + 3)
        during, after = load.window(begin, recovered), load.window(recovered + 1, recovered + 3)
    finally:
        load.stop()
        cluster.delete("pod", killer["metadata"]["name"], "-n", OTHER_NAMESPACE)
    evidence.count("onnx", "requests under load", during.requests + after.requests)
    evidence.figure("onnx", "a container killed (SIGKILL: failures are expected and reported)", str(during))
    evidence.figure("onnx", "seconds until the killed pod was Ready again", round(recovered - begin, 1))
    assert during.ok > 0
    assert (after.failed, after.ok > 0) == ({}, True)
    answer = tabular.ask(f"pod/{name}", contract.PREDICT_PATH, {"inputs": tabular.records[0]}).json()
    assert answer["confidence"] == pytest.approx(tabular.expected[0].max(), abs=TOLERANCE)


def test_the_panel_about_drift_has_the_features(tabular: Tabular, evidence: Evidence) -> None:
    """Prometheus scrapes the counts per feature, which the requests of the tests above have changed."""
    queries = [filled(each, tenant=TENANT, rate_interval="5m") for each in (missing_values(), out_of_range())]

    def reason() -> str:
        try:
            with prometheus(tabular.cluster) as api:
                found = [{each["metric"]["feature"] for each in api.query(query)} for query in queries]
        except OSError as error:  # the port is forwarded again
            return f"Prometheus does not answer: {error}"
        return "" if all(found) and set().union(*found) <= set(tabular.model.names) else f"features: {found}"

    tabular.cluster.wait("the panel about drift", reason, seconds=90)
    evidence.count("onnx", "queries about features", len(queries))


def _restarted(tabular: Tabular, name: str) -> str:
    pod = tabular.cluster.kubectl.get("pod", name, "-n", TENANT)
    (status,) = pod["status"]["containerStatuses"]
    return "" if status["restartCount"] and status["ready"] else f"{status['restartCount']} restarts, not ready"
