"""Gives pods of an earlier version the label by which Services select them now, so that an upgrade loses no request."""

from collections import Counter

from constructs_lib.names import APP, TENANT_LABEL, deployment_selector, platform_labels, selector
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say


def label_running_pods(kubectl: Kubectl) -> None:
    """Add the tenant's label to serving pods that lack it.

    A Service that selects by a label which its running pods do not have would have no endpoints until new pods are
    ready. The pods stay in their ReplicaSet, which selects by other labels.

    Raises:
        CommandError: the pods could not be read or labelled.
    """
    for tenant, count in sorted(_without_label(kubectl).items()):
        say(f"labelling {count} pods of {tenant}, which an earlier version created")
        labels = ",".join(f"{name}={value}" for name, value in deployment_selector(tenant).items())
        added = [f"{name}={value}" for name, value in selector(tenant).items()]
        kubectl.run("label", "pods", "--namespace", tenant, "--selector", f"{labels},!{TENANT_LABEL}", *added)


def _without_label(kubectl: Kubectl) -> Counter[str]:
    """The number of such pods per tenant."""
    wanted = {"app.kubernetes.io/name": APP, **platform_labels()}
    labels = ",".join(f"{name}={value}" for name, value in wanted.items())
    pods = kubectl.get("pods", "--all-namespaces", "--selector", f"{labels},!{TENANT_LABEL}")["items"]
    own = [each["metadata"] for each in pods]
    return Counter(
        each["namespace"] for each in own if deployment_selector(each["namespace"]).items() <= each["labels"].items()
    )
