"""The pod that serves a tenant's model: one container, hardened, that waits for its model."""

from collections.abc import Sequence
from typing import Final

from cdk8s_plus_28 import k8s

from constructs_lib._environment import env_name
from constructs_lib._kube import int_or_string, quantity
from constructs_lib.isolated_tenant import IsolatedTenant
from constructs_lib.monitoring.rules import CONTAINER
from constructs_lib.names import selector
from constructs_lib.platform import ModelStore
from inference import contract
from inference.address import ModelUri

_START_UP_SECONDS: Final = 60
_SCRATCH: Final = "tmp"
_SCRATCH_SIZE: Final = "64Mi"


def template(
    *, tenant: IsolatedTenant, image: str, model: str, image_pull_secrets: Sequence[str]
) -> k8s.PodTemplateSpec:
    """The pods of a tenant's Deployment."""
    walls = tenant.props
    return k8s.PodTemplateSpec(
        metadata=k8s.ObjectMeta(
            labels=tenant.labels, annotations={"kubectl.kubernetes.io/default-container": CONTAINER}
        ),
        spec=k8s.PodSpec(
            service_account_name=tenant.service_account.name,
            automount_service_account_token=False,
            enable_service_links=False,
            termination_grace_period_seconds=walls.rollout.grace_seconds,
            security_context=k8s.PodSecurityContext(
                run_as_non_root=True,
                run_as_user=contract.USER_ID,
                run_as_group=contract.USER_ID,
                fs_group=contract.USER_ID,
                seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
            ),
            topology_spread_constraints=[_spread(tenant.name)],
            image_pull_secrets=[k8s.LocalObjectReference(name=name) for name in image_pull_secrets] or None,
            containers=[_container(tenant, image, model)],
            volumes=[
                k8s.Volume(
                    name=_SCRATCH,
                    empty_dir=k8s.EmptyDirVolumeSource(size_limit=quantity(_SCRATCH_SIZE)),
                )
            ],
        ),
    )


def _spread(tenant: str) -> k8s.TopologySpreadConstraint:
    """Pods of one version stand on different nodes where there is room, and on the same one rather than nowhere."""
    return k8s.TopologySpreadConstraint(
        max_skew=1,
        topology_key="kubernetes.io/hostname",
        when_unsatisfiable="ScheduleAnyway",
        label_selector=k8s.LabelSelector(match_labels=selector(tenant)),
        match_label_keys=["pod-template-hash"],
    )


def _container(tenant: IsolatedTenant, image: str, model: str) -> k8s.Container:
    resources = tenant.props.resources
    return k8s.Container(
        name=CONTAINER,
        image=image,
        image_pull_policy="IfNotPresent",
        ports=[k8s.ContainerPort(name=contract.PORT_NAME, container_port=contract.PORT, protocol="TCP")],
        env=_environment(tenant, model),
        resources=k8s.ResourceRequirements(
            requests=_quantities(resources.requests.cpu, resources.requests.memory),
            limits=_quantities(resources.limits.cpu, resources.limits.memory),
        ),
        # Alive is a pod whose server answers, model or not; ready is one that can predict.
        startup_probe=_probe(contract.LIVENESS_PATH, period_seconds=1, failure_threshold=_START_UP_SECONDS),
        liveness_probe=_probe(contract.LIVENESS_PATH, period_seconds=10, failure_threshold=3),
        readiness_probe=_probe(contract.READINESS_PATH, period_seconds=2, failure_threshold=2),
        security_context=k8s.SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.Capabilities(drop=["ALL"]),
        ),
        # A start-up that ends with a line shows it in `kubectl describe pod`.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[k8s.VolumeMount(name=_SCRATCH, mount_path="/tmp")],  # noqa: S108 - the pod's own, empty
    )


def _probe(path: str, *, period_seconds: int, failure_threshold: int) -> k8s.Probe:
    return k8s.Probe(
        http_get=k8s.HttpGetAction(path=path, port=int_or_string(contract.PORT_NAME)),
        period_seconds=period_seconds,
        timeout_seconds=2,
        failure_threshold=failure_threshold,
    )


def _environment(tenant: IsolatedTenant, model: str) -> list[k8s.EnvVar]:
    """The service's settings; the store's, with its credentials, only where the model is in the store."""
    settings = {
        env_name("model_uri"): model,
        env_name("drain_seconds"): str(tenant.props.rollout.drain_seconds),
    }
    environment = [k8s.EnvVar(name=name, value=value) for name, value in settings.items()]
    if ModelUri.parse(model).bucket:
        environment += _store_environment(tenant.props.model_store)
    return environment


def _store_environment(store: ModelStore) -> list[k8s.EnvVar]:
    settings = {
        contract.STORE_ENDPOINT_ENV: store.endpoint,
        contract.STORE_REGION_ENV: store.region,
        contract.STORE_ALLOW_HTTP_ENV: "true" if store.endpoint.startswith("http:") else "false",
        contract.STORE_VIRTUAL_HOSTED_ENV: "false",
    }
    return [k8s.EnvVar(name=name, value=value) for name, value in settings.items()] + [
        k8s.EnvVar(
            name=key,
            value_from=k8s.EnvVarSource(secret_key_ref=k8s.SecretKeySelector(name=contract.STORE_SECRET_NAME, key=key)),
        )
        for key in (contract.STORE_ACCESS_KEY_ENV, contract.STORE_SECRET_KEY_ENV)
    ]


def _quantities(cpu: str, memory: str) -> dict[str, k8s.Quantity]:
    return {"cpu": quantity(cpu), "memory": quantity(memory)}
