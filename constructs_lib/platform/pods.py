"""What a tenant may set for its pods: settings of the service, labels, annotations, and where the pods run.

None of it can weaken the isolation: names that selectors, the cluster or its controllers read are refused.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from constructs_lib.platform._quantities import byte_count, memory_text
from constructs_lib.platform._section import Section, refuse
from constructs_lib.platform.access import PodLabels, check_labels
from constructs_lib.platform.service_memory import service_memory
from constructs_lib.platform.validators import ObjectName
from inference import contract
from inference.settings import MEMORY_SETTINGS, Settings

OWN_SETTINGS: Final = {
    "allowed_origins": "allowedOrigins",
    "api_keys_dir": "auth",
    "drain_seconds": "rollout.drainSeconds",
    "host": "",
    "limit_burst": "limits",
    "limit_requests_per_second": "limits",
    "limit_texts_per_minute": "limits",
    "max_peer_share": "",
    "model_uri": "model",
    "port": "",
    "runtime": "runtime",
}
"""Settings that the manifests set or rely on, each with the tenant's key that sets it; empty if no key does.

Neither `settings` of a tenant nor `MonitoredInference.add_setting` may set them.
"""
_OWN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED_NAMES: Final = frozenset({"controller-revision-hash", "pod-template-generation", "pod-template-hash"})
_INTEGER: Final = re.compile(r"-?[0-9]+")
_CONTROL_PLANE: Final = "node-role.kubernetes.io/"


def _text(value: Any) -> Any:
    """A setting as text; YAML reads numbers and booleans."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Check names and values of settings as the service does."""
    for name, value in settings.items():
        field = name.removeprefix(contract.ENV_PREFIX).lower()
        if name != f"{contract.ENV_PREFIX}{field.upper()}" or field not in Settings.model_fields:
            refuse(f"must contain settings of the service, and '{name}' is not one", "see docs/service.md")
        if field in OWN_SETTINGS:
            key = OWN_SETTINGS[field]
            fix = f"use '{key}' of the tenant" if key else "remove it"
            refuse(f"must not contain {name}, which the manifests set or rely on", fix)
        info = Settings.model_fields[field]
        kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        try:
            TypeAdapter(kind).validate_strings(value)
        except ValidationError as error:
            refuse(f"must contain values that the service accepts: {name}: {error.errors()[0]['msg']}", "correct it")
    return settings


def check_own_names(names: Mapping[str, str]) -> Mapping[str, str]:
    """Check that no selector, controller or webhook reads a name: they use names with a prefix."""
    for name in names:
        if not _OWN_NAME.fullmatch(name) or name in _RESERVED_NAMES:
            refuse(
                f"must contain names without a prefix, such as 'team', and '{name}' is not one: the cluster and its "
                "controllers read names with a prefix, for example to add containers or to change security settings",
                "rename it: a-z, 0-9 and '-'",
            )
    return names


def _check_nodes(labels: Mapping[str, str]) -> Mapping[str, str]:
    for name in labels:
        if name.startswith(_CONTROL_PLANE):
            refuse(f"must not contain '{name}': tenants do not run on nodes with a role of the cluster", "remove it")
    return labels


def _check_priority(name: str) -> str:
    if name.startswith("system-"):
        refuse("must not be a class of the system, whose pods evict all others", "name a class of your own")
    return name


def check_settings_memory(settings: Mapping[str, str], limit: str) -> None:
    """Check that the service with these settings stays below its pod's memory limit."""
    changed = {name.removeprefix(contract.ENV_PREFIX).lower(): value for name, value in settings.items()}
    required = service_memory({name: changed[name] for name in MEMORY_SETTINGS if name in changed})
    if not changed.keys().isdisjoint(MEMORY_SETTINGS) and required > byte_count(limit):
        refuse(
            f"must leave the pod below its memory limit ({limit}), but the service could take {memory_text(required)}",
            "lower the settings or raise resources.limits.memory",
        )


ServiceSettings = Annotated[dict[str, Annotated[str, BeforeValidator(_text)]], AfterValidator(_check_settings)]
OwnLabels = Annotated[PodLabels, AfterValidator(check_own_names)]
OwnAnnotations = Annotated[dict[str, str], AfterValidator(check_own_names)]


class Toleration(Section):
    """A taint of nodes that the pods tolerate."""

    key: Annotated[str, Field(min_length=1)]
    """Key of the taint."""
    value: str | None = None
    """Value of the taint; any if absent."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; all effects if absent."""

    @model_validator(mode="after")
    def _is_not_of_the_cluster(self) -> Self:
        check_labels({self.key: self.value or ""})
        if self.key.startswith((_CONTROL_PLANE, "node.kubernetes.io/")):
            refuse("must not be a taint of the cluster itself", "name a taint of your own nodes", at=("key",))
        return self

    def manifest(self) -> dict[str, str]:
        """The toleration as Kubernetes has it."""
        operator = {"operator": "Exists"} if self.value is None else {"operator": "Equal", "value": self.value}
        return {**({"effect": self.effect} if self.effect else {}), "key": self.key, **operator}


class NodeExpression(Section):
    """A condition on a label of nodes."""

    key: Annotated[str, Field(min_length=1)]
    """Key of the label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the label is compared."""
    values: tuple[str, ...] = ()
    """Values: at least one for `In` and `NotIn`, one integer for `Gt` and `Lt`, none for the others."""

    @model_validator(mode="after")
    def _is_valid(self) -> Self:
        check_labels({self.key: ""})
        _check_nodes({self.key: ""})
        if self.operator in {"Gt", "Lt"}:
            if len(self.values) != 1 or not _INTEGER.fullmatch(self.values[0]):
                refuse(f"must be one integer for {self.operator}", 'write it like ["8"]', at=("values",))
        elif bool(self.values) != (self.operator in {"In", "NotIn"}):
            needs = "have a value" if not self.values else "be empty"
            refuse(f"must {needs} for {self.operator}", "correct values or operator", at=("values",))
        else:
            for value in self.values:
                check_labels({self.key: value})
        return self

    def manifest(self) -> dict[str, Any]:
        """The expression as Kubernetes has it."""
        return {"key": self.key, "operator": self.operator, **({"values": list(self.values)} if self.values else {})}


class NodeAffinity(Section):
    """Nodes that the pods need, and nodes that they prefer."""

    required: tuple[NodeExpression, ...] = ()
    """Conditions that a node must meet, all of them."""
    preferred: tuple[NodeExpression, ...] = ()
    """Conditions of equal weight: the scheduler prefers nodes that meet more of them."""

    def manifest(self) -> dict[str, Any]:
        """`spec.affinity` of a pod; empty without conditions."""
        required = [each.manifest() for each in self.required]
        preferred = [{"preference": {"matchExpressions": [each.manifest()]}, "weight": 1} for each in self.preferred]
        affinity: dict[str, Any] = {}
        if preferred:
            affinity["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
        if required:
            terms = {"nodeSelectorTerms": [{"matchExpressions": required}]}
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] = terms
        return {"nodeAffinity": affinity} if affinity else {}


class Scheduling(Section):
    """Which nodes the pods run on."""

    node_selector: Annotated[PodLabels, AfterValidator(_check_nodes)] = Field(default={})
    """Labels that a node must have."""
    node_affinity: NodeAffinity = NodeAffinity()
    """Conditions on the labels of nodes. Conditions on other pods are not supported: they would show where the pods of
    other tenants run."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the pods tolerate."""
    priority_class: Annotated[ObjectName, AfterValidator(_check_priority)] | None = None
    """Name of a PriorityClass; the cluster's default if absent."""

    def manifest(self) -> dict[str, Any]:
        """The fields of a pod's spec."""
        affinity = self.node_affinity.manifest()
        return {
            **({"affinity": affinity} if affinity else {}),
            **({"nodeSelector": self.node_selector} if self.node_selector else {}),
            **({"tolerations": [each.manifest() for each in self.tolerations]} if self.tolerations else {}),
            **({"priorityClassName": self.priority_class} if self.priority_class else {}),
        }
