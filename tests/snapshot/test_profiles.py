"""The manifests of each profile of `platform.cluster.profile`, held against schemas, Pod Security and the audit."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from typer.testing import CliRunner

from audit import read
from audit.contract import contract_findings, loaded
from constructs_lib import charts
from constructs_lib.platform import Platform
from constructs_lib.platform.profiles import PROFILES, ProfileName, derived
from tenantry.cli import app
from tenantry.isolation import contract_of
from tests.kube import Object, by_kind
from tests.snapshot.test_schemas import _validate

NAMES = get_args(ProfileName)
TENANT = "tenant-a"


class YamlExtension(SingleFileSnapshotExtension):
    """Stores a snapshot as YAML."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


def platform(profile: str | None, **settings: Any) -> Platform:
    cluster = {} if profile is None else {"cluster": {"profile": profile}}
    document = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1", **cluster, **settings},
        "tenants": [{"name": TENANT, "model": "s3://models/tenant-a/spam"}],
    }
    return Platform.model_validate(document)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each profile's manifests."""
    folders = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for name, folder in folders.items():
        charts.synth(platform(name), folder)
    return folders


def text_of(folder: Path) -> str:
    return (folder / f"{TENANT}.k8s.yaml").read_text("utf-8")


def objects_of(folder: Path) -> list[Object]:
    return [each for path in sorted(folder.iterdir()) for each in yaml.safe_load_all(path.read_text("utf-8"))]


def test_every_profile_is_defined() -> None:
    assert set(PROFILES) == set(NAMES)


@pytest.mark.parametrize("profile", [name for name in NAMES if PROFILES[name]])
def test_a_profile_gives_its_golden_manifests(
    profile: str, written: dict[str, Path], snapshot: SnapshotAssertion
) -> None:
    """The objects that differ from those of `generic`; dist/ is the golden of all others."""
    golden = snapshot.use_extension(YamlExtension)
    generic, own = (list(yaml.safe_load_all(text_of(written[name]))) for name in ("generic", profile))
    objects = [each for each in own if each not in generic]
    assert len(own) == len(generic)
    assert yaml.safe_dump_all(objects, sort_keys=False, width=200) == golden


@pytest.mark.parametrize("profile", ["generic", "kind", "eks"])
def test_profiles_without_differences_give_what_no_profile_gives(
    profile: str, written: dict[str, Path], tmp_path: Path
) -> None:
    charts.synth(platform(None), tmp_path)
    assert text_of(written[profile]) == text_of(tmp_path)


@pytest.mark.parametrize("profile", NAMES)
def test_a_profiles_manifests_follow_their_schemas(profile: str, written: dict[str, Path]) -> None:
    objects = objects_of(written[profile])
    assert len(objects) > 15
    for each in objects:
        _validate(each)


@pytest.mark.parametrize("profile", NAMES)
def test_a_profiles_pods_meet_restricted(profile: str, written: dict[str, Path]) -> None:
    """The fields that the Pod Security Standard `restricted` requires, whoever chooses the UID."""
    spec = by_kind(objects_of(written[profile]), "Deployment")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"].get("runAsUser", 1) != 0
    assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert all(set(each) <= {"name", "emptyDir"} for each in spec["volumes"])
    for each in spec["containers"]:
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not any("hostPort" in port for port in each["ports"])


@pytest.mark.parametrize("profile", NAMES)
def test_a_profiles_manifests_keep_the_contract_of_its_platform(profile: str, written: dict[str, Path]) -> None:
    wanted = loaded(contract_of(platform(profile)), "contract")
    found = contract_findings(wanted, read.objects([written[profile]], details=True))
    assert [each for each in found if each.state != "warning"] == []


@pytest.mark.parametrize("profile", NAMES)
def test_the_audit_finds_no_way_into_the_tenant(profile: str, written: dict[str, Path], tmp_path: Path) -> None:
    """A pod of another namespace can reach neither the tenant's service nor its other ports."""
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger", "namespace": "default", "labels": {"app": "stranger"}},
        "spec": {"containers": [{"name": "a", "image": "b:1"}]},
    }
    more = tmp_path / "stranger.yaml"
    more.write_text(yaml.safe_dump(stranger), "utf-8")
    arguments = ["audit", "reach", str(written[profile]), str(more), "--format", "csv"]
    shown = CliRunner().invoke(app, arguments)
    rows = [line for line in shown.stdout.splitlines() if "stranger" in line and TENANT in line]
    assert rows, shown.output
    assert not [line for line in rows if "stranger" in line.split(",")[0] and "allowed" in line], rows


def test_openshift_leaves_the_uid_to_the_cluster(written: dict[str, Path]) -> None:
    context = by_kind(objects_of(written["openshift"]), "Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def _policy(folder: Path, name: str) -> Any:
    return by_kind(objects_of(folder), "NetworkPolicy", name)["spec"]["egress"][0]


def test_openshifts_dns_has_another_port_and_namespace(written: dict[str, Path]) -> None:
    rule = _policy(written["openshift"], "allow-dns")
    assert {port["port"] for port in rule["ports"]} == {5353}
    (peer,) = rule["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "openshift-dns"}


def test_gke_allows_the_node_local_cache_by_address_and_by_label(written: dict[str, Path]) -> None:
    peers = _policy(written["gke"], "allow-dns")["to"]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in peers
    assert [each["podSelector"]["matchExpressions"][0]["values"][0] for each in peers if "podSelector" in each] == [
        "kube-dns",
        "node-local-dns",
    ]


def test_aks_excludes_the_address_of_azures_platform(written: dict[str, Path]) -> None:
    excluded = _policy(written["aks"], "allow-world-https")["to"][0]["ipBlock"]["except"]
    assert "168.63.129.16/32" in excluded
    document = platform("aks").model_dump(by_alias=True, mode="json", exclude_unset=True)
    document["tenants"][0]["egress"] = [{"cidr": "168.63.129.0/24", "port": 80}]
    with pytest.raises(ValueError, match="must not overlap"):
        Platform.model_validate(document)


@pytest.mark.parametrize(
    ("profile", "section", "key", "value"),
    [
        ("gke", "dns", "addresses", ["169.254.20.10/32", "10.0.0.10/32"]),
        ("gke", "dns", "cachePodLabels", None),
        ("openshift", "dns", "podLabels", {"dns": "mine"}),
        ("openshift", "pods", "fixedUser", True),
        ("openshift", "monitoring", "namespace", "observability"),
        ("aks", "network", "platformCidrs", []),
    ],
)
def test_every_derived_value_can_be_replaced(profile: str, section: str, key: str, value: Any) -> None:
    """A mapping or list replaces the profile's as a whole; the profile's other values stay."""
    settings = platform(profile, **{section: {key: value}}).platform.model_dump(mode="json", by_alias=True)
    assert settings[section][key] == value
    shown = {(each.section, each.key): is_replaced for each, _, is_replaced in derived(profile, settings)}
    assert shown.pop((section, key)) is True
    assert not any(shown.values())


def test_a_profile_does_not_turn_the_guard_on() -> None:
    assert platform("openshift").platform.guard is None
    guard = platform("openshift", guard=True).platform.guard
    assert guard is not None
    assert guard.exempt_groups == ("system:serviceaccounts:openshift-infra",)
