"""The properties of a MonitoredInference, and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from constructs_lib.isolated_tenant import IsolatedTenant
from constructs_lib.platform.access import Auth, CallerLimits, check_labels, check_origin
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.gateway import check_host_names
from constructs_lib.platform.pods import Scheduling, check_own_names
from constructs_lib.platform.receivers import Receiver
from constructs_lib.platform.runtime import Runtime
from constructs_lib.platform.service_memory import check_service_memory
from constructs_lib.platform.validators import (
    check_endpoint,
    check_image,
    check_model,
    check_model_owner,
    check_object_name,
)
from constructs_lib.refusing import refusing


@dataclass(frozen=True, kw_only=True)
class MonitoredInferenceProps:
    """Properties of a `MonitoredInference`.

    Args:
        tenant: the isolated tenant to which the workload belongs; it sets resources, autoscaling and rollout.
        image: image of the service, with a tag other than `latest` or a digest.
        model: address of the model: `s3://models/<tenant>/<name>`, with `@sha256:<64 hex>` to pin it, or
            `file:<folder>` for a model in the image.
        runtime: `text` or `onnx`: what runs the model; the image must have it. Default: `text`.
        alerts: objectives and thresholds of the alerts. Default: 99.9 % availability, see `AlertSettings`.
        image_pull_secrets: names of Secrets in the tenant's namespace with registry credentials. Default: none.
        receiver: receiver of the tenant's alerts. Default: the platform's own receiver.
        auth: `apiKeys` if callers must send an API key. Default: they need none.
        limits: what each caller may send to a pod. Default: no limit.
        allowed_origins: origins of web pages whose scripts may call the service. Default: none.
        scheduling: which nodes the pods run on. Default: any.
        labels, annotations: of the pods, with names without a prefix. Default: none.
        proxy: HTTP proxy through which pods reach a store outside the cluster. Default: none.
        hostname: host name at which the tenant's gateway serves the model. Default: it does not.
    """

    tenant: IsolatedTenant
    image: str
    model: str
    runtime: Runtime = "text"
    alerts: AlertSettings = field(default_factory=AlertSettings)
    image_pull_secrets: tuple[str, ...] = ()
    receiver: Receiver | None = None
    auth: Auth | None = None
    limits: CallerLimits | None = None
    allowed_origins: tuple[str, ...] = ()
    hostname: str | None = None
    scheduling: Scheduling = field(default_factory=Scheduling)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    proxy: str | None = None

    def __post_init__(self) -> None:
        with refusing("labels", self.labels):
            check_own_names(check_labels(self.labels))
        with refusing("annotations", self.annotations):
            check_own_names(self.annotations)
        with refusing("image", self.image):
            check_image(self.image)
        with refusing("model", self.model):
            check_model(self.model)
            check_model_owner(self.tenant.name, self.model)
        resources = self.tenant.props.resources
        with refusing("tenant.resources.limits.memory", resources.limits.memory):
            check_service_memory(resources)
        for name in self.image_pull_secrets:
            with refusing("image_pull_secrets", name):
                check_object_name(name)
        for origin in self.allowed_origins:
            with refusing("allowed_origins", origin):
                check_origin(origin)
        if self.proxy is not None:
            with refusing("proxy", self.proxy):
                check_endpoint(self.proxy)
        with refusing("hostname", self.hostname):
            check_host_names([self.hostname], self.tenant.props.gateway)
