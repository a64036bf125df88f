"""Access to the model store: the authority of its certificate, and an identity instead of keys."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib.platform import Platform, PlatformError
from constructs_lib.synthesis import manifests
from tests.certificates import Authority
from tests.kube import by_kind

HEAD = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: example/image:1
  modelStore:
    endpoint: https://s3.example
    namespace: null
"""
TENANTS = """\
tenants:
  - {name: tenant-a, model: "s3://models/tenant-a/spam"}
  - {name: tenant-b, model: "s3://models/tenant-b/spam"}
  - {name: tenant-file, model: "file:/models/spam"}
"""
IDENTITY = """\
    workloadIdentity:
      roleArn: arn:aws:iam::123456789012:role/models-{tenant}
      annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/models-{tenant}"}
"""


def load(folder: Path, store: str, head: str = HEAD) -> Platform:
    file = folder / "platform.yaml"
    file.write_text(head + store + TENANTS)
    return Platform.load(file)


def synth(folder: Path, store: str, tenant: str = "tenant-b") -> list[Any]:
    manifests.synth(load(folder, store), folder / "dist")
    return list(yaml.safe_load_all((folder / "dist" / f"{tenant}.k8s.yaml").read_text()))


def pod_of(objects: list[Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The environment, the mounts by name and the volumes by name of the tenant's pods."""
    spec = by_kind(objects, "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return (
        {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]},
        {each["name"]: each for each in container["volumeMounts"]},
        {each["name"]: each for each in spec["volumes"]},
    )


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Authority(tmp_path_factory.mktemp("authority")).file.read_text()


def test_certificates_of_a_file_are_mounted_and_named_to_the_service(tmp_path: Path, pem: str) -> None:
    (tmp_path / "store.pem").write_text(pem)
    objects = synth(tmp_path, "    caBundle: {file: store.pem}\n")
    assert by_kind(objects, "ConfigMap")["data"] == {"ca.crt": pem}
    environment, mounts, volumes = pod_of(objects)
    assert environment["INFERENCE_STORE_CA_FILE"] == "/etc/tenantry/model-store-ca/ca.crt"
    assert mounts["model-store-ca"]["mountPath"] == "/etc/tenantry/model-store-ca"
    assert volumes["model-store-ca"]["configMap"] == {
        "name": "model-store-ca",
        "items": [{"key": "ca.crt", "path": "ca.crt"}],
    }


def test_a_tenant_whose_model_is_in_its_image_gets_no_certificates(tmp_path: Path, pem: str) -> None:
    (tmp_path / "store.pem").write_text(pem)
    objects = synth(tmp_path, "    caBundle: {file: store.pem}\n", tenant="tenant-file")
    assert not [each for each in objects if each["kind"] == "ConfigMap"]
    environment, mounts, _ = pod_of(objects)
    assert "INFERENCE_STORE_CA_FILE" not in environment
    assert "model-store-ca" not in mounts


def test_certificates_of_another_config_map_are_mounted(tmp_path: Path) -> None:
    objects = synth(tmp_path, "    caBundle: {configMap: company-roots, key: roots.pem}\n")
    assert not [each for each in objects if each["kind"] == "ConfigMap"]
    environment, _, volumes = pod_of(objects)
    assert environment["INFERENCE_STORE_CA_FILE"] == "/etc/tenantry/model-store-ca/ca.crt"
    assert volumes["model-store-ca"]["configMap"] == {
        "name": "company-roots",
        "items": [{"key": "roots.pem", "path": "ca.crt"}],
    }


def test_an_identity_replaces_the_secret(tmp_path: Path) -> None:
    """The token is for the store's audience alone, and expires."""
    objects = synth(tmp_path, IDENTITY)
    environment, mounts, volumes = pod_of(objects)
    assert "AWS_ACCESS_KEY_ID" not in environment
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["AWS_ROLE_ARN"] == "arn:aws:iam::123456789012:role/models-tenant-b"
    folder = mounts["model-store-token"]["mountPath"]
    assert environment["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{folder}/token"
    (source,) = volumes["model-store-token"]["projected"]["sources"]
    assert source["serviceAccountToken"] == {
        "audience": "sts.amazonaws.com",
        "expirationSeconds": 3600,
        "path": "token",
    }
    account = by_kind(objects, "ServiceAccount")
    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/models-tenant-b"
    }
    assert account["automountServiceAccountToken"] is False, "no token for the API server"
    spec = by_kind(objects, "Deployment")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("    caBundle: {file: absent.pem}\n", r"caBundle\.file.*must be a file that can be read \(No such file"),
        ('    caBundle: {pem: "x"}\n', r"caBundle\.pem.*must contain certificates as PEM"),
        ('    caBundle: {pem: ""}\n', r"caBundle\.pem.*must contain certificates as PEM \(no certificate\)"),
        ('    caBundle: {pem: "-----BEGIN PRIVATE KEY-----"}\n', r"must not contain a private key"),
        ("    caBundle: {}\n", r"must have exactly one of 'file', 'pem' and 'configMap'"),
        ('    caBundle: {file: absent.pem, pem: "x"}\n', r"must have exactly one of 'file', 'pem' and 'configMap'"),
        (IDENTITY.replace("role/models-{tenant}\n", "role/all\n"), r"roleArn.*must contain \{tenant\}"),
        (IDENTITY + "      stsEndpoint: http://sts.example\n", r"stsEndpoint.*must begin with https"),
        (IDENTITY + "      stsEndpoint: https://10.0.0.9:9443\n", r"stsEndpoint.*must be reachable, but the egress of"),
        (IDENTITY + "      stsEndpoint: https://sts.other.svc\n", r"stsEndpoint.*must be outside the cluster"),
        (IDENTITY.replace("eks.amazonaws.com/role-arn:", '"a b":'), r"must contain valid names of annotations"),
    ],
)
def test_rejects_what_cannot_work(tmp_path: Path, store: str, message: str) -> None:
    with pytest.raises(PlatformError, match=f"(?s){message}"):
        load(tmp_path, store)


IN_CLUSTER = HEAD.replace("https://s3.example", "https://minio.store.svc:9000").replace("null", "store")


def test_a_store_in_the_cluster_may_exchange_the_token_itself(tmp_path: Path) -> None:
    assert load(tmp_path, IDENTITY + "      stsEndpoint: https://minio.store.svc:9000\n", IN_CLUSTER)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "https://minio.store.svc:9001",
            "must be outside the cluster, or a Service with the namespace and the port of the store",
        ),
        ("https://10.0.0.9:9443", "must be reachable, but the egress of tenant-a, tenant-b allows only public"),
    ],
)
def test_rejects_another_server_that_no_pod_can_reach(tmp_path: Path, address: str, message: str) -> None:
    """Although the store itself is in the cluster."""
    with pytest.raises(PlatformError, match=f"(?s)stsEndpoint.*{message}"):
        load(tmp_path, IDENTITY + f"      stsEndpoint: {address}\n", IN_CLUSTER)


PROXY = "defaults:\n  proxy: http://192.0.2.9:3128\n  egress: [{cidr: 192.0.2.0/24, port: 3128}]\n"


def test_a_proxy_is_named_to_the_service(tmp_path: Path) -> None:
    environment, _, _ = pod_of(synth(tmp_path, PROXY))
    assert environment["INFERENCE_STORE_PROXY"] == "http://192.0.2.9:3128"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("192.0.2.9:3128", "user:word@192.0.2.9:3128", r"proxy.*must not contain credentials"),
        ("port: 3128", "port: 443", r"proxy.*must be reachable, but the egress of"),
        ("192.0.2.9:3128", "proxy.other.svc:3128", r"proxy.*must be outside the cluster"),
    ],
)
def test_rejects_a_proxy_that_no_pod_can_use(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(PlatformError, match=f"(?s){message}"):
        load(tmp_path, PROXY.replace(old, new))


def test_rejects_a_proxy_to_a_store_in_the_cluster(tmp_path: Path) -> None:
    head = HEAD.replace("https://s3.example", "http://s3.store.svc:9000").replace("null", "store")
    with pytest.raises(PlatformError, match=r"(?s)proxy.*must be absent: the store is in the namespace store"):
        load(tmp_path, PROXY, head)


def test_rejects_an_authority_without_tls(tmp_path: Path) -> None:
    head = HEAD.replace("https://s3.example", "http://s3.store.svc:9000").replace("null", "store")
    with pytest.raises(PlatformError, match=r"(?s)caBundle.*needs an endpoint with TLS"):
        load(tmp_path, "    caBundle: {configMap: roots}\n", head)
