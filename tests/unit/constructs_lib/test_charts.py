"""The files of dist/: one for the platform and one per tenant, and what overrides change in them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cdk8s_plus_28 as kplus
import pytest
import yaml
from cdk8s import ApiObjectMetadata, Chart

from constructs_lib import IsolatedTenant, charts
from constructs_lib.errors import PropsError
from constructs_lib.inputs import PlatformInput, PrometheusNeeds
from constructs_lib.monitoring.load import load_of
from constructs_lib.platform import Platform
from constructs_lib.platform.alerts import RUNBOOK
from constructs_lib.platform.guard import Guard
from constructs_lib.synthesis import manifests
from tests.kube import Object, by_kind
from tests.paths import ROOT, TEMPLATE

TENANT = {"name": "tenant-a", "model": "s3://models/tenant-a/spam"}


def synth(folder: Path, platform: Platform, **overrides: Any) -> dict[str, list[Object]]:
    charts.synth(platform, folder, **overrides)
    return {path.name: list(yaml.safe_load_all(path.read_text(encoding="utf-8"))) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    file = tmp_path_factory.mktemp("first") / "platform.yaml"
    file.write_text(TEMPLATE.read_text("utf-8"), encoding="utf-8")
    return Platform.load(file)


def test_one_file_for_the_platform_and_one_for_each_tenant(tmp_path: Path, shipped: Platform) -> None:
    assert sorted(synth(tmp_path, shipped)) == ["0-platform.k8s.yaml", "tenant-a.k8s.yaml", "tenant-b.k8s.yaml"]


def test_the_platforms_file_has_the_monitoring_namespace_and_the_dashboard(tmp_path: Path, shipped: Platform) -> None:
    namespace, dashboard = synth(tmp_path, shipped)["0-platform.k8s.yaml"]
    ours = {"app.kubernetes.io/part-of": "tenantry", "app.kubernetes.io/managed-by": "tenantry"}
    assert namespace["kind"] == "Namespace"
    assert {key: namespace["metadata"][key] for key in ("name", "labels")} == {"name": "monitoring", "labels": ours}
    assert dashboard["metadata"] == {
        "name": "tenantry-dashboard",
        "namespace": "monitoring",
        "labels": {**ours, "grafana_dashboard": "1"},
    }
    ((name, text),) = dashboard["data"].items()
    assert name.endswith(".json")
    assert len(json.loads(text)["panels"]) == 8
    assert len(yaml.safe_dump(dashboard)) < 262_144 / 2  # what a client-side apply can carry


def test_the_monitoring_namespace_states_what_prometheus_needs(tmp_path: Path, shipped: Platform) -> None:
    """The figures are those of the model, at the maximum number of pods; Terraform computes none of its own."""
    namespace, _ = synth(tmp_path, shipped)["0-platform.k8s.yaml"]
    load = load_of(shipped.tenants, maximum=True)
    assert json.loads(namespace["metadata"]["annotations"]["tenantry.dev/prometheus-needs"]) == {
        "memoryBytes": load.memory,
        "diskBytesPerDay": load.disk_per_day,
    }


def test_a_fork_sets_the_runbook_once(tmp_path: Path, shipped: Platform) -> None:
    """Every alert and panel links to `defaults.alerts.runbook`, and none to the default address."""
    document = shipped.model_dump(by_alias=True, mode="json", exclude_unset=True) | {"tenants": [TENANT]}
    fork = Platform.model_validate(document | {"defaults": {"alerts": {"runbook": "https://runbook.example/"}}})
    charts.synth(fork, tmp_path)
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        assert text.count("https://runbook.example/#inference") > 10, file.name
        assert RUNBOOK not in text, file.name


def test_files_of_tenants_differ_only_in_the_name(tmp_path: Path, shipped: Platform) -> None:
    synth(tmp_path, shipped)
    one, two = ((tmp_path / f"{name}.k8s.yaml").read_text(encoding="utf-8") for name in ("tenant-a", "tenant-b"))
    assert one.replace("tenant-a", "tenant-b") == two


def test_a_tenants_file_does_not_depend_on_other_tenants(tmp_path: Path, shipped: Platform) -> None:
    """Adding or removing a tenant changes no other file."""
    alone = shipped.model_copy(update={"tenants": shipped.tenants[1:]})
    name = "tenant-b.k8s.yaml"
    assert synth(tmp_path / "one", alone)[name] == synth(tmp_path / "two", shipped)[name]


def test_an_image_and_a_model_override_change_nothing_else(tmp_path: Path, shipped: Platform) -> None:
    plain = synth(tmp_path / "plain", shipped)
    other = synth(tmp_path / "other", shipped, image="service:dev", model="s3://models/{tenant}/other")
    for tenant in ("tenant-a", "tenant-b"):
        found = _container(other[f"{tenant}.k8s.yaml"])
        assert found["image"] == "service:dev"
        assert found["env"][0] == {"name": "INFERENCE_MODEL_URI", "value": f"s3://models/{tenant}/other"}
        was = _container(plain[f"{tenant}.k8s.yaml"])
        found["image"], found["env"][0] = was["image"], was["env"][0]
    assert other == plain


def test_a_tenants_own_settings_reach_its_file(tmp_path: Path, shipped: Platform) -> None:
    data: dict[str, Any] = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "a/b:1", "monitoring": {"namespace": "observability"}},
        "tenants": [
            {
                "name": "own",
                "image": "c/d:2",
                "model": "s3://models/own/m",
                "imagePullSecrets": ["registry"],
                "alerts": {"quotaRatio": 0.5},
                "receiver": {"type": "webhook", "secretName": "hook"},
                "autoscaling": {"maxReplicas": 4},
                "egress": [{"cidr": "192.0.2.0/24", "port": 5432}],
            }
        ],
    }
    files = synth(tmp_path, Platform.model_validate(data))
    assert by_kind(files["0-platform.k8s.yaml"], "Namespace")["metadata"]["name"] == "observability"
    own = files["own.k8s.yaml"]
    assert _container(own)["image"] == "c/d:2"
    assert by_kind(own, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 4
    assert by_kind(own, "NetworkPolicy", "allow-egress-0")
    assert by_kind(own, "AlertmanagerConfig")
    assert by_kind(own, "Deployment")["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    ours = synth(tmp_path / "shipped", shipped)["tenant-a.k8s.yaml"]
    renamed = json.loads(json.dumps(by_kind(ours, "PrometheusRule")).replace("tenant-a", "own"))
    assert renamed["spec"] != by_kind(own, "PrometheusRule")["spec"]


def _container(objects: list[Object]) -> Object:
    found: Object = by_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def test_constructs_beside_the_file_belong_to_the_tenant(shipped: Platform, tmp_path: Path) -> None:
    """They are in its manifest, in its namespace, and have the labels by which `tenantry apply` finds them."""

    def extra(chart: Chart, tenant: IsolatedTenant) -> None:
        assert tenant.name == "tenant-a"
        kplus.ConfigMap(chart, "words", data={"a": "b"})
        kplus.ConfigMap(chart, "elsewhere", metadata=ApiObjectMetadata(namespace="other", name="kept"))

    plain = synth(tmp_path / "plain", shipped)
    files = synth(tmp_path / "extended", shipped, extend={"tenant-a": extra})
    assert files | {"tenant-a.k8s.yaml": []} == plain | {"tenant-a.k8s.yaml": []}
    ours, theirs = plain["tenant-a.k8s.yaml"], files["tenant-a.k8s.yaml"]
    assert theirs[: len(ours)] == ours
    words, elsewhere = theirs[len(ours) :]
    assert words["metadata"]["namespace"] == "tenant-a"
    assert elsewhere["metadata"]["namespace"] == "other"
    assert words["metadata"]["labels"] == {
        "app.kubernetes.io/name": "ml-inference",
        "app.kubernetes.io/instance": "tenant-a",
        "app.kubernetes.io/part-of": "tenantry",
        "app.kubernetes.io/managed-by": "tenantry",
        "tenantry.dev/tenant": "tenant-a",
    }


def test_constructs_for_an_unknown_tenant_are_refused(shipped: Platform, tmp_path: Path) -> None:
    with pytest.raises(PropsError, match=r"'extend' \(tenant-z\) must be a tenant of platform.yaml"):
        manifests.synth(shipped, tmp_path, extend={"tenant-z": lambda *_: None})


def test_a_home_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    """Without its cache jsii takes a second longer, and the manifests are written."""
    file = tmp_path / "platform.yaml"
    file.write_text(TEMPLATE.read_text("utf-8"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JSII_")}
    done = subprocess.run(
        [sys.executable, "-m", "tenantry", "synth", "--file", str(file), "--output", str(tmp_path / "dist")],
        env=environment | {"HOME": "/dev/null"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dist").is_dir()


@pytest.mark.parametrize(("tenants", "fits"), [(3_000, True), (6_000, False)])
def test_shared_objects_that_kubectl_cannot_apply_are_refused(
    shipped: Platform,
    tmp_path: Path,
    tenants: int,
    fits: bool,  # noqa: FBT001
) -> None:
    """With names of 46 characters, the longest; the message names the object, its size and the limit."""
    settings = shipped.platform.model_copy(update={"guard": Guard()})
    names = tuple(f"t{number:045}" for number in range(tenants))
    needs = PrometheusNeeds(memory=2**40, disk_per_day=2**40)
    runbook = "https://example.test/"
    item = PlatformInput(settings=settings, runbook=runbook, tenants=names, images=(), prometheus=needs)
    if fits:
        charts.write(item, tmp_path)
    else:
        with pytest.raises(PropsError, match=r"'tenants' \(6,000\) make the .* too large: it has .* several clusters"):
            charts.write(item, tmp_path)
