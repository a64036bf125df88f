"""Steps of paths: to nodes, through proxies, by tokens, and by requests without credentials."""

from pathlib import Path

import pytest

from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import binding, role
from tests.unit.audit.shop import ENFORCED, READER, SHOP, add, run


@pytest.mark.parametrize("spec", ["hostPID: true", "hostNetwork: true"])
def test_a_way_to_the_node_is_only_possible_if_the_namespace_is_not_declared(tmp_path: Path, spec: str) -> None:
    file = tmp_path / "shop.yaml"
    pods = pod("web", namespace="red", spec=spec) + pod("web", namespace="blue")
    deny = policy("deny", DENY_ALL, "red") + policy("deny", DENY_ALL, "blue")
    file.write_text(pods + deny + namespace("blue", ENFORCED))
    undeclared = run(file, "--from", "red", "--to", "blue")
    assert undeclared.exit_code == 3, undeclared.output
    assert run(add(file, namespace("red")), "--from", "red", "--to", "blue").exit_code == 1


def test_a_route_to_a_service_that_may_select_pods_is_a_possible_path(shop: Path) -> None:
    add(
        shop,
        """\
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: next, namespace: blue}
spec: {template: {metadata: {labels: {app: next}}, spec: {containers: [{name: main}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: next, namespace: blue}
spec: {selector: {app: next, rollouts-pod-template-hash: abc}, ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: next, namespace: red}
spec: {rules: [{backendRefs: [{name: next, namespace: blue, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: routes, namespace: blue}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: red}]
  to: [{group: "", kind: Service}]
""",
    )
    result = run(shop, "--from", "red", "--to", "blue")
    assert result.exit_code == 3, result.output
    assert "possible path, 1 step: manifests of red to traffic to blue/next\n" in result.stdout


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/", "leaves-container"),
        ("//var/lib", "leaves-container"),
        ("/etc", "leaves-container"),
        ("/var/lib/etcd/member/", "leaves-container"),
        ("/lib64", "leaves-container"),
        ("/data/", "shares-volume"),
        ("/data/./", "shares-volume"),
        ("/data/red", ""),
        ("/etcetera", ""),
    ],
)
def test_a_path_of_the_node_belongs_to_the_node_or_is_shared_however_it_is_written(
    tmp_path: Path, path: str, rule: str
) -> None:
    def on_host(folder: str) -> str:
        return f"volumes: [{{name: data, hostPath: {{path: {folder}}}}}]"

    file = tmp_path / "shop.yaml"
    file.write_text(
        namespace("red")
        + namespace("blue")
        + policy("deny", DENY_ALL, "red")
        + policy("deny", DENY_ALL, "blue")
        + pod("web", namespace="red", spec=f"{on_host(path)}, automountServiceAccountToken: false")
        + pod("web", namespace="blue", spec=f"{on_host('/data')}, automountServiceAccountToken: false")
    )
    result = run(file, "--from", "red", "--to", "blue")
    assert f" {rule}:" in result.stdout if rule else result.exit_code == 0, result.output


@pytest.mark.parametrize("capability", ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "ALL"])
def test_a_strong_capability_leads_to_the_node_however_it_is_written(tmp_path: Path, capability: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.replace(f"name: red, labels: {ENFORCED}", "name: red, labels: {}"))
    adds = f"[{{name: main, securityContext: {{capabilities: {{add: [{capability}]}}}}}}]"
    add(file, pod("own", namespace="red").replace("[{name: main, ports: []}]", adds))
    assert f"node: container main adds the capability {capability}" in run(file, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize("name", ["web", "web:80", "http:web:80", "https:web:"])
@pytest.mark.parametrize("resource", ["services/proxy", "pods/proxy"])
def test_the_name_of_a_proxy_may_have_a_scheme_and_a_port(shop: Path, resource: str, name: str) -> None:
    bound = binding("proxy", "Role", "proxy", "ServiceAccount", "web", "blue", subject_namespace="red")
    add(shop, role("proxy", "get", resource, "blue", more=f", resourceNames: ['{name}']") + bound)
    add(
        shop, "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: blue}\nspec: {selector: {app: x}}\n"
    )
    add(shop, pod("api", "{app: x}", namespace="blue"))
    reached = "web" if resource == "pods/proxy" else "api"
    assert f"account red/web to traffic to blue/{reached}\n" in run(shop, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize(("kind", "name"), [("User", "system:anonymous"), ("Group", "system:unauthenticated")])
def test_what_requests_without_credentials_may_do_everybody_may(shop: Path, kind: str, name: str) -> None:
    add(shop, READER + binding("all", "Role", "reader", kind, name, "blue"))
    result = run(shop, "--from", "red", "--to", "blue")
    assert "account red/web to Secrets of blue" in result.stdout
    unknown = add(shop, binding("more", "ClusterRole", "elsewhere", kind, name, "blue"))
    assert "unknown-role (not decided)" in run(unknown, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize(("of", "found"), [("kube-public", False), ("tools", True)])
def test_what_everybody_is_meant_to_read_is_not_a_path(shop: Path, of: str, *, found: bool) -> None:
    info = role("info", "get", "configmaps", of, more=", resourceNames: [cluster-info]")
    add(shop, namespace(of, ENFORCED) + info + binding("info", "Role", "info", "User", "system:anonymous", of))
    result = run(shop, "--from", "red", "--to", of)
    assert result.exit_code in {0, 1, 3}
    assert (f"to objects of {of}" in result.stdout) is found


@pytest.mark.parametrize(("audience", "code"), [("", 1), (", audience: sts.example", 3)])
def test_a_token_for_another_audience_is_only_possibly_one_for_the_api(shop: Path, audience: str, code: int) -> None:
    token = f"[{{serviceAccountToken: {{path: token{audience}}}}}]"
    spec = f"automountServiceAccountToken: false, volumes: [{{name: t, projected: {{sources: {token}}}}}]"
    file = add(shop, namespace("tools", ENFORCED) + policy("deny", DENY_ALL, "tools"))
    add(file, pod("robot", namespace="tools", spec=f"serviceAccountName: robot, {spec}"))
    add(file, READER + binding("r", "Role", "reader", "ServiceAccount", "robot", "blue", subject_namespace="tools"))
    add(file, role("shell", "create", "pods/exec", "tools"))
    add(file, binding("shell", "Role", "shell", "ServiceAccount", "web", "tools", subject_namespace="red"))
    assert run(file, "--from", "red", "--to", "blue").exit_code == code


def test_pods_with_the_shared_memory_of_their_node_share_it(tmp_path: Path) -> None:
    def found(level: str, red: str, blue: str) -> str:
        text = SHOP.replace(ENFORCED, level).replace(pod("web", namespace="red"), pod("web", namespace="red", spec=red))
        file = tmp_path / "shop.yaml"
        file.write_text(text.replace(pod("web", namespace="blue"), pod("web", namespace="blue", spec=blue)))
        return run(file, "--from", "red", "--to", "blue").stdout

    both = found("{}", "hostIPC: true", "hostIPC: true")
    assert "path, 1 step: pods red/web to traffic to blue/web\n" in both
    assert "host-ipc: " in both
    assert "host-ipc: " not in found("{}", "hostIPC: true", "hostIPC: false")
    assert "host-ipc: " not in found(ENFORCED, "hostIPC: true", "hostIPC: true")


def test_a_network_to_which_no_policy_applies_is_not_known(shop: Path) -> None:
    text = shop.read_text().replace("namespace: red, labels: {}}", "namespace: red, annotations: {NETWORKS: far}}")
    shop.write_text(text.replace("NETWORKS", "k8s.v1.cni.cncf.io/networks"))
    assert "what pods of Pod red/web reach in the network far" in run(shop, "--from", "red", "--to", "blue").stdout
