"""What Terraform, dist/, platform.yaml's model and the charts' values must agree on."""

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib.monitoring import stack
from constructs_lib.monitoring.load import VOLUME_SHARE, load_of
from constructs_lib.names import PROMETHEUS_NEEDS
from constructs_lib.platform import ModelStore, Monitoring, Platform
from inference import contract
from tests import hcl
from tests.example_platform import EXAMPLE, example_dist

ROOT = hcl.TERRAFORM.parent
PLATFORM = hcl.TERRAFORM / "platform"
CLUSTER = hcl.TERRAFORM / "cluster"
STACK = yaml.safe_load((PLATFORM / "values" / "kube-prometheus-stack.yaml").read_text(encoding="utf-8"))
METRICS_SERVER = yaml.safe_load((PLATFORM / "values" / "metrics-server.yaml").read_text(encoding="utf-8"))


def _documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


DIST = {file.name: _documents(file) for file in sorted(example_dist().glob("*.yaml"))}
LOAD = load_of(Platform.load(EXAMPLE).tenants, maximum=True)
TENANTS = [tenant.name for tenant in Platform.load(EXAMPLE).tenants]


def _of(tenant: str, kind: str, name: str | None = None) -> dict[str, Any]:
    found = [
        each for each in DIST[f"{tenant}.k8s.yaml"] if each["kind"] == kind and name in {None, each["metadata"]["name"]}
    ]
    assert len(found) == 1, f"{tenant} has {len(found)} of kind {kind}"
    return found[0]


def _tests(module: Path) -> str:
    (file,) = module.glob("tests/*.tftest.hcl")
    return file.read_text(encoding="utf-8")


def _policies() -> dict[str, dict[str, Any]]:
    documents = _documents(PLATFORM / "manifests" / "minio-network-policy.yaml")
    return {document["metadata"]["name"]: document for document in documents}


def _contains(whole: Any, part: Any, where: str = "") -> None:
    """Every value of `part` stands in `whole`; a list's items in any place."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{where}.{key} is missing"
            _contains(whole[key], value, f"{where}.{key}")
    elif isinstance(part, list):
        assert [item for item in part if item not in whole] == [], where
    else:
        assert whole == part, where


def test_terraform_repeats_the_models_defaults_as_they_are() -> None:
    """platform.yaml may be silent: then Terraform must assume what the constructs assume."""
    text = hcl.source(PLATFORM / "modules" / "tenants")
    store, monitoring = ModelStore(), Monitoring()
    for value in (store.endpoint, store.namespace, store.region, monitoring.namespace):
        assert f', "{value}")' in text, f"the default {value} is not Terraform's"
    for labels in (store.pod_labels, monitoring.prometheus_labels):
        ((name, value),) = labels.items()
        assert f'{{ "{name}" = "{value}" }}' in text


def test_terraform_reads_what_synth_states_about_prometheus() -> None:
    """The test of the module has the line of dist/, whose documents are separated as Terraform expects."""
    text = (example_dist() / "0-platform.k8s.yaml").read_text(encoding="utf-8")
    assert len(text.split("\n---\n")) == len(DIST["0-platform.k8s.yaml"])
    line = next(each for each in text.splitlines() if PROMETHEUS_NEEDS in each)
    module = PLATFORM / "modules" / "tenants"
    assert line in [each.removeprefix("      ") for each in _tests(module).splitlines()]
    assert f'annotations["{PROMETHEUS_NEEDS}"]' in hcl.source(module)
    assert yaml.safe_load(line)[PROMETHEUS_NEEDS] == json.dumps(
        {"memoryBytes": LOAD.memory, "diskBytesPerDay": LOAD.disk_per_day}
    )


def test_the_charts_values_are_tested_with_the_models_needs_of_a_thousand_tenants() -> None:
    thousand = load_of(Platform.load(EXAMPLE).tenants[:1] * 1000, maximum=True)
    text = _tests(PLATFORM / "modules" / "chart-values")
    assert f"prometheus_needs = {{ memory = {thousand.memory}, disk_per_day = {thousand.disk_per_day} }}" in text
    assert f"usable         = {VOLUME_SHARE}\n" in hcl.source(PLATFORM / "modules" / "chart-values")
    assert f'limits = {{ memory = "{-(-thousand.memory // 2**20)}Mi" }}' in text


def test_buckets_are_the_services_own() -> None:
    variables = hcl.named(hcl.read(PLATFORM / "modules" / "store-access"), "variable")
    assert variables["models_bucket"]["default"] == contract.MODELS_BUCKET
    assert variables["datasets_bucket"]["default"] == contract.DATASETS_BUCKET
    assert variables["artifacts_bucket"]["default"] == contract.ARTIFACTS_BUCKET


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_secret_that_terraform_makes_is_the_one_that_dist_names(tenant: str) -> None:
    made = {(kind, name): body for kind, name, body in hcl.resources(hcl.read(PLATFORM))}[
        "kubernetes_secret_v1", "model_store"
    ]
    assert made["metadata"][0]["name"] == contract.STORE_SECRET_NAME
    assert set(made["data"]) == {contract.STORE_ACCESS_KEY_ENV, contract.STORE_SECRET_KEY_ENV}
    container = _of(tenant, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    references = [entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry]
    assert {reference["name"] for reference in references} == {contract.STORE_SECRET_NAME}
    assert {reference["key"] for reference in references} == set(made["data"])


def test_dist_holds_no_secret_and_terraform_applies_one_file_a_tenant() -> None:
    assert [each["kind"] for file in DIST.values() for each in file if each["kind"] == "Secret"] == []
    assert {f"{tenant}.k8s.yaml" for tenant in TENANTS} <= set(DIST)


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_store_answers_where_dist_looks_for_it(tenant: str) -> None:
    environment = _of(tenant, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    endpoint = next(entry["value"] for entry in environment if entry["name"] == contract.STORE_ENDPOINT_ENV)
    text = hcl.source(PLATFORM)
    assert endpoint == "http://minio-api.minio.svc:9000"
    assert re.search(r'name\s+= "minio-console"', text)
    assert re.search(r"console_port\s+= 9001", text)


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_store_lets_in_whom_dist_sends_there(tenant: str) -> None:
    """Both ends of the way to the store must be open, on the same port, for the same pods."""
    sent = _of(tenant, "NetworkPolicy", "allow-model-store")["spec"]["egress"][0]
    received = _policies()["minio"]["spec"]
    (asked,) = sent["to"][0]["podSelector"]["matchExpressions"]
    assert {asked["key"]: asked["values"][0]} == received["podSelector"]["matchLabels"]
    assert [port["port"] for port in sent["ports"]] == [port["port"] for port in received["ingress"][0]["ports"]]
    (namespaces,) = received["ingress"][0]["from"][0]["namespaceSelector"]["matchExpressions"]
    assert namespaces["operator"] == "Exists"
    assert namespaces["key"] in _of(tenant, "Namespace")["metadata"]["labels"]


def test_the_store_lets_in_nobody_else() -> None:
    (asked,) = _policies()["minio"]["spec"]["ingress"][0]["from"][0]["namespaceSelector"]["matchExpressions"]
    for document in DIST["0-platform.k8s.yaml"]:
        if document["kind"] == "Namespace":
            assert asked["key"] not in document["metadata"]["labels"]
    ports = {
        port["port"] for policy in _policies().values() for rule in policy["spec"]["ingress"] for port in rule["ports"]
    }
    assert ports == {9000}, "the console is open to nobody"
    assert all(policy["spec"]["policyTypes"] == ["Ingress", "Egress"] for policy in _policies().values())


def test_the_values_hold_what_dist_relies_on() -> None:
    _contains(STACK, stack.helm_values())


def test_prometheus_takes_every_tenants_objects() -> None:
    specification = STACK["prometheus"]["prometheusSpec"]
    for kind in ("serviceMonitor", "rule", "podMonitor", "probe", "scrapeConfig"):
        assert specification[f"{kind}SelectorNilUsesHelmValues"] is False
    assert STACK["alertmanager"]["alertmanagerSpec"]["alertmanagerConfigSelector"] == {}
    assert STACK["alertmanager"]["alertmanagerSpec"]["alertmanagerConfigNamespaceSelector"] == {}


@pytest.mark.parametrize("tenant", TENANTS)
def test_prometheus_scrapes_as_often_as_the_monitors_say(tenant: str) -> None:
    intervals = {endpoint["interval"] for endpoint in _of(tenant, "ServiceMonitor")["spec"]["endpoints"]}
    assert intervals == {STACK["prometheus"]["prometheusSpec"]["scrapeInterval"]} == {"30s"}


def test_grafana_listens_where_the_cluster_lets_people_in() -> None:
    service = STACK["grafana"]["service"]
    assert service == {"type": "NodePort", "nodePort": 30080}
    port = hcl.read(CLUSTER)["locals"][0]["grafana_node_port"]
    assert port == service["nodePort"]
    assert hcl.named(hcl.read(CLUSTER), "variable")["grafana_port"]["default"] == service["nodePort"]


def test_grafanas_password_is_terraforms_and_not_the_values() -> None:
    assert STACK["grafana"]["admin"]["existingSecret"]
    assert "adminPassword" not in STACK["grafana"]


def test_every_part_of_the_stack_says_what_it_needs() -> None:
    """A laptop holds all of it: requests are small, and memory has a limit everywhere."""
    parts = {
        "prometheus": STACK["prometheus"]["prometheusSpec"],
        "alertmanager": STACK["alertmanager"]["alertmanagerSpec"],
        **{
            name: STACK[name]
            for name in ("grafana", "prometheusOperator", "kube-state-metrics", "prometheus-node-exporter")
        },
        "metrics-server": METRICS_SERVER,
    }
    for name, part in parts.items():
        assert {"cpu", "memory"} == set(part["resources"]["requests"]), name
        assert "memory" in part["resources"]["limits"], name
    assert STACK["prometheus"]["prometheusSpec"]["retention"]


def test_alerts_have_receivers_that_exist_and_hold_no_address() -> None:
    config = STACK["alertmanager"]["config"]
    receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
    routes = [config["route"], *config["route"]["routes"]]
    assert {route["receiver"] for route in routes} == set(receivers)
    assert all(set(receiver) == {"name"} for receiver in receivers.values())


def test_metrics_server_looks_every_sixty_seconds() -> None:
    assert "--metric-resolution=60s" in METRICS_SERVER["defaultArgs"]
    assert "--kubelet-insecure-tls" not in METRICS_SERVER["defaultArgs"]


def test_the_audit_policy_logs_all_but_named_exceptions_without_bodies() -> None:
    text = (CLUSTER / "audit-policy.yaml").read_text(encoding="utf-8")
    *exceptions, last = yaml.safe_load(text)["rules"]
    assert last == {"level": "Metadata"}
    for rule in exceptions:
        assert rule["level"] == "None"
        health = all(re.fullmatch(r"/(health|live|ready)z\*", url) for url in rule.get("nonResourceURLs", ["-"]))
        leases = rule.get("resources") == [{"group": "coordination.k8s.io", "resources": ["leases"]}]
        assert health or leases, f"an exception that is neither health check nor lease: {rule}"
        if leases:
            who = rule.get("users", []) + rule.get("userGroups", [])
            assert who, "the leases of tenants are logged"
            assert all(name.startswith("system:") for name in who)


def test_every_exception_of_the_audit_policy_has_its_reason() -> None:
    lines = (CLUSTER / "audit-policy.yaml").read_text(encoding="utf-8").splitlines()
    groups = [list(group) for blank, group in itertools.groupby(lines, key=lambda line: not line.strip()) if not blank]
    for group in groups:
        if any("- level:" in line for line in group):
            first = next(index for index, line in enumerate(group) if "- level:" in line)
            assert group[first - 1].lstrip().startswith("#"), group


def test_each_version_is_pinned_in_one_place() -> None:
    """An updater moves one line; tests and people's documents may repeat it."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pins = {"88.5.3", "RELEASE.2025-09-07T16-13-09Z", "RELEASE.2025-08-13T08-35-41Z", "kindest/node:v1.34.0"}
    pins |= {"14cea493d9a34af32f524e538b8346cf79f3321eff8e708c1e2960462bd8936e"}
    for pin in pins:
        places = [
            name
            for name in tracked
            if not name.startswith(
                ("tests/", "docs/", "terraform/platform/tests/", "terraform/cluster/tests/", "CHANGELOG")
            )
            and not name.endswith((".lock", "README.md", ".png"))
            and (ROOT / name).is_file()
            and pin.encode() in (ROOT / name).read_bytes()
        ]
        assert len(places) == 1, f"{pin} stands in {places}"


def test_images_are_named_by_digest_where_one_is_known() -> None:
    text = hcl.source(PLATFORM) + hcl.source(CLUSTER)
    for image in ("quay.io/minio/minio", "kindest/node"):
        assert re.search(rf"{image}:[A-Za-z0-9.-]+@sha256:[0-9a-f]{{64}}", text), image
