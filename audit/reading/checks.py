"""The rules of the API server that decide whether an object exists at all."""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from audit.model.addresses import Addresses, Network
from audit.model.labels import Requirement, Selector
from audit.model.place import Path
from audit.model.pods import PROTOCOLS
from audit.reading import policy_schema

T = TypeVar("T")

_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")
_PREFIX: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_PORT_NAME: Final = re.compile(r"(?=.{1,15}\Z)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*\Z")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.+)`")
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_SHOWN: Final = 60


class InvalidError(Exception):
    """An object that the API server would reject.

    Attributes:
        path: Path of the value in the object.
        message: What is wrong, with the value.
        rule: The rule, and the fix.
    """

    def __init__(self, path: Path, message: str, rule: str) -> None:
        self.path = path
        self.message = message
        self.rule = rule
        super().__init__(message)


def convert(value: Any, to: type[T], path: Path) -> T:
    """A value as a type of a schema.

    Raises:
        InvalidError: It has a field that does not exist, or a value of the wrong type.
    """
    try:
        return msgspec.convert(value, to)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        steps = where.removesuffix("`").partition("[...]")[0]
        inner: Path = tuple(int(index) if index else name for name, index in _STEP.findall(steps))
        unknown = _UNKNOWN_FIELD.match(message)
        if unknown:
            field = ".".join(str(part) for part in (*path, *inner, unknown[1]) if not isinstance(part, int))
            text = f"unknown field {shown(field)}"
            raise InvalidError((*path, *inner, unknown[1]), text, "Correct the spelling, or remove it.") from error
        field = ".".join(map(str, (*path, *inner)))
        raise InvalidError(
            (*path, *inner), f"{field}: {message}", "Give a value of the type that the API has."
        ) from error


def shown(value: object) -> str:
    """A value for a message, shortened."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} characters)")


def labels(given: Mapping[str, Any] | None, path: Path) -> dict[str, str]:
    """Labels, checked.

    Raises:
        InvalidError: A key or a value is not one of a label.
    """
    result = dict(given or {})
    for key, value in result.items():
        _check_label(key, value, path)
    return result


def _check_label(key: str, value: Any, path: Path) -> None:
    if not valid_key(key):
        rule = "A key is at most 63 letters, digits, '-', '_' and '.', after an optional DNS prefix and '/'."
        raise InvalidError((*path, key), f"the label key {shown(key)} is not valid", rule)
    if not isinstance(value, str):
        rule = "Label values are strings: put it in quotes."
        raise InvalidError((*path, key), f"the label {key} has the value {shown(value)}, which is not a string", rule)
    if not valid_value(value):
        rule = "A value is at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit."
        raise InvalidError((*path, key), f"the label {key} has the invalid value {shown(value)}", rule)


@lru_cache(maxsize=16384)
def valid_key(key: str) -> bool:
    """Whether a text is a label key."""
    prefix, slash, name = key.rpartition("/")
    return _NAME.match(name) is not None and (not slash or _PREFIX.match(prefix) is not None)


def valid_value(value: str) -> bool:
    """Whether a text is a label value."""
    return value == "" or _NAME.match(value) is not None


def selector(given: policy_schema.LabelSelector | None, path: Path) -> Selector:
    """A label selector, checked; an absent one matches everything.

    Raises:
        InvalidError: An operator does not exist, has values that it does not take, or a label is not valid.
    """
    if given is None:
        return Selector()
    matched = labels(given.match_labels, (*path, "matchLabels"))
    requirements = [Requirement(key, "In", frozenset({value})) for key, value in matched.items()]
    for index, expression in enumerate(given.match_expressions or ()):
        requirements.append(_requirement(expression, (*path, "matchExpressions", index)))
    return Selector(tuple(sorted(requirements, key=str)))


def _requirement(given: policy_schema.LabelSelectorRequirement, path: Path) -> Requirement:
    if given.operator not in _OPERATORS:
        rule = f"It is one of {', '.join(_OPERATORS)}."
        raise InvalidError((*path, "operator"), f"the operator {shown(given.operator)} does not exist", rule)
    takes_values = given.operator in {"In", "NotIn"}
    if takes_values != bool(given.values):
        rule = "In and NotIn take one value or more; Exists and DoesNotExist take none."
        what = "no values" if takes_values else "values"
        raise InvalidError(path, f"the operator {given.operator} of {shown(given.key)} has {what}", rule)
    for value in given.values or [""]:
        _check_label(given.key, value, path)
    return Requirement(given.key, given.operator, frozenset(given.values or ()))


def protocol(given: str | None, path: Path) -> str:
    """A protocol; TCP where it is absent.

    Raises:
        InvalidError: It is not one of the three.
    """
    if given is None:
        return "TCP"
    if given not in PROTOCOLS:
        raise InvalidError(path, f"the protocol {shown(given)} does not exist", "It is TCP, UDP or SCTP, in capitals.")
    return given


def port_name(given: str, path: Path) -> str:
    """The name of a port.

    Raises:
        InvalidError: It is not a name of a port.
    """
    if not _PORT_NAME.match(given):
        rule = (
            "A name has at most 15 lower-case letters, digits and '-', and at least one letter; a number has no quotes."
        )
        raise InvalidError(path, f"the port name {shown(given)} is not valid", rule)
    return given


def network(given: str, path: Path) -> Network:
    """A CIDR.

    Raises:
        InvalidError: It is not one.
    """
    rule = "Write an address, '/' and a prefix length, such as 10.0.0.0/8 or fd00::/8."
    if "/" not in given:
        raise InvalidError(path, f"{shown(given)} is not a CIDR", rule)
    try:
        return ipaddress.ip_network(given, strict=False)
    except ValueError as error:
        raise InvalidError(path, f"{shown(given)} is not a CIDR", rule) from error


def block(given: policy_schema.IPBlock, path: Path) -> Addresses:
    """The addresses of an ipBlock, without its exceptions.

    Raises:
        InvalidError: A CIDR is not valid, or an exception is not inside the block.
    """
    outer = network(given.cidr, (*path, "cidr"))
    result = Addresses.of(outer)
    for index, text in enumerate(given.excepted or ()):
        where = (*path, "except", index)
        inner = network(text, where)
        inside = inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type] # same family
        if not inside or inner.prefixlen <= outer.prefixlen:
            rule = "An exception is a smaller part of the block's cidr, of the same family."
            raise InvalidError(where, f"the exception {text} is not inside {given.cidr}", rule)
        result &= ~Addresses.of(inner)
    return result
