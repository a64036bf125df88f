"""What is read, what is refused, and where messages point."""

import json
import re
from pathlib import Path

import pytest

from audit import AuditError, Cluster, ReadError, Verdict, read
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import DENY_ALL, admin, baseline, namespace, pod, policy

WEB, DB = pod("web", "{app: web}"), pod("db", "{app: db}")


def problem(cluster: Build, text: str) -> str:
    """The message about the only defect of a text, without the folder's name."""
    with pytest.raises(ReadError) as error:
        cluster(text)
    assert len(error.value.problems) == 1, str(error.value)
    return re.sub(r"^.*?cluster\.yaml", "cluster.yaml", str(error.value))


SPECS = {
    "spec: {podSelector: {}, policyTypes: [ingress]}": "the policy type 'ingress' does not exist",
    "spec: {podSelector: {}, policyType: [Ingress]}": "unknown field 'spec.policyType'",
    "spec: {ingress: [{form: []}]}": "unknown field 'spec.ingress.form'",
    "spec: {ingress: [{from: [{}]}]}": "a peer is empty",
    "spec: {ingress: [{from: [{podSelector: null}]}]}": "a peer is empty",
    "spec: {ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}": "has an ipBlock and a selector",
    "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}": "'10.0.0.0' is not a CIDR",
    "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/40}}]}]}": "'10.0.0.0/40' is not a CIDR",
    "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}": "11.0.0.0/16 is not inside",
    "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}": "10.0.0.0/8 is not inside",
    "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['::/0']}}]}]}": "::/0 is not inside 10.0.0.0/8",
    "spec: {ingress: [{ports: [{port: 0}]}]}": "the port 0 does not exist",
    "spec: {ingress: [{ports: [{port: '8080'}]}]}": "the port name '8080' is not valid",
    "spec: {ingress: [{ports: [{port: 80, protocol: tcp}]}]}": "the protocol 'tcp' does not exist",
    "spec: {ingress: [{ports: [{port: 80, endPort: 79}]}]}": "the endPort 79 is out of range",
    "spec: {ingress: [{ports: [{endPort: 79}]}]}": "endPort without port",
    "spec: {ingress: [{ports: [{port: http, endPort: 90}]}]}": "endPort with a named port",
    "spec: {podSelector: {matchLabels: {a: b c}}}": "the label a has the invalid value 'b c'",
    "spec: {podSelector: {matchLabels: {a: true}}}": "the label a has the value 'True', which is not a string",
    "spec: {podSelector: {matchLabels: {a: yes}}}": "the label a has the value 'True', which is not a string",
    "spec: {podSelector: {matchLabels: {'a b': c}}}": "the label key 'a b' is not valid",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}": "the operator 'in'",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: In}]}}": "the operator In of 'a' has no values",
    "spec: {podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}": "Exists of 'a' has values",
    "spec: {ingress: {}}": "spec.ingress: Expected `array | null`, got `object`",
}


@pytest.mark.parametrize("spec", SPECS)
def test_a_policy_that_the_api_server_would_reject_is_an_error_with_line_and_rule(cluster: Build, spec: str) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\n{spec}\n"
    message = problem(cluster, text)
    assert message.startswith("cluster.yaml:5: NetworkPolicy shop/p: ")
    assert SPECS[spec] in message
    assert re.search(r"[^.]\. [A-Z'].*\.$", message), message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (admin("a", 1001, "subject: {namespaces: {}}"), "spec.priority: Expected `int` <= 1000"),
        (admin("a", 1, "subject: {}"), "the subject is not one of namespaces and pods"),
        (admin("a", 1, "subject: {namespaces: {}}, ingress: [{action: allow, from: [{namespaces: {}}]}]"), "'allow'"),
        (admin("a", 1, "subject: {namespaces: {}}, ingress: [{action: Allow}]"), "the rule has no from"),
        (
            admin("a", 1, "subject: {namespaces: {}}, ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]"),
            "an ingress peer is neither namespaces nor pods",
        ),
        (
            admin("a", 1, "subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [10.0.0.1/8]}]}]"),
            "10.0.0.1/8 is not a network",
        ),
        (baseline("subject: {namespaces: {}}, ingress: [{action: Pass, from: [{namespaces: {}}]}]"), "'Pass'"),
        (baseline("priority: 1, subject: {namespaces: {}}"), "unknown field priority or tier"),
    ],
)
def test_an_invalid_admin_policy_is_an_error(cluster: Build, text: str, expected: str) -> None:
    assert expected in problem(cluster, text)


def test_all_defects_are_reported_at_once_and_the_rest_can_be_read(cluster: Build) -> None:
    text = WEB + policy("one", "{policyTypes: [X]}") + "---\nkind: {a\n" + policy("two", "{ingres: []}") + DB
    with pytest.raises(ReadError) as error:
        cluster(text)
    assert [each.line for each in error.value.problems] == [10, 13, 17]
    kept = cluster(text, keep_going=True)
    assert {each.reference for each in kept.workloads} == {"shop/web", "shop/db"}
    assert len(kept.problems) == 3


def test_what_an_invalid_policy_could_affect_is_unknown(cluster: Build) -> None:
    kept = cluster(WEB + DB + pod("far", namespace="far") + policy("p", "{policyTypes: [X]}"), keep_going=True)
    answer = kept.verdict("shop/web", "shop/db", 80)
    assert answer.verdict is Verdict.UNKNOWN
    assert "NetworkPolicy shop/p" in answer.missing[0]
    assert kept.verdict("far/far", "far/far", 80).verdict is Verdict.ALLOWED


OPAQUE = {
    "CiliumNetworkPolicy": ("cilium.io/v2", "shop"),
    "NetworkPolicy": ("crd.projectcalico.org/v1", "shop"),
    "GlobalNetworkPolicy": ("projectcalico.org/v3", None),
    "CiliumClusterwideNetworkPolicy": ("cilium.io/v2", None),
    "AdminNetworkPolicy": ("policy.networking.k8s.io/v1alpha9", None),
    "AuthorizationPolicy": ("security.istio.io/v1", "shop"),
}


@pytest.mark.parametrize("kind", OPAQUE)
def test_a_policy_of_an_unsupported_kind_makes_verdicts_unknown_by_name(cluster: Build, kind: str) -> None:
    version, where = OPAQUE[kind]
    meta = f"{{name: odd, namespace: {where}}}" if where else "{name: odd}"
    foreign = f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {meta}\nspec: {{anything: 1}}\n"
    far = pod("far", namespace="far") + pod("further", namespace="far")
    found = cluster(WEB + DB + far + foreign + policy("deny", DENY_ALL))
    answer = found.verdict("shop/web", "shop/db", 80)
    assert answer.verdict is Verdict.UNKNOWN
    assert kind in answer.missing[0]
    assert "odd" in answer.missing[0]
    elsewhere = found.verdict("far/far", "far/further", 80).verdict
    assert elsewhere is (Verdict.ALLOWED if where else Verdict.UNKNOWN)


def test_staged_policies_are_not_enforced(cluster: Build) -> None:
    staged = "---\napiVersion: projectcalico.org/v3\nkind: StagedNetworkPolicy\nmetadata: {name: x, namespace: shop}\n"
    assert cluster(WEB + DB + staged).verdict("shop/web", "shop/db", 80).verdict is Verdict.ALLOWED


HOSTILE = {
    "a: &a [*a]": "the alias *a is inside its own anchor",
    "a: &a {b: *a}": "the alias *a is inside its own anchor",
    "a: *nothing": "the alias *nothing has no anchor",
    "a: 1\na: 2": "the key 'a' appears twice",
    "[" * 5000: "nesting is deeper than 200 levels",
    "- " * 5000 + "a": "nesting is deeper than 200 levels",
    "{a: " * 5000: "nesting is deeper than 200 levels",
    "a: b: c": "mapping values are not allowed",
    "a: 'b": "unexpected end of stream",
    "\ta: b": "cannot start any token",
    "? [a]\n: b": "a key is not a string",
    "a: \x07": "control characters are not allowed",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_text_that_is_not_yaml_or_not_safe_is_an_error(cluster: Build, text: str) -> None:
    assert HOSTILE[text] in problem(cluster, f"{WEB}---\n{text}\n")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n", "render it first"),
        (f"{WEB}apiVersion: v1\nkind: Pod\n", "A line '---' between two documents is missing."),
    ],
)
def test_common_mistakes_in_text_are_named(cluster: Build, text: str, hint: str) -> None:
    assert hint in problem(cluster, text)


def test_aliases_that_multiply_are_refused_before_they_expand(cluster: Build) -> None:
    """A billion laughs."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "aliases expand to more than 2,000,000 values" in problem(cluster, "\n".join(lines))


def test_two_megabytes_of_labels_are_refused_in_a_short_message(cluster: Build) -> None:
    message = problem(cluster, pod("web", "{app: " + "x" * 2_000_000 + "}"))
    assert "(2,000,000 characters)" in message
    assert len(message) < 500


def test_many_valid_labels_are_read(cluster: Build) -> None:
    labels = ", ".join(f"key-{number}: value-{number}" for number in range(60_000))
    assert len(cluster(pod("web", f"{{{labels}}}")).workloads) == 1


def test_lists_dumps_and_json_are_read_as_their_items(cluster: Build, tmp_path: Path) -> None:
    items = [
        {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"name": "c"}]}},
        {"metadata": {"name": "db", "namespace": "shop"}, "spec": {"containers": [{"name": "c"}]}},
    ]
    typed = {"kind": "PodList", "apiVersion": "v1", "items": items}
    plain = {
        "kind": "List",
        "apiVersion": "v1",
        "items": [{"kind": "Pod", "apiVersion": "v1", **each} for each in items],
    }
    for number, document in enumerate((typed, plain)):
        file = tmp_path / f"dump-{number}.json"
        file.write_text(json.dumps(document, indent=2))
        assert {each.reference for each in read.objects([file]).workloads} == {"shop/web", "shop/db"}
    assert {each.reference for each in cluster(json.dumps(plain)).workloads} == {"shop/web", "shop/db"}


def test_evidence_in_a_list_points_at_the_line_of_the_item(tmp_path: Path) -> None:
    spec = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]}
    meta = {"name": "p", "namespace": "shop"}
    items = [
        {"kind": "Pod", "apiVersion": "v1", "metadata": {**meta, "name": name}, "spec": {"containers": []}}
        for name in ("web", "db")
    ]
    items.append({"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": meta, "spec": spec})
    file = tmp_path / "dump.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": items}, indent=2))
    (item,) = read.objects([file]).verdict("shop/web", "shop/db", 80).evidence
    lines = file.read_text().splitlines()
    assert item.rule == "spec.podSelector"
    assert lines[item.line - 1].strip() == item.text == '"podSelector": {},'


KINDS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Job": "batch/v1",
    "Rollout": "argoproj.io/v1alpha1",
    "Service": "serving.knative.dev/v1",
}
TEMPLATE = "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}}"


def templated(kind: str, version: str, spec: str = f"{{template: {TEMPLATE}}}") -> str:
    """A workload with a pod template."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\nspec: {spec}\n"


@pytest.mark.parametrize("kind", KINDS)
def test_everything_with_a_pod_template_is_a_workload(cluster: Build, kind: str) -> None:
    (workload,) = cluster(templated(kind, KINDS[kind])).workloads
    assert (workload.kind, workload.reference) == (kind, "shop/web")
    assert workload.pods[0].labels.known["app"] == "web"
    assert [port.number for port in workload.pods[0].ports] == [80]


def test_a_cronjob_has_its_template_one_level_deeper(cluster: Build) -> None:
    spec = f"{{jobTemplate: {{spec: {{template: {TEMPLATE}}}}}}}"
    (workload,) = cluster(templated("CronJob", "batch/v1", spec)).workloads
    assert workload.reference == "shop/web"
    assert workload.pods[0].labels.known["app"] == "web"


def test_a_label_that_only_a_controller_knows_is_unknown(cluster: Build) -> None:
    text = templated("StatefulSet", "apps/v1")
    rule = "{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: web-0}}}"
    found = cluster(
        text + DB + policy("p", f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{rule}]}}]}}")
    )
    answer = found.verdict("shop/web", "shop/db", 80)
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.missing == ("a controller sets the value of statefulset.kubernetes.io/pod-name on shop/web",)


def test_pods_of_a_dump_stand_under_the_workload_that_owns_them() -> None:
    def owned(kind: str, name: str, owner: tuple[str, str] | None, **more: object) -> dict[str, object]:
        meta: dict[str, object] = {"name": name, "namespace": "shop", "labels": {"app": "web"}}
        if owner:
            meta["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
        return {"apiVersion": "apps/v1" if kind != "Pod" else "v1", "kind": kind, "metadata": meta, **more}

    template = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}}
    spec: dict[str, object] = {"containers": []}
    objects = [
        owned("Deployment", "web", None, spec=template),
        owned("ReplicaSet", "web-1", ("Deployment", "web"), spec=template),
        owned("ReplicaSet", "web-0", ("Deployment", "web"), spec=template),
        owned("Pod", "web-1-a", ("ReplicaSet", "web-1"), spec=spec, status={"podIP": "10.0.0.1"}),
        owned("Pod", "web-1-b", ("ReplicaSet", "web-1"), spec=spec, status={"podIP": "10.0.0.2"}),
        owned("Pod", "gone", ("ReplicaSet", "web-1"), spec=spec, status={"phase": "Succeeded"}),
    ]
    cluster = read.objects(objects)
    (workload,) = cluster.workloads
    assert workload.kind == "Deployment"
    assert workload.pods[0].names == ("web-1-a", "web-1-b")
    assert cluster.verdict("shop/web-1-a", "10.0.0.2", 80).destination == "10.0.0.2"


def test_the_same_object_twice_is_read_once_and_two_versions_of_it_are_an_error(cluster: Build) -> None:
    assert len(cluster(WEB + WEB).workloads) == 1
    assert "declared twice, differently. It first stands in" in problem(cluster, WEB + pod("web", "{app: other}"))


def test_namespaces_that_are_only_mentioned_have_their_name_and_unknown_labels(cluster: Build) -> None:
    def found(rule: str) -> Verdict:
        spec = f"{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {rule}}}}}]}}]}}"
        text = WEB + pod("far", namespace="far") + policy("p", spec)
        return cluster(text).verdict("far/far", "shop/web", 80).verdict

    assert found("{kubernetes.io/metadata.name: far}") is Verdict.ALLOWED
    assert found("{kubernetes.io/metadata.name: near}") is Verdict.DENIED
    assert found("{team: red}") is Verdict.UNKNOWN


def test_kinds_without_use_are_not_parsed(cluster: Build) -> None:
    text = WEB + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken\n" + namespace("shop")
    assert cluster(text).inventory.objects == 3


def test_files_that_hold_no_objects_are_left_out_and_nothing_at_all_is_an_error(cluster: Build, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("replicas: 2\n")
    with pytest.raises(AuditError, match="holds no object"):
        read.objects([tmp_path / "values.yaml"])
    with pytest.raises(AuditError, match="no such file or folder"):
        read.objects([tmp_path / "missing.yaml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AuditError, match=r"has no \.yaml"):
        read.objects([tmp_path / "empty"])
    (tmp_path / "latin.yaml").write_bytes(b"kind: \xff")
    with pytest.raises(AuditError, match="not UTF-8"):
        read.objects([tmp_path / "latin.yaml"])
    assert len(cluster("replicas: 2\n" + WEB).workloads) == 1


def test_globs_and_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yml").write_text(WEB)
    (tmp_path / "b.yaml").write_text(DB)
    (tmp_path / "notes.txt").write_text("not: [yaml")

    def found(path: str) -> set[str]:
        return {each.name for each in read.objects([path]).workloads}

    assert found(str(tmp_path)) == {"web", "db"}
    assert found(f"{tmp_path}/*.yaml") == {"db"}
    assert found(f"{tmp_path}/**/*.yml") == {"web"}


def test_scalars_resolve_as_kubernetes_reads_them(cluster: Build) -> None:
    def value(text: str) -> Cluster:
        return cluster(pod("web", f"{{app: {text}}}"))

    for text in ("2024-01-01", "'yes'", '"1"', "v1", "0x"):
        value(text)
    for text in ("1", "1.5", "true", "on", "0x1f", "1e3"):
        with pytest.raises(ReadError, match="not a string"):
            value(text)
