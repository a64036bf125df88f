"""Paths through controllers: webhooks, aggregated APIs, GitOps, stores and copies of Secrets."""

from pathlib import Path

import pytest

from audit import read
from audit.paths import Paths
from tests.unit.audit.manifests import DENY_ALL, namespace, policy
from tests.unit.audit.roles import account, binding, role

ENFORCED = "{pod-security.kubernetes.io/enforce: restricted, team: %s}"
BASE = "".join(namespace(each, ENFORCED % each) + policy("deny", DENY_ALL, each) for each in ("red", "blue"))


def given(version: str, kind: str, of: str, rest: str, more: str = "") -> str:
    where = f", namespace: {of}" if of else ""
    return f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: it{where}{more}}}\n{rest}\n"


def ways(tmp_path: Path, text: str) -> set[tuple[str, str, bool]]:
    """The last rule, the end and whether it is certain of each path from red to blue."""
    file = tmp_path / "all.yaml"
    file.write_text(BASE + text)
    found = Paths(read.objects([file], details=True)).find(["red"], ["blue"])
    return {(each.steps[-1].rule, str(each.end), each.certain) for each in found}


def webhook(
    resources: str, kind: str = "MutatingWebhookConfiguration", more: str = "", of: str = "red", groups: str = "['*']"
) -> str:
    rules = f"[{{apiGroups: {groups}, apiVersions: ['*'], operations: ['*'], resources: {resources}}}]"
    client = f"{{service: {{name: hook, namespace: {of}}}}}"
    hooks = f"webhooks: [{{name: a.b.c, clientConfig: {client}, rules: {rules}{more}}}]"
    return given("admissionregistration.k8s.io/v1", kind, "", hooks)


@pytest.mark.parametrize(
    ("text", "ends", "certain"),
    [
        (webhook("['*']"), {"objects of blue", "Secrets of blue", "new pods of blue"}, True),
        (webhook("['*']", "ValidatingWebhookConfiguration"), {"objects of blue", "Secrets of blue"}, True),
        (webhook("[secrets]"), {"objects of blue", "Secrets of blue"}, True),
        (webhook("[deployments]"), {"objects of blue", "new pods of blue"}, True),
        (webhook("[configmaps]"), {"objects of blue"}, True),
        (webhook("['*']", groups="[networking.istio.io]"), {"objects of blue"}, True),
        (webhook("['*/*']", groups="[cert-manager.io, acme.cert-manager.io]"), {"objects of blue"}, True),
        (webhook("['*']", groups="[apps]"), {"objects of blue", "new pods of blue"}, True),
        (webhook("['*']", groups="['']"), {"objects of blue", "Secrets of blue", "new pods of blue"}, True),
        (webhook("[configmaps]", more=", matchConditions: [{name: a, expression: x}]"), {"objects of blue"}, False),
        (webhook("[configmaps]", more=", namespaceSelector: {matchLabels: {team: blue}}"), {"objects of blue"}, True),
        (webhook("['*']", more=", namespaceSelector: {matchLabels: {team: red}}"), set(), True),
        (webhook("['*']", of="blue"), set(), True),
        (webhook("['*']").replace("resources: ['*']", "scope: Cluster, resources: ['*']"), set(), True),
    ],
)
def test_a_webhook_of_a_tenant_sees_and_changes_objects_of_others(
    tmp_path: Path, text: str, ends: set[str], *, certain: bool
) -> None:
    assert ways(tmp_path, text) == {("webhook", each, certain) for each in ends}


def test_an_aggregated_api_of_a_tenant_gets_the_requests_of_others(tmp_path: Path) -> None:
    api = given("apiregistration.k8s.io/v1", "APIService", "", "spec: {service: {name: api, namespace: red}}")
    assert ways(tmp_path, api) == {("serves-the-api", "objects of blue", False)}
    assert ways(tmp_path, api.replace("namespace: red", "namespace: blue")) == set()


EVERYTHING = {("administers", "everything in blue", False)}


@pytest.mark.parametrize(
    ("version", "kind"),
    [("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ("helm.toolkit.fluxcd.io/v2", "HelmRelease")],
)
def test_flux_applies_with_the_controllers_permissions_unless_an_account_is_named(
    tmp_path: Path, version: str, kind: str
) -> None:
    assert ways(tmp_path, given(version, kind, "red", "spec: {}")) >= EVERYTHING
    assert ways(tmp_path, given(version, kind, "red", "spec: {serviceAccountName: robot}")) == set()
    assert ways(tmp_path, given(version, kind, "red", "spec: {kubeConfig: {secretRef: {name: x}}}")) == set()


def test_a_kustomization_of_kustomize_itself_is_not_one_of_flux(tmp_path: Path) -> None:
    assert ways(tmp_path, given("kustomize.config.k8s.io/v1beta1", "Kustomization", "red", "resources: []")) == set()


@pytest.mark.parametrize(
    ("destinations", "expected"),
    [
        ("[{namespace: '*'}]", {("applies-manifests", "everything in blue", False)}),
        ("[{namespace: b*}]", {("applies-manifests", "everything in blue", False)}),
        ("[{namespace: red}]", set()),
        ("[{namespace: '*'}, {namespace: '!blue'}]", set()),
    ],
)
def test_the_project_of_an_application_decides_where_argo_applies_it(
    tmp_path: Path, destinations: str, expected: set[tuple[str, str, bool]]
) -> None:
    application = given("argoproj.io/v1alpha1", "Application", "red", "spec: {project: it}")
    assert ways(tmp_path, application) >= EVERYTHING
    spec = f"spec: {{sourceNamespaces: [re*], destinations: {destinations}}}"
    project = given("argoproj.io/v1alpha1", "AppProject", "argocd", spec)
    for text in (
        application,
        given("argoproj.io/v1alpha1", "ApplicationSet", "red", "spec: {template: {spec: {project: it}}}"),
    ):
        assert ways(tmp_path, text + project) == expected
        assert ways(tmp_path, text + project.replace("re*", "/r.*/")) == expected
        assert ways(tmp_path, text + project.replace("re*", "green")) == set()
        assert ways(tmp_path, text + project.replace("argocd", "red").replace("re*", "")) == expected


def test_who_may_write_such_objects_may_have_the_cluster(tmp_path: Path) -> None:
    may = role("apply", "create", "kustomizations", "tools", groups="[kustomize.toolkit.fluxcd.io]")
    bound = binding("apply", "Role", "apply", "ServiceAccount", "web", "tools", subject_namespace="red")
    assert ways(tmp_path, may + bound + account("web", "red")) >= EVERYTHING


STORE = given(
    "external-secrets.io/v1", "ClusterSecretStore", "", "spec: {provider: {kubernetes: {remoteNamespace: blue}}}"
)
ENTRY = "data: [{remoteRef: {key: database}}]"


def external(entry: str = ENTRY, kind: str = "ClusterSecretStore") -> str:
    spec = f"spec: {{secretStoreRef: {{kind: {kind}, name: it}}, {entry}}}"
    return given("external-secrets.io/v1", "ExternalSecret", "red", spec)


def test_who_may_write_external_secrets_reads_what_stores_of_the_cluster_hold(tmp_path: Path) -> None:
    may = role("fill", "create", "externalsecrets", "red", groups="[external-secrets.io]")
    may += binding("fill", "Role", "fill", "ServiceAccount", "web", "red", subject_namespace="red")
    may += account("web", "red")
    assert ways(tmp_path, may + STORE) == {("reads-stores", "Secrets of blue", True)}
    vault = STORE.replace("kubernetes: {remoteNamespace: blue}", "vault: {}")
    others = external().replace("namespace: red", "namespace: blue")
    assert ways(tmp_path, may + vault + others) == {("reads-stores", "Secret blue/it", True)}
    assert ways(tmp_path, may + vault) == set()
    assert ways(tmp_path, vault + others) == set()


@pytest.mark.parametrize("kind", ["grpcroutes", "tlsroutes", "tcproutes", "gateways", "referencegrants"])
def test_who_may_write_routes_gateways_or_grants_has_the_traffic(tmp_path: Path, kind: str) -> None:
    may = role("route", "create", kind, "blue", groups="[gateway.networking.k8s.io]")
    bound = binding("route", "Role", "route", "ServiceAccount", "web", "blue", subject_namespace="red")
    assert ways(tmp_path, may + bound + account("web", "red")) == {("routes-traffic", "traffic of blue", True)}


def test_a_store_of_the_cluster_reads_secrets_of_the_namespace_that_it_names(tmp_path: Path) -> None:
    assert ways(tmp_path, STORE + external()) == {("reads-store", "Secret blue/database", True)}
    assert ways(tmp_path, STORE + external("dataFrom: [{find: {}}]")) == {("reads-store", "Secrets of blue", True)}
    (way,) = Paths(read.objects([tmp_path / "all.yaml"], details=True)).find(["red"], ["blue"])
    assert "is filled by ClusterSecretStore it with Secrets of blue" in way.steps[-1].sentence
    limited = STORE.replace("spec: {", "spec: {conditions: [{namespaces: [red]}], ")
    assert ways(tmp_path, limited + external()) == {("reads-store", "Secret blue/database", False)}
    assert ways(tmp_path, STORE.replace("blue", "red") + external()) == set()
    assert ways(tmp_path, STORE + external(kind="SecretStore")) == set()
    assert ways(tmp_path, STORE.replace("kubernetes", "vault") + external()) == set()


ALLOWED = "replicator.v1.mittwald.de/replication-allowed"


@pytest.mark.parametrize(
    ("annotations", "copied"),
    [
        ("reflector.v1.k8s.emberstack.com/reflection-allowed: 'true'", True),
        ("reflector.v1.k8s.emberstack.com/reflection-allowed: 'false'", False),
        (f"{ALLOWED}: 'true'", True),
        ("replicator.v1.mittwald.de/replicate-to: 'green,re.'", True),
        ("replicator.v1.mittwald.de/replicate-to: green", False),
        (
            f"{ALLOWED}: 'true', {ALLOWED}-namespaces: 'green'",
            False,
        ),
    ],
)
def test_a_secret_that_a_controller_may_copy_is_a_possible_path(
    tmp_path: Path, annotations: str, *, copied: bool
) -> None:
    secret = given("v1", "Secret", "blue", "type: Opaque", f", annotations: {{{annotations}}}")
    assert ways(tmp_path, secret) == ({("copies-secret", "Secret blue/it", False)} if copied else set())
