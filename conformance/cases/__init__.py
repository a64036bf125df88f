"""The cases, one module per subject, in the order in which they are asked."""

from functools import cache

from conformance.case import Case
from conformance.cases import (
    binary,
    bytes_,
    datatypes,
    errors,
    health,
    http,
    identifiers,
    inference,
    loading,
    metadata,
    outputs,
    parameters,
    readiness,
    shapes,
    versions,
)

_MODULES = (
    health, metadata, readiness, loading, inference, versions, identifiers, parameters, outputs, shapes, datatypes,
    bytes_, binary, errors, http,
)  # fmt: skip


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case, in the order in which they are asked."""
    return tuple(case for module in _MODULES for case in module.cases.all)
