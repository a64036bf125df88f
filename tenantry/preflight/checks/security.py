"""Pod Security admission, and who chooses the UID of pods."""

from collections.abc import Iterator
from typing import Final

from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Setting, Status

_SYSTEM: Final = "kube-system"
_LABEL: Final = "pod-security.kubernetes.io/enforce=restricted"
_REQUIRED: Final = "Pod Security admission, which enforces the standard `restricted` in the tenants' namespaces"
_CONSTRAINTS: Final = "security.openshift.io/v1"


def check_pod_security(inspected: Inspected) -> Iterator[Finding]:
    """A dry run of the label on a namespace whose pods break the standard is answered with warnings."""
    if inspected.probe and inspected.probe.privileged_refused:
        found = "active: a privileged pod in the namespace of the probe was refused"
        yield Finding(status=Status.OK, found=found, required=_REQUIRED)
        return
    said = inspected.api.warnings("label", "--overwrite", "namespace", _SYSTEM, _LABEL)
    if any("violate the new PodSecurity" in line for line in said):
        found = f"active: a dry run warns about the pods of {_SYSTEM}"
        yield Finding(status=Status.OK, found=found, required=_REQUIRED)
    else:
        found = f"a dry run of the label {_LABEL} on {_SYSTEM} was not answered with warnings"
        fix = "turn the admission plugin PodSecurity on; without it, the labels of namespaces have no effect"
        if inspected.probe:
            found = "a privileged pod was not refused in a namespace that enforces the standard"
        yield Finding(status=Status.WARNING, found=found, required=_REQUIRED, fix=fix)


def check_user(inspected: Inspected) -> Iterator[Finding]:
    """OpenShift refuses a fixed UID."""
    fixed = inspected.settings.pods.fixed_user
    required = f"pods {'may run as UID 1000' if fixed else 'run under the UID that the cluster assigns'}"
    if inspected.api.kinds(_CONSTRAINTS) is None:
        yield Finding(status=Status.OK, found="the cluster does not restrict UIDs", required=required)
        return
    found = "OpenShift's security context constraints assign the UID and refuse a fixed one"
    setting = Setting(section="pods", key="fixedUser", value=False)
    if fixed:
        yield Finding(status=Status.BLOCKING, found=found, required=required, settings=(setting,))
    else:
        yield Finding(status=Status.OK, found=found, required=required)
