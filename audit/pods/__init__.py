"""What pod templates are allowed to do: Pod Security Standards, resources, tokens and images.

`standards` has the checks of baseline and restricted with the versions that they hold for; `findings` compares every
template of the input with them and with what its namespace enforces.
"""

from audit.pods.findings import pod_findings
from audit.pods.standards import NEWEST, Level, violations
from audit.pods.template import Template

__all__ = ["NEWEST", "Level", "Template", "pod_findings", "violations"]
