"""The baseline of a tenant: a ClusterNetworkPolicy for pods that no NetworkPolicy of the namespace selects.

See https://network-policy-api.sigs.k8s.io/ for tiers: Admin, then NetworkPolicies, then Baseline. Imports no jsii.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any, Final

from constructs_lib.platform import Dns, Network
from constructs_lib.special_purpose_addresses import METADATA

API: Final = "policy.networking.k8s.io/v1alpha2"
KIND: Final = "ClusterNetworkPolicy"
PREFIX: Final = "tenantry-baseline-"
_NAME: Final = "kubernetes.io/metadata.name"
_LAST: Final = 1000
"""The lowest priority, so that policies of the cluster's administrators decide first."""
_MOST_NETWORKS: Final = 25
"""Maximum number of networks in a peer."""


def baseline_spec(tenant: str, *, dns: Dns, network: Network) -> dict[str, Any]:
    """`spec` of a baseline: nothing from other namespaces, and nothing to them or to metadata services, except DNS.

    Args:
        tenant: name of the tenant's namespace.
        dns: where the DNS servers are.
        network: public addresses that the pods must not connect to.
    """
    others = {"namespaces": {"matchExpressions": [{"key": _NAME, "operator": "NotIn", "values": [tenant]}]}}
    ports = [{protocol: {"destinationPort": {"number": dns.port}}} for protocol in ("udp", "tcp")]
    forbidden = [*(str(ipaddress.ip_network(each)) for each in METADATA), *network.excluded]
    return {
        "egress": [
            {"action": "Accept", "name": "dns", "protocols": ports, "to": list(_dns(dns))},
            {"action": "Deny", "name": "other-namespaces", "to": [others]},
            {"action": "Deny", "name": "metadata-and-excluded-addresses", "to": _networks(forbidden)},
        ],
        "ingress": [{"action": "Deny", "from": [others], "name": "other-namespaces"}],
        "priority": _LAST,
        "subject": {"namespaces": {"matchLabels": {_NAME: tenant}}},
        "tier": "Baseline",
    }


def _dns(dns: Dns) -> Iterator[dict[str, Any]]:
    for labels in (dns.pod_labels, dns.cache_pod_labels):
        if labels:
            namespace = {"matchLabels": {_NAME: dns.namespace}}
            yield {"pods": {"namespaceSelector": namespace, "podSelector": {"matchLabels": dict(labels)}}}
    yield from _networks(dns.addresses)


def _networks(cidrs: Sequence[str]) -> list[dict[str, list[str]]]:
    """Peers with all networks, at most 25 in each."""
    once = list(dict.fromkeys(cidrs))
    return [{"networks": once[start : start + _MOST_NETWORKS]} for start in range(0, len(once), _MOST_NETWORKS)]
