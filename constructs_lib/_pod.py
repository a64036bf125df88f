"""The pod that serves a tenant's model: one hardened container that waits for its model."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from constructs_lib._environment import env_name
from constructs_lib._store_access import add_store_access
from constructs_lib.hardening import hardened
from constructs_lib.isolated_tenant import IsolatedTenant
from constructs_lib.monitoring.rules import CONTAINER
from constructs_lib.names import selector
from constructs_lib.platform.runtime import Runtime
from inference import contract
from inference.address import ModelUri

Manifest = dict[str, Any]

_START_UP_SECONDS: Final = 60
_SCRATCH: Final = "tmp"
_API_KEYS: Final = "api-keys"
_SCRATCH_SIZE: Final = "64Mi"


def template(
    *,
    tenant: IsolatedTenant,
    image: str,
    model: str,
    image_pull_secrets: Sequence[str],
    requires_keys: bool,
    runtime: Runtime,
    proxy: str | None,
) -> Manifest:
    """`spec.template` of a tenant's Deployment."""
    rollout = tenant.props.rollout
    spec = hardened(
        {
            "containers": [_container(tenant, image, model, runtime)],
            "serviceAccountName": tenant.service_account.name,
            "terminationGracePeriodSeconds": rollout.grace_seconds,
            "topologySpreadConstraints": [_spread(tenant.name)],
            "volumes": [{"emptyDir": {"sizeLimit": _SCRATCH_SIZE}, "name": _SCRATCH}],
            **({"imagePullSecrets": [{"name": name} for name in image_pull_secrets]} if image_pull_secrets else {}),
        },
        fixed_user=tenant.props.pods.fixed_user,
    )
    if ModelUri.parse(model).bucket:
        add_store_access(spec, tenant.props.model_store, tenant.name, proxy)
    if requires_keys:
        _add_api_keys(spec)
    if rollout.pre_stop_seconds:
        spec["containers"][0]["lifecycle"] = {"preStop": {"sleep": {"seconds": rollout.pre_stop_seconds}}}
    return {
        "metadata": {
            "annotations": {
                # The emptyDir would otherwise keep the cluster autoscaler from removing a node.
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
                "kubectl.kubernetes.io/default-container": CONTAINER,
            },
            "labels": tenant.labels,
        },
        "spec": spec,
    }


def _add_api_keys(spec: Manifest) -> None:
    """Mount the Secret with the digests of API keys. A pod without it starts, and refuses every caller."""
    (container,) = spec["containers"]
    container["env"].append({"name": env_name("api_keys_dir"), "value": contract.API_KEYS_DIR})
    container["volumeMounts"].append({"mountPath": contract.API_KEYS_DIR, "name": _API_KEYS, "readOnly": True})
    secret = {"optional": True, "secretName": contract.API_KEYS_SECRET_NAME}
    spec["volumes"].append({"name": _API_KEYS, "secret": secret})


def _spread(tenant: str) -> Manifest:
    """Spread the pods of each version over the nodes, but schedule them on the same node rather than not at all."""
    return {
        "labelSelector": {"matchLabels": selector(tenant)},
        "matchLabelKeys": ["pod-template-hash"],
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    }


def _container(tenant: IsolatedTenant, image: str, model: str, runtime: Runtime) -> Manifest:
    resources = tenant.props.resources
    return {
        "env": _environment(tenant, model, runtime),
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # A pod is live when its server answers, with or without a model, and ready when it can predict.
        "livenessProbe": _probe(contract.LIVENESS_PATH, period_seconds=10, failure_threshold=3),
        "name": CONTAINER,
        "ports": [{"containerPort": contract.PORT, "name": contract.PORT_NAME, "protocol": "TCP"}],
        "readinessProbe": _probe(contract.READINESS_PATH, period_seconds=2, failure_threshold=2),
        "resources": {
            "limits": resources.limits.manifest(),
            "requests": resources.requests.manifest(),
        },
        "startupProbe": _probe(contract.LIVENESS_PATH, period_seconds=1, failure_threshold=_START_UP_SECONDS),
        # `kubectl describe pod` shows the last log lines of a container that failed to start.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"mountPath": "/tmp", "name": _SCRATCH}],  # noqa: S108 - the pod's own, empty
    }


def _probe(path: str, *, period_seconds: int, failure_threshold: int) -> Manifest:
    return {
        "failureThreshold": failure_threshold,
        "httpGet": {"path": path, "port": contract.PORT_NAME},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 2,
    }


def _environment(tenant: IsolatedTenant, model: str, runtime: Runtime) -> list[Manifest]:
    """The service's settings."""
    settings: Mapping[str, str] = {
        env_name("model_uri"): model,
        env_name("drain_seconds"): str(tenant.props.rollout.drain_seconds),
        **({env_name("runtime"): runtime} if runtime != "text" else {}),
    }
    return [{"name": name, "value": value} for name, value in settings.items()]
