"""`tenantry init`: a first platform.yaml, with its schema beside it."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tenantry.console import result
from tenantry.errors import InputError

SCHEMA_NAME: Final = "platform.schema.json"
FIRST: Final = """\
# yaml-language-server: $schema=./platform.schema.json
# Who the tenants are. `tenantry synth` turns this file into dist/; an editor that knows JSON Schema completes and
# checks it while you type. All that is left out here has a default, which the schema tells.
apiVersion: tenantry.dev/v1alpha1

platform:
  # The service's image, with a tag or a digest: never `latest`, since what runs must not change by itself.
  image: vendettaopppp/ml-inference-service:0.1.0

  # What this cluster calls its parts, where that differs from kube-prometheus-stack, MinIO and kube-dns:
  # monitoring:
  #   namespace: monitoring
  #   prometheusLabels: {app.kubernetes.io/name: prometheus}
  # modelStore:
  #   endpoint: http://minio-api.minio.svc:9000
  #   namespace: minio            # null for a store outside of the cluster
  #   podLabels: {app.kubernetes.io/name: minio}
  #   region: us-east-1
  # dns:
  #   namespace: kube-system
  #   podLabels: {k8s-app: kube-dns}
  # network:
  #   exceptCidrs: []             # public addresses that are the cluster's own: out of tenants' reach

# What every tenant gets unless it says otherwise:
# defaults:
#   resources:
#     requests: {cpu: 250m, memory: 256Mi}
#     limits: {cpu: 500m, memory: 512Mi}
#   autoscaling: {minReplicas: 2, maxReplicas: 10, targetCpuPercent: 50}
#   quota: {headroomPods: 4}
#   alerts:
#     availabilityObjective: 0.999
#     runbook: https://github.com/you/your-fork/blob/main/docs/runbook.md    # where alerts and panels link to

tenants:
  - name: tenant-a
    # Published by `tenantry publish`; @sha256:<digest> behind it pins the very bytes.
    model: s3://models/tenant-a/spam

  - name: tenant-b
    model: s3://models/tenant-b/spam
    # Whatever `defaults` may say, and also:
    # image: registry.example/ml-inference-service:1.2.3
    # imagePullSecrets: [registry]
    # egress:
    #   - {cidr: 192.0.2.0/24, port: 5432}
    # receiver: {type: slack, channel: "#tenant-b", secretName: slack}
"""


def init(
    file: Annotated[Path, typer.Option("--file", "-f", help="The file to write.")] = Path("platform.yaml"),
) -> None:
    """Write a commented first platform.yaml and its schema; never overwrites one.

    Example: tenantry init --file fleet/platform.yaml
    """
    from constructs_lib.platform.schema import platform_schema_text

    if file.exists():
        raise InputError(f"--file {file}: is there already and was left as it is; name another, or edit it")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name(SCHEMA_NAME).write_text(platform_schema_text(), encoding="utf-8")
    file.write_text(FIRST, encoding="utf-8")
    result(f"wrote {file} and {file.with_name(SCHEMA_NAME)}; next: edit it, then `tenantry synth --file {file}`")
