"""Reads a contract, and says what is wrong with it."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from audit.contract.document import Contract, Peer
from audit.errors import AuditError
from audit.permissions.consequences import ALL
from audit.reading.yaml_text import YamlError, parse


def load(file: Path) -> tuple[Contract, str]:
    """A contract from a file, with the text that it was read from.

    Raises:
        AuditError: The file cannot be read, or is not a valid contract.
    """
    try:
        text = file.read_text("utf-8")
        data = parse(text)
    except OSError as error:
        raise AuditError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise AuditError(f"{file}: it is not UTF-8 text (byte {error.start}); a contract is UTF-8") from error
    except YamlError as error:
        raise AuditError(f"{file}:{error.line + 1}: {error}. Correct the text; it is not valid YAML.") from error
    return loaded(data, str(file)), text


def loaded(data: Any, file: str) -> Contract:
    """A contract from plain data.

    Raises:
        AuditError: It is not a valid contract.
    """
    try:
        contract = msgspec.convert(data, Contract, strict=True)
    except msgspec.ValidationError as error:
        raise AuditError(f"{file}: {error}. docs/audit.md describes an IsolationContract.") from error
    problems = list(_problems(contract))
    if problems:
        raise AuditError("\n".join(f"{file}: {each}" for each in problems))
    return contract


def _problems(contract: Contract) -> Iterator[str]:
    spec = contract.spec
    for name, number in Counter(space for tenant in spec.tenants for space in tenant.spaces).items():
        if number > 1:
            yield f"the namespace {name} belongs to {number} tenants; a namespace has one tenant"
    listed = [*spec.ingress, *spec.egress]
    listed += [each for tenant in spec.tenants for each in (*tenant.ingress, *tenant.egress)]
    for traffic in listed:
        yield from _peer_problems(traffic.peer)
    named = [*spec.holders, *(holder for tenant in spec.tenants for holder in tenant.holders)]
    for holder in named:
        if holder.kind == "ServiceAccount" and "/" not in holder.name:
            yield f"the ServiceAccount {holder.name!r} has no namespace; write NAMESPACE/NAME"
    consequences = [each for holder in named for each in holder.consequences]
    consequences += [each for tenant in spec.tenants for each in tenant.consequences]
    for name in dict.fromkeys(consequences):
        if name not in ALL:
            yield f"the consequence {name!r} does not exist; it is one of {', '.join(ALL)}"


def _peer_problems(peer: Peer) -> Iterator[str]:
    if (peer.namespace is None) == (peer.cidr is None):
        yield "a peer has exactly one of namespace and cidr"
    if peer.cidr is None and peer.except_cidrs:
        yield "exceptCidrs are parts of a cidr; give the cidr, or leave them out"
    for text in (*([peer.cidr] if peer.cidr else []), *peer.except_cidrs):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield f"{text!r} is not a CIDR; write one such as 10.0.0.0/8"
