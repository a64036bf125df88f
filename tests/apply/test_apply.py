"""`tenantry apply` on a real API server: what it applies, what it skips, what it deletes."""

import json
from collections.abc import Sequence

import pytest
import yaml

from tenantry.cluster.applying import run
from tests.apply.conftest import TENANTS, Applying

NOTHING = "nothing changed: context scratch"
DEPLOYMENT = ("deployment/tenant-b-ml-inference", "--namespace", "tenant-b")


def test_a_second_apply_skips_every_tenant(applying: Applying) -> None:
    """And says that nothing changed."""
    done = applying()
    assert (done.exit_code, NOTHING in done.stdout) == (0, True), done.output
    assert "skipping 3 of 3 tenants" in done.stderr


def test_only_the_tenant_with_a_changed_file_is_applied(applying: Applying) -> None:
    """The others are skipped; the result names the changed object."""
    applying.edit("tenant-b", "maxReplicas: 10", "maxReplicas: 9")
    done = applying()
    assert done.exit_code == 0, done.output
    assert done.stdout.split("\n")[:-1] == ["horizontalpodautoscaler.autoscaling/tenant-b-ml-inference configured"]
    assert "to apply: tenant-b has a changed file" in done.stderr
    assert "skipping 2 of 3 tenants" in done.stderr
    assert NOTHING in applying().stdout


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (("patch", *DEPLOYMENT, "--patch", '{"spec": {"minReadySeconds": 77}}'), "apps/v1/Deployment"),
        (("annotate", *DEPLOYMENT, "note=added"), "apps/v1/Deployment"),
        (("set", "env", *DEPLOYMENT, "ADDED=1"), "apps/v1/Deployment"),
        (("rollout", "restart", *DEPLOYMENT), "apps/v1/Deployment"),
        (
            (
                "patch",
                "role/tenant-b-ml-inference",
                "-n",
                "tenant-b",
                "--type=json",
                "-p",
                '[{"op": "remove", "path": "/rules/0"}]',
            ),
            "rbac.authorization.k8s.io/v1/Role",
        ),
        (("delete", "networkpolicy", "--all", "-n", "tenant-b"), "networking.k8s.io/v1/NetworkPolicy"),
        (
            ("label", "namespace/tenant-b", "pod-security.kubernetes.io/enforce=privileged", "--overwrite"),
            "core/v1/Namespace",
        ),
    ],
    ids=lambda each: " ".join(each[:3]) if isinstance(each, tuple) else "",
)
def test_a_change_by_hand_is_noticed(applying: Applying, change: Sequence[str], name: str) -> None:
    """Even if the file is unchanged; the message names the object."""
    applying.plane.kubectl(*change)
    done = applying()
    assert done.exit_code == 0, done.output
    assert f"to apply: tenant-b was changed on the cluster: {name}" in done.stderr
    assert "skipping 2 of 3 tenants" in done.stderr
    assert NOTHING in applying().stdout
    compared = applying.plane.kubectl("diff", "--filename", str(applying.file("tenant-b")))
    assert compared == ""


def test_an_object_that_kubectl_applied_by_hand_is_noticed(applying: Applying) -> None:
    """It is the same program that applies, and perhaps in the same second."""
    objects = [each for each in yaml.safe_load_all(applying.file("tenant-b").read_text("utf-8")) if each]
    scaler = next(each for each in objects if each["kind"] == "HorizontalPodAutoscaler")
    scaler["spec"]["maxReplicas"] = 3
    applying.plane.kubectl("apply", "--filename", "-", stdin=json.dumps(scaler))
    done = applying()
    assert "tenant-b was changed on the cluster: autoscaling/v2/HorizontalPodAutoscaler" in done.stderr
    assert "horizontalpodautoscaler.autoscaling/tenant-b-ml-inference configured" in done.stdout


def test_what_controllers_write_is_not_a_change(applying: Applying) -> None:
    """The autoscaler scales Deployments, and controllers report the status of objects."""
    applying.plane.kubectl("scale", *DEPLOYMENT, "--replicas=4")
    status = json.dumps({"status": {"observedGeneration": 2, "replicas": 4}})
    applying.plane.kubectl("patch", *DEPLOYMENT, "--subresource=status", "--type=merge", "--patch", status)
    assert NOTHING in applying().stdout


def test_all_applies_what_would_be_skipped(applying: Applying) -> None:
    """Every tenant."""
    done = applying("--all")
    assert done.exit_code == 0, done.output
    assert "applied 3 of 3 tenants" in done.stderr


def test_an_interrupted_apply_continues_where_it_stopped(applying: Applying, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was applied before the interruption is skipped."""
    monkeypatch.setattr(run, "PORTION", 1)
    for tenant in TENANTS:
        applying.edit(tenant, "maxReplicas: 10", "maxReplicas: 8")
    record = run.Runner._record

    def interrupted(self: run.Runner, names: tuple[str, ...], applied: object) -> None:
        if "tenant-b" in names:
            raise KeyboardInterrupt
        record(self, names, applied)  # type: ignore[arg-type]

    monkeypatch.setattr(run.Runner, "_record", interrupted)
    assert applying().exit_code != 0
    monkeypatch.setattr(run.Runner, "_record", record)
    done = applying()
    assert "skipping 1 of 3 tenants" in done.stderr
    assert "applied 2 of 2 tenants" in done.stderr
    assert NOTHING in applying().stdout


def test_a_refused_object_does_not_stop_other_tenants(applying: Applying, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command fails, and the next one tries only the tenant that was refused."""
    monkeypatch.setattr(run, "PORTION", 1)
    for tenant in TENANTS:
        applying.edit(tenant, "maxReplicas: 10", "maxReplicas: 7")
    applying.edit("tenant-b", "maxReplicas: 7", "maxReplicas: -1")
    done = applying()
    assert done.exit_code == 1
    assert "maxReplicas" in done.stderr
    applying.edit("tenant-b", "maxReplicas: -1", "maxReplicas: 7")
    again = applying()
    assert again.exit_code == 0, again.output
    assert "skipping 2 of 3 tenants" in again.stderr


def test_an_object_that_left_the_file_is_deleted(applying: Applying) -> None:
    """And only that one."""
    text = applying.file("tenant-c").read_text("utf-8")
    kept = [each for each in text.split("\n---\n") if "\nkind: PodDisruptionBudget\n" not in f"\n{each}"]
    applying.file("tenant-c").write_text("\n---\n".join(kept), "utf-8")
    done = applying()
    assert done.exit_code == 0, done.output
    assert "to delete: poddisruptionbudget.policy tenant-c-ml-inference" in done.stderr
    assert "poddisruptionbudget.policy/tenant-c-ml-inference pruned" in done.stdout
    left = applying.plane.get("poddisruptionbudgets", "--all-namespaces")["items"]
    assert sorted(each["metadata"]["namespace"] for each in left) == ["tenant-a", "tenant-b"]
    assert NOTHING in applying().stdout


@pytest.mark.parametrize(("verb", "stays"), [("apply", False), ("create", True)])
def test_an_object_with_our_labels_is_deleted_only_if_kubectl_applied_it(
    applying: Applying,
    verb: str,
    stays: bool,  # noqa: FBT001
) -> None:
    """That is how kubectl decides."""
    labels = {
        "app.kubernetes.io/managed-by": "tenantry",
        "app.kubernetes.io/name": "ml-inference",
        "app.kubernetes.io/instance": "tenant-a",
    }
    metadata = {"name": f"by-{verb}", "namespace": "tenant-a", "labels": labels}
    added = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
    applying.plane.kubectl(verb, "--filename", "-", stdin=json.dumps(added))
    assert applying().exit_code == 0
    found = applying.plane.get("configmaps", "--namespace", "tenant-a")["items"]
    assert (f"by-{verb}" in [each["metadata"]["name"] for each in found]) is stays
    assert NOTHING in applying().stdout


def test_a_tenant_without_a_file_is_deleted_only_if_it_is_named(applying: Applying) -> None:
    """All other namespaces stay."""
    applying.plane.kubectl("create", "namespace", "not-ours")
    applying.file("tenant-c").unlink()
    refused = applying()
    assert refused.exit_code == 2
    assert "tenant-c would be deleted" in refused.stderr
    done = applying(confirm="tenant-c")
    assert done.exit_code == 0, done.output
    assert "namespace/tenant-c pruned" in done.stdout
    names = [each["metadata"]["name"] for each in applying.plane.get("namespaces")["items"]]
    assert {"tenant-a", "tenant-b", "not-ours", "monitoring"} <= set(names)
    assert "tenant-c" not in names
    assert NOTHING in applying().stdout
    applying.plane.kubectl("delete", "namespace", "not-ours")
