"""The HTTPRoute of a tenant: what callers outside the cluster may reach through the gateway."""

from typing import Final

from cdk8s import ApiObject, ApiObjectMetadata
from constructs import Construct

from constructs_lib.platform.gateway import Gateway
from imports.io.k8s.networking import gateway as api
from inference import contract
from inference.settings import Settings

EXACT_PATHS: Final = (contract.PREDICT_PATH, contract.MODEL_PATH, contract.ROOT_PATH, contract.OPENAPI_PATH)
PREFIXES: Final = (contract.PROTOCOL_PATH, contract.PAGE_PATH, contract.DOCS_PATH)
"""Everything that is routed. Metrics and probes are for the cluster only: a path that is not listed is not routed."""


def timeout_seconds() -> int:
    """Longest time of a request: the service's own limits for headers, body and reading the answer, which end first."""
    fields = Settings.model_fields
    return int(fields["header_timeout_seconds"].default + 2 * fields["body_timeout_seconds"].default)


def http_route(
    scope: Construct, *, metadata: ApiObjectMetadata, gateway: Gateway, host_name: str, service: str
) -> ApiObject:
    """Add the HTTPRoute of a tenant.

    Args:
        scope: the parent construct.
        metadata: name, namespace and labels of the route.
        gateway: the Gateway to which it is attached.
        host_name: the host name to which it applies.
        service: name of the tenant's Service.
    """
    kinds = api.HttpRouteSpecRulesMatchesPathType
    paths = [(kinds.EXACT, path) for path in EXACT_PATHS] + [(kinds.PATH_PREFIX, path) for path in PREFIXES]
    rule = api.HttpRouteSpecRules(
        matches=[
            api.HttpRouteSpecRulesMatches(path=api.HttpRouteSpecRulesMatchesPath(type=kind, value=path))
            for kind, path in paths
        ],
        backend_refs=[api.HttpRouteSpecRulesBackendRefs(name=service, port=contract.PORT)],
        timeouts=api.HttpRouteSpecRulesTimeouts(request=f"{timeout_seconds()}s"),
    )
    parent = api.HttpRouteSpecParentRefs(
        name=gateway.name, namespace=gateway.namespace, section_name=gateway.section_name
    )
    spec = api.HttpRouteSpec(parent_refs=[parent], hostnames=[host_name], rules=[rule])
    result: ApiObject = api.HttpRoute(scope, "http-route", metadata=metadata, spec=spec)
    return result
