"""The gateway of the end-to-end suite, without a cluster."""

from typing import Any

import pytest
import yaml

from constructs_lib.platform import Platform
from inference.settings import Settings
from tests import hcl
from tests.e2e import gateway
from tests.e2e.access import GATEWAY_LABELS, PROXY_NAMESPACE, host_name, with_access, write
from tests.e2e.envoy_gateway import CHART, NAMESPACE
from tests.example_platform import EXAMPLE
from tools.chart_facts import chart_arguments, pinned

VALUES = yaml.safe_load((hcl.TERRAFORM / "platform" / "values" / f"{CHART}.yaml").read_text("utf-8"))


class Cluster:
    """A cluster with these API groups, and with or without the controller."""

    def __init__(self, *groups: str, controller: bool = False) -> None:
        self.groups, self.controller, self.kubectl = groups, controller, self

    def serves(self, group: str) -> bool:
        return group in self.groups

    def exists(self, *arguments: str) -> bool:
        return self.controller and arguments == ("deployment", "envoy-gateway", "-n", PROXY_NAMESPACE)


@pytest.mark.parametrize(
    ("cluster", "runs"),
    [
        (Cluster(), False),
        (Cluster("gateway.networking.k8s.io", "gateway.envoyproxy.io"), False),
        (Cluster("gateway.networking.k8s.io", controller=True), True),
    ],
    ids=["no API", "CRDs that a removed controller left", "controller"],
)
def test_without_a_controller_the_tests_do_not_run_and_say_how_to_install_one(cluster: Cluster, *, runs: bool) -> None:
    """The reason becomes a line of the report."""
    reason = gateway.RealGateway(cluster).why_not()  # type: ignore[arg-type]  # a stand-in
    assert (reason == "") is runs
    assert runs or "make e2e-gateway" in reason


def test_the_proxies_run_where_the_tenants_policies_admit_them() -> None:
    """The values of the chart, the namespace of the release and the platform under test agree."""
    deploy: dict[str, Any] = VALUES["config"]["envoyGateway"]["provider"]["kubernetes"]["deploy"]
    assert deploy == {"type": "ControllerNamespace"}
    assert NAMESPACE == PROXY_NAMESPACE
    names = {"name": "owning-gateway-name", "namespace": "owning-gateway-namespace"}
    metadata = next(each["metadata"] for each in gateway.objects() if each["kind"] == "Gateway")
    assert {f"gateway.envoyproxy.io/{label}": metadata[key] for key, label in names.items()} == GATEWAY_LABELS


def test_host_names_are_those_of_the_tenants(tmp_path: Any) -> None:
    """The suite asks under the names that the routes have."""
    platform = Platform.load(write(with_access(EXAMPLE, gateway=True), tmp_path / "platform.yaml"))
    assert [tenant.hostname for tenant in platform.tenants] == [host_name(tenant.name) for tenant in platform.tenants]


def test_a_proxy_closes_idle_connections_before_the_service_does() -> None:
    """In the suite, in what Terraform installs, and in the printed example."""
    limit = Settings.model_fields["keep_alive_seconds"].default
    assert limit > gateway.IDLE_SECONDS
    written = f'idle_timeout = "{gateway.IDLE_SECONDS}s"'
    assert written in hcl.source(hcl.TERRAFORM / "platform" / "modules" / "gateway")
    page = (hcl.TERRAFORM.parent / "docs" / "operations" / "existing-cluster.md").read_text("utf-8")
    assert f"connectionIdleTimeout: {gateway.IDLE_SECONDS}s" in page
    assert f"before the service does, which is after {limit:g} s" in page


def test_helm_finds_each_chart_where_terraform_does() -> None:
    """A registry of images has its name before the chart's, a repository of charts has an option of its own."""
    assert chart_arguments(CHART) == ["oci://docker.io/envoyproxy/gateway-helm", "--version", pinned(CHART)["version"]]
    repository = pinned("metrics-server")["repository"]
    assert chart_arguments("metrics-server")[:3] == ["metrics-server", "--repo", repository]
