"""Manifests for tests: short ways to write pods and policies."""

import textwrap


def pod(name: str, labels: str = "{}", namespace: str = "shop", ports: str = "[]", spec: str = "") -> str:
    """A Pod with labels and ports in flow style."""
    return textwrap.dedent(f"""\
        ---
        apiVersion: v1
        kind: Pod
        metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}
        spec: {{containers: [{{name: main, ports: {ports}}}]{", " + spec if spec else ""}}}
        """)


def policy(name: str, spec: str, namespace: str = "shop") -> str:
    """A NetworkPolicy with a spec in flow style."""
    return textwrap.dedent(f"""\
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {{name: {name}, namespace: {namespace}}}
        spec: {spec}
        """)


def admin(name: str, priority: int, spec: str) -> str:
    """An AdminNetworkPolicy with the rest of its spec in flow style."""
    return textwrap.dedent(f"""\
        ---
        apiVersion: policy.networking.k8s.io/v1alpha1
        kind: AdminNetworkPolicy
        metadata: {{name: {name}}}
        spec: {{priority: {priority}, {spec}}}
        """)


def baseline(spec: str) -> str:
    """The BaselineAdminNetworkPolicy."""
    return textwrap.dedent(f"""\
        ---
        apiVersion: policy.networking.k8s.io/v1alpha1
        kind: BaselineAdminNetworkPolicy
        metadata: {{name: default}}
        spec: {{{spec}}}
        """)


def namespace(name: str, labels: str = "{}") -> str:
    """A Namespace."""
    return f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {labels}}}\n"


DENY_ALL = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
"""A spec that denies everything in both directions."""
