"""How pods reach DNS: through which address, which pods answer, and whether a cache on the node is in between."""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from constructs_lib.platform import Dns
from tenantry.preflight.api import Api, Object, RefusedError
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Setting, Status

_PORT: Final = 53
_CACHE: Final = {"k8s-app": "node-local-dns"}
_LOCAL_ADDRESSES: Final = "localip"
"""Argument of NodeLocal DNSCache: the addresses at which it answers, among them that of the Service."""
_NAMES: Final = (("kube-system", "kube-dns"), ("openshift-dns", "dns-default"), ("kube-system", "coredns"))
"""Names of the Service, where the kubelet's configuration cannot be read."""


@dataclass(frozen=True, kw_only=True)
class _Server:
    """The Service of the DNS servers.

    Args:
        namespace, name, addresses, selector: of the Service.
        ports: of its pods; none if no pod is ready to answer.
        node_addresses: addresses of its pods on the host network, which no selector of pods matches.
    """

    namespace: str
    name: str
    addresses: tuple[str, ...]
    selector: dict[str, str]
    ports: tuple[int, ...]
    node_addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Cache:
    """A DNS cache on every node."""

    name: str
    namespace: str
    labels: dict[str, str]
    addresses: tuple[str, ...]


def check_dns(inspected: Inspected) -> Iterator[Finding]:
    """The tenants' policies must allow what pods ask, at the address and port where the packets arrive."""
    api, dns = inspected.api, inspected.settings.dns
    required = f"policies allow {_allowed(dns)}"
    resolvers = _resolvers(api)
    server = _server(api, resolvers)
    caches = list(_caches(api))
    if server is None and not resolvers:
        fix = "set platform.dns by hand"
        yield Finding(status=Status.UNKNOWN, found="no Service of DNS servers is known", required=required, fix=fix)
        return
    settings = tuple(_settings(dns, server, caches, resolvers))
    found = "; ".join(_described(server, caches, resolvers))
    if server and not server.ports:
        fix = f"look at the pods of the Service {server.namespace}/{server.name}"
        yield Finding(status=Status.FAILED, found=found, required=required, fix=fix, settings=settings)
    else:
        status = Status.BLOCKING if settings else Status.OK
        yield Finding(status=status, found=found, required=required, settings=settings)
    observed = inspected.probe.dns(required) if inspected.probe else None
    if observed:
        yield observed


def _allowed(dns: Dns) -> str:
    peers = [f"pods {_labels(dns.pod_labels)} in {dns.namespace}"]
    peers += [f"pods {_labels(dns.cache_pod_labels)}"] if dns.cache_pod_labels else []
    return f"{', '.join([*peers, *dns.addresses])} on port {dns.port}"


def _described(server: _Server | None, caches: Sequence[_Cache], resolvers: Sequence[str]) -> Iterator[str]:
    if server:
        answer = f"on port {', '.join(map(str, server.ports))}" if server.ports else "of which none is ready"
        host = f", on the host network of {', '.join(server.node_addresses)}" if server.node_addresses else ""
        yield (
            f"pods ask {', '.join(server.addresses)} (Service {server.namespace}/{server.name}), answered by pods "
            f"{_labels(server.selector)} {answer}{host}"
        )
    if other := _unserved(server, resolvers):
        yield f"pods ask {', '.join(other)}, which is not a Service"
    for cache in caches:
        where = f"at {', '.join(cache.addresses)} on the host network" if cache.addresses else _labels(cache.labels)
        yield f"cache {cache.namespace}/{cache.name}: {where}"


def _settings(
    dns: Dns, server: _Server | None, caches: Sequence[_Cache], resolvers: Sequence[str]
) -> Iterator[Setting]:
    """What differs from the file."""

    def setting(key: str, value: Any) -> Setting:
        return Setting(section="dns", key=key, value=value)

    if server:
        if dns.namespace != server.namespace:
            yield setting("namespace", server.namespace)
        if not dns.pod_labels.items() <= server.selector.items():
            yield setting("podLabels", server.selector)
        if server.ports and dns.port not in server.ports:
            yield setting("port", server.ports[0])
    for cache in caches:
        allowed_labels = dns.cache_pod_labels
        if not cache.addresses and not (allowed_labels and allowed_labels.items() <= cache.labels.items()):
            yield setting("cachePodLabels", cache.labels)
    needed = [*_unserved(server, resolvers), *(server.node_addresses if server else ())]
    needed += [address for cache in caches for address in cache.addresses]
    allowed = [ipaddress.ip_network(each) for each in dns.addresses]
    missing = [each for each in dict.fromkeys(needed) if not any(ipaddress.ip_address(each) in net for net in allowed)]
    if missing:
        added = [str(ipaddress.ip_network(each)) for each in missing]
        yield setting("addresses", [*dns.addresses, *added])


def _unserved(server: _Server | None, resolvers: Sequence[str]) -> list[str]:
    """Resolvers that are not addresses of the Service."""
    return [each for each in resolvers if server is None or each not in server.addresses]


def _resolvers(api: Api) -> list[str]:
    """The addresses in the pods' resolv.conf, from the configuration of a kubelet; empty if it cannot be read."""
    try:
        nodes = api.items("/api/v1/nodes") or []
        ready = [each["metadata"]["name"] for each in nodes if _is_ready(each)]
        config = api.get(f"/api/v1/nodes/{ready[0]}/proxy/configz") if ready else None
    except RefusedError:
        return []
    return list((config or {}).get("kubeletconfig", {}).get("clusterDNS") or ())


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _server(api: Api, resolvers: Sequence[str]) -> _Server | None:
    """The Service that has one of the addresses, or, if none is known, one of the usual names."""
    services = [each for each in api.items("/api/v1/services") or [] if each["spec"].get("selector")]
    if resolvers:
        found = [each for each in services if set(resolvers) & set(_addresses(each))]
    else:
        by_name = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in services}
        found = [by_name[name] for name in _NAMES if name in by_name]
    if not found:
        return None
    namespace, name = (found[0]["metadata"][key] for key in ("namespace", "name"))
    return _Server(
        namespace=namespace,
        name=name,
        addresses=_addresses(found[0]),
        selector=found[0]["spec"]["selector"],
        ports=_ports(api, namespace, name, found[0]),
        node_addresses=_node_addresses(api, namespace, found[0]["spec"]["selector"]),
    )


def _node_addresses(api: Api, namespace: str, selector: dict[str, str]) -> tuple[str, ...]:
    pods = api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=_labels(selector)) or []
    addresses = [each["status"].get("hostIP") for each in pods if each["spec"].get("hostNetwork")]
    return tuple(sorted({each for each in addresses if each}))


def _addresses(service: Object) -> tuple[str, ...]:
    return tuple(service["spec"].get("clusterIPs") or [service["spec"].get("clusterIP", "")])


def _ports(api: Api, namespace: str, name: str, service: Object) -> tuple[int, ...]:
    """The ports of the pods, behind port 53 of the Service."""
    names = {each.get("name", "") for each in service["spec"].get("ports", []) if each.get("port") == _PORT}
    slices = api.items(
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        labelSelector=f"kubernetes.io/service-name={name}",
    )
    found = [port for each in slices or [] for port in each.get("ports") or [] if port.get("name", "") in names]
    return tuple(dict.fromkeys(int(each["port"]) for each in found if each.get("port")))


def _caches(api: Api) -> Iterator[_Cache]:
    """NodeLocal DNSCache, on the host network or, on networks that redirect to it, as ordinary pods."""
    for each in api.items("/apis/apps/v1/daemonsets") or []:
        template = each["spec"]["template"]
        labels, spec = template["metadata"].get("labels", {}), template["spec"]
        addresses = [found for container in spec["containers"] for found in _local_addresses(container)]
        if addresses or labels.items() >= _CACHE.items():
            yield _Cache(
                name=each["metadata"]["name"],
                namespace=each["metadata"]["namespace"],
                labels=_CACHE if labels.items() >= _CACHE.items() else each["spec"]["selector"]["matchLabels"],
                addresses=tuple(addresses) if spec.get("hostNetwork") else (),
            )


def _local_addresses(container: Object) -> list[str]:
    arguments = [part for each in container.get("args") or [] for part in str(each).split("=", 1)]
    given = [value for name, value in pairwise(arguments) if name.lstrip("-") == _LOCAL_ADDRESSES]
    return [address for each in given for address in each.split(",") if address]


def _labels(labels: Any) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
