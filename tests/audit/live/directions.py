"""A policy of both directions as two policies of one direction each: by the API they are the same."""

from tests.audit.kube_objects import network_policy
from tests.audit.reference import Object
from tests.audit.reference.network_policy import directions


def one_per_direction(policy: Object) -> list[Object]:
    """The policy for ingress and that for egress, as far as it is about them."""
    home, name, spec = policy["metadata"]["namespace"], policy["metadata"]["name"], policy["spec"]
    return [
        network_policy(
            f"{home}/{name}-{side}",
            podSelector=spec.get("podSelector") or {},
            policyTypes=[side.capitalize()],
            **({side: spec[side]} if side in spec else {}),
        )
        for side in sorted(directions(spec))
    ]
