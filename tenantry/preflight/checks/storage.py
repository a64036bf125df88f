"""The default storage class, for the volumes of components that Terraform installs."""

from collections.abc import Iterator

from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_REQUIRED = "a default class, for the volumes of Prometheus and MinIO if `tenantry up` installs them"


def check_storage(inspected: Inspected) -> Iterator[Finding]:
    """Tenants need no volume, but Prometheus and MinIO do."""
    classes = inspected.api.items("/apis/storage.k8s.io/v1/storageclasses") or []
    default = [each for each in classes if each["metadata"].get("annotations", {}).get(_DEFAULT) == "true"]
    if default:
        found = ", ".join(f"{each['metadata']['name']} ({each['provisioner']})" for each in default)
        yield Finding(status=Status.OK, found=found, required=_REQUIRED)
        return
    names = ", ".join(each["metadata"]["name"] for each in classes)
    yield Finding(
        status=Status.WARNING,
        found=f"no default class; classes: {names}" if names else "no storage class",
        required=_REQUIRED,
        fix="set storage_class in terraform/platform/terraform.tfvars if Terraform installs Prometheus or MinIO",
    )
