"""Values that the bindings of Kubernetes wrap: each is made once, since making one is a call to Node."""

from functools import cache

from cdk8s_plus_28 import k8s


@cache
def quantity(text: str) -> k8s.Quantity:
    """CPU, memory or a count, as Kubernetes writes it."""
    return k8s.Quantity.from_string(text)


@cache
def int_or_string(value: int | str) -> k8s.IntOrString:
    """A number or a name, as of a port."""
    return k8s.IntOrString.from_number(value) if isinstance(value, int) else k8s.IntOrString.from_string(value)
