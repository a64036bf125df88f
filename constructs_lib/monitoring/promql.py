"""Formatting that rules and panels share: selectors, bucket bounds, percentages. Plain strings, no jsii."""


def selector(metric: str, **labels: str) -> str:
    """`metric{a="b",c=~"d"}`: a value that starts with `=~`, `!=` or `!~` carries its own operator."""
    return f"{metric}{{{','.join(_matcher(name, value) for name, value in labels.items())}}}"


def bound(upper: float) -> str:
    """A histogram bucket's bound as prometheus-client writes it in the label `le`."""
    return repr(float(upper))


def percent(ratio: float) -> str:
    """A ratio as a percentage: 0.0144 becomes `1.44 %`."""
    return f"{ratio * 100:.4g} %"


def _matcher(name: str, value: str) -> str:
    operator = value[:2] if value[:2] in {"=~", "!=", "!~"} else "="
    return f'{name}{operator}"{value.removeprefix(operator)}"'
