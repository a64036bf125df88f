"""Storage of several namespaces: which volumes are the same, however they are written."""

from pathlib import Path

import pytest

from audit import read
from audit.paths import Paths
from tests.unit.audit.manifests import DENY_ALL, namespace, policy

ENFORCED = "{pod-security.kubernetes.io/enforce: restricted}"
CLAIM = "persistentVolumeClaim: {claimName: data}"
CSI_SMB = "csi: {driver: smb.csi.k8s.io, volumeHandle: %s, volumeAttributes: {source: //files/x, subdir: %s}}"
CSI_NFS = "csi: {driver: nfs.csi.k8s.io, volumeHandle: %s, volumeAttributes: {server: files, share: %s}}"


def pod(of: str, volume: str, mounts: str = "[{name: data, mountPath: /data}]") -> str:
    container = f"{{name: main, volumeMounts: {mounts}}}"
    spec = f"automountServiceAccountToken: false, containers: [{container}], volumes: [{{name: data, {volume}}}]"
    return f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: {of}}}\nspec: {{{spec}}}\n"


def reserved(of: str, source: str, claim: str = "data") -> str:
    """A volume that is reserved for a claim of a namespace."""
    head = f"---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: of-{of}}}\n"
    return f"{head}spec: {{claimRef: {{namespace: {of}, name: {claim}}}, {source}}}\n"


def ways(tmp_path: Path, text: str, level: str = ENFORCED) -> list[tuple[str, str, bool]]:
    """The rule, the end and whether it is certain of each path from red to blue."""
    file = tmp_path / "all.yaml"
    spaces = "".join(namespace(each, level) + policy("deny", DENY_ALL, each) for each in ("red", "blue"))
    file.write_text(spaces + text)
    found = Paths(read.objects([file], details=True)).find(["red"], ["blue"])
    return [(each.steps[-1].rule, str(each.end), each.certain) for each in found]


SHARED = [("shares-volume", "pods blue/web", True)]


@pytest.mark.parametrize(
    ("mine", "other", "shared"),
    [
        ("nfs: {server: files, path: /x}", "nfs: {server: files, path: /x/}", True),
        ("nfs: {server: files, path: /x}", "nfs: {server: files, path: /x/blue}", True),
        ("nfs: {server: files, path: /}", "nfs: {server: files, path: /x/blue}", True),
        ("nfs: {server: files, path: /x/red}", "nfs: {server: files, path: /x}", False),
        ("nfs: {server: files, path: /x}", "nfs: {server: files, path: /x-blue}", False),
        ("nfs: {server: files, path: /x}", "nfs: {server: others, path: /x}", False),
        (CSI_NFS % ("a", "/x"), CSI_NFS % ("b", "/x"), True),
        (CSI_NFS % ("a", "/x"), "nfs: {server: files, path: /x}", True),
        (CSI_NFS % ("a", "/x"), CSI_NFS % ("b", "/y"), False),
        (CSI_NFS % ("a", "/, subdir: pvc-1"), CSI_NFS % ("b", "/, subdir: pvc-2"), False),
        (CSI_NFS % ("a", "/x"), CSI_NFS % ("b", "/, subDir: x/pvc-2"), True),
        (CSI_SMB % ("a", "pvc-1"), CSI_SMB % ("b", "pvc-2"), False),
        (CSI_SMB % ("a", "pvc-1"), CSI_SMB % ("b", "pvc-1"), True),
        ("csi: {driver: disks, volumeHandle: one}", "csi: {driver: disks, volumeHandle: one}", True),
        ("csi: {driver: disks, volumeHandle: one}", "csi: {driver: disks, volumeHandle: two}", False),
        ("cephfs: {monitors: [a, b], path: /x}", "cephfs: {monitors: [b, a], path: /x/y}", True),
        ("rbd: {monitors: [a], pool: p, image: i}", "rbd: {monitors: [a], pool: p, image: i}", True),
        ("rbd: {monitors: [a], pool: p, image: i}", "rbd: {monitors: [a], pool: p, image: j}", False),
        ("azureDisk: {diskURI: one}", "azureDisk: {diskURI: one}", True),
        ("local: {path: /srv/x}", "hostPath: {path: /srv/x/blue}", True),
    ],
)
def test_the_same_storage_and_a_folder_in_it_are_found_however_they_are_written(
    tmp_path: Path, mine: str, other: str, *, shared: bool
) -> None:
    text = pod("red", CLAIM) + pod("blue", CLAIM) + reserved("red", mine) + reserved("blue", other)
    assert ways(tmp_path, text) == (SHARED if shared else [])


def local(node: str) -> str:
    term = f"{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]}}"
    return f"local: {{path: /mnt/disk}}, nodeAffinity: {{required: {{nodeSelectorTerms: [{term}]}}}}"


@pytest.mark.parametrize(
    ("mine", "other", "certain"),
    [
        (local("one"), local("one"), [True]),
        (local("one"), local("two"), []),
        (local("one"), "hostPath: {path: /mnt/disk/x}", [False]),
        ("hostPath: {path: /mnt}", local("one"), [False]),
        (local("one, two"), local("one, two"), [True]),
    ],
)
def test_the_same_folder_of_two_nodes_is_not_the_same_storage(
    tmp_path: Path, mine: str, other: str, certain: list[bool]
) -> None:
    text = reserved("red", mine) + reserved("blue", other)
    assert ways(tmp_path, pod("red", CLAIM) + pod("blue", CLAIM) + text) == [(*SHARED[0][:2], each) for each in certain]
    unused = [("shares-claim", "volume blue/data", each) for each in certain]
    assert ways(tmp_path, pod("red", CLAIM) + text) == unused


NFS = "nfs: {server: files, path: /x}"


@pytest.mark.parametrize(
    ("mine", "other", "shared"),
    [
        ("[{name: data, subPath: red}]", "[{name: data, subPath: blue}]", False),
        ("[{name: data, subPath: red}]", "[{name: data}]", False),
        ("[{name: data}]", "[{name: data, subPath: blue}]", True),
        ("[{name: data, subPath: all}]", "[{name: data, subPath: all/blue}]", True),
        ("[{name: data, subPath: red}, {name: data, subPath: blue}]", "[{name: data, subPath: blue}]", True),
        ("[{name: data, subPathExpr: $(POD)}]", "[{name: data, subPath: blue}]", True),
        ("[]", "[{name: data, subPath: blue}]", True),
    ],
)
def test_a_sub_path_is_all_that_a_container_has_of_a_volume(
    tmp_path: Path, mine: str, other: str, *, shared: bool
) -> None:
    assert ways(tmp_path, pod("red", NFS, mine) + pod("blue", NFS, other)) == (SHARED if shared else [])


def stateful(volume: str) -> str:
    """A StatefulSet of red that claims a volume per pod."""
    return f"""\
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db, namespace: red}}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      containers: [{{name: main, volumeMounts: [{{name: data}}]}}]
  volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{{volume}}}}}]
"""


def test_the_claims_that_a_stateful_set_makes_count(tmp_path: Path) -> None:
    blue = pod("blue", NFS)
    for claim, expected in (("data-db-0", SHARED), ("data-db-12", SHARED), ("data-web-0", []), ("data-db-x", [])):
        assert ways(tmp_path, stateful("") + blue + reserved("red", NFS, claim)) == expected
    assert ways(tmp_path, stateful("volumeName: of-green") + blue + reserved("green", NFS)) == SHARED


def test_the_volume_that_an_ephemeral_claim_names_counts(tmp_path: Path) -> None:
    own = pod("red", "ephemeral: {volumeClaimTemplate: {spec: {volumeName: of-green}}}") + pod("blue", NFS)
    assert ways(tmp_path, own + reserved("green", NFS)) == SHARED
    assert ways(tmp_path, own + reserved("green", "nfs: {server: files, path: /y}")) == []
    assert ways(tmp_path, own + reserved("red", NFS, "web-data")) == SHARED


def test_a_csi_volume_of_a_pod_counts_by_the_share_that_it_names(tmp_path: Path) -> None:
    share = "csi: {driver: nfs.csi.k8s.io, volumeAttributes: {server: files, share: /x}}"
    assert ways(tmp_path, pod("red", share) + pod("blue", NFS)) == SHARED
    secrets = "csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: vault}}"
    assert ways(tmp_path, pod("red", secrets) + pod("blue", secrets)) == []


def test_a_host_path_is_shared_unless_pod_security_refuses_it(tmp_path: Path) -> None:
    both = pod("red", "hostPath: {path: /srv/x}") + pod("blue", "hostPath: {path: /srv/x}")
    assert ways(tmp_path, both, "{}") == SHARED
    assert ways(tmp_path, both) == []
    undeclared = both.replace("namespace: red", "namespace: far")
    file = tmp_path / "all.yaml"
    deny = policy("deny", DENY_ALL, "far") + policy("deny", DENY_ALL, "blue")
    file.write_text(undeclared + deny + namespace("blue"))
    cluster = read.objects([file], details=True)
    (way,) = [each for each in Paths(cluster).find(["far"], ["blue"]) if each.steps[-1].rule == "shares-volume"]
    assert not way.certain


def test_the_storage_of_a_claim_that_no_pod_mounts_counts(tmp_path: Path) -> None:
    text = pod("red", NFS) + reserved("blue", "nfs: {server: files, path: /x/blue}")
    assert ways(tmp_path, text) == [("shares-claim", "volume blue/data", True)]
    assert ways(tmp_path, text.replace("/x/blue", "/y")) == []


def test_a_claim_that_is_filled_from_another_namespace_needs_a_grant(tmp_path: Path) -> None:
    source = "{kind: PersistentVolumeClaim, name: data, namespace: %s}"
    claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: copy, namespace: red}\n"
    text = f"{claim}spec: {{dataSourceRef: {source % 'blue'}}}\n"
    referrer = '{group: "", kind: PersistentVolumeClaim, namespace: red}'
    grant = (
        "---\napiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"
        "metadata: {name: copies, namespace: blue}\n"
        f'spec: {{from: [{referrer}], to: [{{group: "", kind: PersistentVolumeClaim}}]}}\n'
    )
    assert ways(tmp_path, text + grant) == [("copies-volume", "volume blue/data", False)]
    assert ways(tmp_path, text) == []
    assert ways(tmp_path, text.replace("namespace: blue", "namespace: red") + grant) == []
