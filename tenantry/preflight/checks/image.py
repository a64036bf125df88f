"""Whether nodes can pull the image."""

from collections.abc import Iterator

from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status


def check_image(inspected: Inspected) -> Iterator[Finding]:
    """A pull needs a pod, so it is tested only by a probe; what nodes have already is reported without one."""
    image = inspected.probe.image if inspected.probe else inspected.settings.image
    required = f"nodes can pull {image}"
    if inspected.probe:
        yield inspected.probe.pull(required)
        return
    yield Finding(status=Status.SKIPPED, found="not tested", required=required, fix="test it with --probe")
