"""The checks, with the corresponding checks of other tools."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A check.

    Attributes:
        name: Name of its folder in the suite, with hyphens; for the pending ones, a name of ours in that style.
        suite_id: Its identifier in the suite, or the issue that planned it. Two checks of the suite share one.
        title: What must be true.
        level: Level of its profile: 1 for isolation, 2 for self-service.
        kube_linter: Name of the corresponding check of kube-linter, or empty.
        kubescape: Control of Kubescape, or empty.
        checkov: Policy of Checkov, or empty.
    """

    name: str
    suite_id: str
    title: str
    level: int
    kube_linter: str = ""
    kubescape: str = ""
    checkov: str = ""


BENCHMARKS: Final = (
    Benchmark(
        "block-access-to-cluster-resources",
        "MTB-PL1-CC-CPI-1",
        "no account or member of the tenant may use cluster-scoped resources",
        1,
        "cluster-admin-role-binding",
        "C-0035",
    ),
    Benchmark(
        "block-multitenant-resources",
        "MTB-PL1-BC-CPI-2",
        "no account or member of the tenant may change the objects that isolate its namespace",
        1,
    ),
    Benchmark(
        "block-other-tenant-resources",
        "MTB-PL1-CC-TI-2",
        "no account or member of the tenant may use objects of another tenant",
        1,
    ),
    Benchmark(
        "block-add-capabilities",
        "MTB-PL1-BC-CPI-3",
        "pods that add capabilities are refused",
        1,
        "",
        "C-0046",
        "CKV_K8S_25",
    ),
    Benchmark(
        "require-always-pull-image",
        "MTB-PL1-CC-DI-1",
        "every pod pulls its images with its own credentials",
        1,
        "",
        "C-0123",
        "CKV_K8S_80",
    ),
    Benchmark(
        "require-run-as-non-root-user",
        "MTB-PL1-BC-CPI-4",
        "pods that may run as root are refused",
        1,
        "run-as-non-root",
        "C-0013",
        "CKV_K8S_23",
    ),
    Benchmark(
        "block-privileged-containers",
        "MTB-PL1-BC-CPI-5",
        "privileged pods are refused",
        1,
        "privileged-container",
        "C-0057",
        "CKV_K8S_16",
    ),
    Benchmark(
        "block-privilege-escalation",
        "MTB-PL1-BC-CPI-6",
        "pods whose processes may gain privileges are refused",
        1,
        "privilege-escalation-container",
        "C-0016",
        "CKV_K8S_20",
    ),
    Benchmark(
        "configure-ns-quotas",
        "MTB-PL1-CC-FNS-1",
        "a quota limits CPU, memory and ephemeral storage",
        1,
    ),
    Benchmark(
        "configure-ns-object-quota",
        "MTB-PL1-CC-FNS-2",
        "a quota limits the number of objects of each kind that the tenant can create",
        1,
    ),
    Benchmark(
        "block-use-of-host-path",
        "MTB-PL1-BC-HI-1",
        "pods that mount a path of the node are refused",
        1,
        "sensitive-host-mounts",
        "C-0048",
    ),
    Benchmark(
        "block-use-of-nodeport-services",
        "MTB-PL1-BC-HI-1",
        "the tenant cannot open ports of the nodes",
        1,
        "exposed-services",
        "C-0256",
    ),
    Benchmark(
        "block-use-of-host-networking-and-ports",
        "MTB-PL1-BC-HI-3",
        "pods that use the node's network or ports are refused",
        1,
        "host-network",
        "C-0041, C-0044",
        "CKV_K8S_19, CKV_K8S_26",
    ),
    Benchmark(
        "block-use-of-host-pid",
        "MTB-PL1-BC-HI-4",
        "pods that see the node's processes are refused",
        1,
        "host-pid",
        "C-0038",
        "CKV_K8S_17",
    ),
    Benchmark(
        "block-use-of-host-ipc",
        "MTB-PL1-BC-HI-5",
        "pods that share the node's IPC are refused",
        1,
        "host-ipc",
        "C-0038",
        "CKV_K8S_18",
    ),
    Benchmark(
        "block-ns-quota",
        "MTB-PL1-CC-TI-1",
        "no account or member of the tenant may change its quotas",
        1,
    ),
    Benchmark(
        "block-role-privilege-escalation",
        "MTB-PL2-CC-TI-1",
        "no account or member of the tenant may grant more permissions than it has",
        2,
        "",
        "C-0191",
        "CKV_K8S_157, CKV_K8S_158",
    ),
    Benchmark(
        "create-network-policies",
        "MTB-PL2-BC-OPS-4",
        "the tenant can manage NetworkPolicies itself if the contract allows it",
        2,
    ),
    Benchmark(
        "create-role-bindings",
        "MTB-PL2-BC-OPS-3",
        "the tenant can manage Roles and RoleBindings itself if the contract allows it",
        2,
    ),
    Benchmark(
        "require-pvc",
        "#1198",
        "pods that mount node or network storage without a PersistentVolumeClaim are refused",
        1,
    ),
    Benchmark(
        "require-reclaim-policy-delete",
        "#1199",
        "the tenant's volumes are deleted with their claims",
        1,
    ),
    Benchmark(
        "block-use-of-existing-pvs",
        "#1200",
        "the tenant cannot claim an existing volume",
        1,
    ),
    Benchmark(
        "block-network-across-tenants",
        "#1201",
        "pods of the tenant cannot reach pods of another tenant, and cannot be reached by them",
        1,
        "non-isolated-pod",
        "C-0260",
        "CKV2_K8S_6",
    ),
    Benchmark(
        "self-service-roles",
        "#1202",
        "the tenant can manage Roles itself if the contract allows it",
        2,
    ),
)
"""The 19 checks of the suite, in its order, then those that it planned; #1197 and #1203 are among the 19."""
