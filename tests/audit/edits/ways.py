"""Ways from tenant-a to tenant-b that changing at most three lines of `dist/`, in one file or two, opens completely."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.audit.edits.edit import Edit

_A: Final = "tenant-a.k8s.yaml"
_B: Final = "tenant-b.k8s.yaml"
_PEER: Final = "- podSelector: {}"
_BY_NAME: Final = "- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}"


@dataclass(frozen=True)
class Opened:
    """A way.

    Attributes:
        what: What opens it.
        edits: What changes, at most once per file.
    """

    what: str
    edits: tuple[Edit, ...]

    def change(self, folder: Path) -> set[tuple[str, int]]:
        """Make the edits and return the lines that changed, with their files."""
        return {(str(folder / each.file), line) for each in self.edits for line in each.change(folder)}


def _of_a(what: str, *changes: tuple[str, str, str]) -> Opened:
    return Opened(what, (Edit(what, changes, _A),))


def _of_b(what: str, *changes: tuple[str, str, str]) -> Opened:
    return Opened(what, (Edit(what, changes, _B),))


def _of_both(what: str, of_a: tuple[tuple[str, str, str], ...], of_b: tuple[tuple[str, str, str], ...]) -> Opened:
    return Opened(what, (Edit(what, of_a, _A), Edit(what, of_b, _B)))


_UNENFORCED: Final = ("kind: Namespace", "/enforce: restricted", "/enforce: privileged")
_ACCOUNT_OF_A: Final = (
    "kind: RoleBinding",
    "    name: tenant-b-ml-inference\n    namespace: tenant-b",
    "    name: tenant-a-ml-inference\n    namespace: tenant-a",
)
_SPEC: Final = "      enableServiceLinks: false\n"


def _role(name: str) -> tuple[str, str, str]:
    old = "  kind: Role\n  name: tenant-a-ml-inference"
    return ("roleRef:", old, f"  kind: ClusterRole\n  name: {name}")


WAYS: Final = (
    _of_both(
        "pods of every namespace, both ways",
        (("egress:", _PEER, "- namespaceSelector: {}"),),
        (("ingress:", _PEER, "- namespaceSelector: {}"),),
    ),
    _of_both(
        "each other, by name",
        (("egress:", _PEER, _BY_NAME % "tenant-b"),),
        (("ingress:", _PEER, _BY_NAME % "tenant-a"),),
    ),
    _of_both(
        "empty rules",
        (("name: allow-dns", "  egress:\n", "  egress:\n    - {}\n"),),
        (("name: allow-prometheus", "  ingress:\n", "  ingress:\n    - {}\n"),),
    ),
    _of_both(
        "another namespace in place of Prometheus",
        (("egress:", _PEER, "- namespaceSelector: {}"),),
        (
            ("name: allow-prometheus", "metadata.name: monitoring", "metadata.name: tenant-a"),
            ("name: allow-prometheus", "                  - prometheus\n", "                  - ml-inference\n"),
        ),
    ),
    _of_both(
        "private addresses",
        (
            ("name: allow-world-https", "port: 443", "port: 8000"),
            ("name: allow-world-https", "              - 10.0.0.0/8\n", ""),
        ),
        (("ingress:", _PEER, "- ipBlock: {cidr: 10.0.0.0/8}"),),
    ),
    _of_a(
        "a privileged container",
        _UNENFORCED,
        ("kind: Deployment", "allowPrivilegeEscalation: false", "privileged: true"),
    ),
    _of_a("the processes of the node", _UNENFORCED, ("kind: Deployment", _SPEC, f"{_SPEC}      hostPID: true\n")),
    _of_a(
        "the files of the node",
        _UNENFORCED,
        (
            "kind: Deployment",
            "        - emptyDir:\n            sizeLimit: 64Mi\n",
            "        - hostPath:\n            path: /\n",
        ),
    ),
    _of_a("the network of the node", _UNENFORCED, ("kind: Deployment", _SPEC, f"{_SPEC}      hostNetwork: true\n")),
    _of_a(
        "a strong capability",
        _UNENFORCED,
        (
            "kind: Deployment",
            "            capabilities:\n",
            "            capabilities:\n              add: [SYS_ADMIN]\n",
        ),
    ),
    _of_a(
        "no level at all",
        ("kind: Namespace", "    pod-security.kubernetes.io/enforce: restricted\n", ""),
        ("kind: Deployment", _SPEC, f"{_SPEC}      hostPID: true\n"),
    ),
    _of_a("pods of its choice", _UNENFORCED, ("kind: Role\n", "      - get\n", "      - create\n")),
    _of_a(
        "everything of the core group in its namespace",
        ("kind: Role\n", "      - pods\n", '      - "*"\n'),
        ("kind: Role\n", "      - get\n", '      - "*"\n'),
    ),
    _of_a(
        "a binding in the other namespace",
        ("kind: RoleBinding", "  namespace: tenant-a\nroleRef", "  namespace: tenant-b\nroleRef"),
    ),
    _of_b("the account of the other", _ACCOUNT_OF_A),
    _of_b("Secrets for the account of the other", ("kind: Role\n", "- configmaps", "- secrets"), _ACCOUNT_OF_A),
    _of_b(
        "the accounts of the other as a group",
        (
            "kind: RoleBinding",
            "    kind: ServiceAccount\n    name: tenant-b-ml-inference\n    namespace: tenant-b",
            "    kind: Group\n    name: system:serviceaccounts:tenant-a",
        ),
    ),
    _of_a(
        "administration of the cluster", ("", "kind: RoleBinding", "kind: ClusterRoleBinding"), _role("cluster-admin")
    ),
    _of_a("reading in the whole cluster", ("", "kind: RoleBinding", "kind: ClusterRoleBinding"), _role("view")),
    _of_a(
        "a monitor of every namespace",
        (
            "kind: ServiceMonitor",
            "  selector:\n    matchLabels:\n      tenantry.dev/tenant: tenant-a",
            "  namespaceSelector: {any: true}\n  selector:\n    matchLabels:\n      tenantry.dev/tenant: tenant-b",
        ),
    ),
    _of_a(
        "an alias of the other's Service",
        (
            "kind: Service\n",
            "  type: ClusterIP",
            "  type: ExternalName\n  externalName: tenant-b-ml-inference-svc.tenant-b.svc",
        ),
    ),
)
