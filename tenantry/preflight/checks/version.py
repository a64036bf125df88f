"""The version of Kubernetes, and the kinds that the manifests use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from constructs_lib import baseline
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status

OLDEST = (1, 30)


def check_version(inspected: Inspected) -> Iterator[Finding]:
    """Kubernetes must be new enough."""
    version = (inspected.api.get("/version") or {}).get("gitVersion", "")
    number = re.match(r"v(\d+)\.(\d+)", version)
    required = f"{OLDEST[0]}.{OLDEST[1]} or newer"
    if number is None:
        yield Finding(status=Status.UNKNOWN, found=f"a version that cannot be read: '{version}'", required=required)
        return
    is_new = (int(number[1]), int(number[2])) >= OLDEST
    status = Status.OK if is_new else Status.BLOCKING
    yield Finding(status=status, found=version, required=required, fix="" if is_new else "upgrade the cluster")


@dataclass(frozen=True)
class _Kind:
    """A kind that a CRD defines, and what the platform needs it for."""

    group_version: str
    kind: str
    used_for: str
    install: str


_OPERATOR = "install the Prometheus Operator, version 0.66 or newer, or its CRDs"


def check_crds(inspected: Inspected) -> Iterator[Finding]:
    """The API server must serve the kinds of the Prometheus Operator that the manifests use."""
    yield _served(inspected, list(_operator_kinds(inspected)))


def check_gateway(inspected: Inspected) -> Iterator[Finding]:
    """The API server must serve routes if tenants have them."""
    if inspected.settings.gateway is None:
        yield Finding(status=Status.OK, found="platform.gateway is not set", required="nothing")
        return
    install = (
        "install the CRDs of Gateway API 1.1 or newer, or a Gateway with them (docs/terraform.md describes Envoy "
        "Gateway), or remove platform.gateway"
    )
    yield _served(inspected, [_Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "platform.gateway", install)])


def _served(inspected: Inspected, needed: Sequence[_Kind]) -> Finding:
    served = {each.group_version: inspected.api.kinds(each.group_version) or [] for each in needed}
    missing = [each for each in needed if each.kind not in served[each.group_version]]
    required = ", ".join(f"{each.kind} ({each.group_version}, for {each.used_for})" for each in needed)
    if missing:
        lacking = ", ".join(f"{each.kind} ({each.group_version})" for each in missing)
        fix = "; ".join(dict.fromkeys(each.install for each in missing))
        return Finding(status=Status.BLOCKING, found=f"not served: {lacking}", required=required, fix=fix)
    return Finding(status=Status.OK, found="all are served", required=required)


def _operator_kinds(inspected: Inspected) -> Iterator[_Kind]:
    yield _Kind("monitoring.coreos.com/v1", "ServiceMonitor", "metrics", _OPERATOR)
    yield _Kind("monitoring.coreos.com/v1", "PrometheusRule", "alerts", _OPERATOR)
    if any(tenant.receiver for tenant in inspected.platform.tenants):
        yield _Kind("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", "receivers of tenants", _OPERATOR)


def check_baseline(inspected: Inspected) -> Iterator[Finding]:
    """Whether a second layer of network policies is possible, whatever the file says."""
    served = baseline.KIND in (inspected.api.kinds(baseline.API) or ())
    found = f"{baseline.KIND} ({baseline.API}) is {'served' if served else 'not served'}"
    wanted = inspected.settings.baseline
    required = f"nothing; platform.baseline is {str(wanted).lower()}"
    if wanted:
        found += "; whether the network plugin enforces it is not tested" if served else ""
        required = f"{baseline.KIND}, and a network plugin that enforces its tier Baseline"
    status = Status.OK if served or not wanted else Status.BLOCKING
    fix = "install the CRD (Network Policy API), or remove platform.baseline" if status is Status.BLOCKING else ""
    yield Finding(status=status, found=found, required=required, fix=fix)
