"""What a tenant's policies, Services and endpoints must not do."""

from typing import Final

from constructs_lib.guard.policy import Policy, Rule

_NAME: Final = "kubernetes.io/metadata.name"
_OWN_NAMESPACE: Final = f"p.?namespaceSelector.matchLabels[?'{_NAME}'].orValue('') == request.namespace"
_OWN_PEER: Final = f"!has(p.ipBlock) && (has(p.namespaceSelector) ? {_OWN_NAMESPACE} : has(p.podSelector))"


def _own_peers(direction: str, peers: str) -> Rule:
    return Rule(
        holds=(
            f"object.spec.?{direction}.orValue([]).all(r, "
            f"size(r.?{peers}.orValue([])) > 0 && r.{peers}.all(p, {_OWN_PEER}))"
        ),
        otherwise=(
            f"spec.{direction}[].{peers} must name pods of the policy's own namespace only: use a podSelector, without "
            "ipBlock and without a selector of other namespaces; platform.yaml allows other peers (egress, clients)"
        ),
    )


NETWORK_POLICIES: Final = (
    Policy(
        name="network-policies",
        resources={"networking.k8s.io": ("networkpolicies",)},
        rules=(_own_peers("ingress", "from"), _own_peers("egress", "to")),
    ),
    Policy(
        name="other-network-policies",
        resources={
            "cilium.io": ("ciliumenvoyconfigs", "ciliumlocalredirectpolicies", "ciliumnetworkpolicies"),
            "crd.antrea.io": ("networkpolicies",),
            "crd.projectcalico.org": ("networkpolicies",),
            "k8s.cni.cncf.io": ("network-attachment-definitions",),
            "k8s.ovn.org": ("egressfirewalls", "userdefinednetworks"),
            "projectcalico.org": ("networkpolicies",),
        },
        rules=(
            Rule(
                holds="false",
                otherwise="policies and networks of a network plugin can allow what NetworkPolicies deny: use a "
                "NetworkPolicy of networking.k8s.io",
            ),
        ),
    ),
    Policy(
        name="services",
        resources={"": ("services",)},
        rules=(
            Rule(
                holds="object.spec.?type.orValue('ClusterIP') == 'ClusterIP'",
                otherwise="spec.type must be ClusterIP: a NodePort or LoadBalancer opens ports outside the cluster, "
                "and an ExternalName leads outside the namespace",
            ),
            Rule(
                holds="size(object.spec.?externalIPs.orValue([])) == 0",
                otherwise="spec.externalIPs must be empty: it redirects traffic for these addresses from every node",
            ),
            Rule(
                holds="size(object.spec.?selector.orValue({})) > 0",
                otherwise="spec.selector must select pods: a Service without a selector can lead outside the namespace",
            ),
        ),
    ),
    Policy(
        name="endpoints",
        resources={"": ("endpoints",), "discovery.k8s.io": ("endpointslices",)},
        rules=(
            Rule(
                holds="false",
                otherwise="Kubernetes writes endpoints for Services with a selector; others can lead outside the "
                "namespace",
            ),
        ),
    ),
)
