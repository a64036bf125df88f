"""The reference engine: who may reach whom, read from the text of the Kubernetes API.

One pair of endpoints, one port and one protocol at a time, over plain objects as YAML gives them. It is as slow and as
simple as the text that each function names, and it shares no code with `audit`. The text is that of three APIs:

- NetworkPolicy: `k8s.io/api` v0.34, `networking/v1/types.go`, and the concept page "Network Policies";
- AdminNetworkPolicy and BaselineAdminNetworkPolicy: `sigs.k8s.io/network-policy-api` v0.3.0, `apis/v1alpha1`;
- ClusterNetworkPolicy: the same module, `apis/v1alpha2`.

Where the text leaves a question open (does an ipBlock cover this pod?), the answer is `None`, "maybe", and the verdict
is `unknown` where the answer matters.
"""

from tests.audit.reference.objects import Assumptions, Object
from tests.audit.reference.verdict import Reference, Verdict

__all__ = ["Assumptions", "Object", "Reference", "Verdict"]
