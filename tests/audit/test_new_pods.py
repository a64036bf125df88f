"""Pods that do not exist yet: what the audit says of them holds for every pod that may come."""

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.drawing import Draw, draw_cluster
from tests.audit.drawing.draw import POD_LABELS
from tests.audit.engines import Audit
from tests.audit.kube_objects import pod
from tests.audit.reference import Reference


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_new_pod_with_given_labels_is_treated_like_a_pod_that_exists(random: Random) -> None:
    draw = Draw(random)
    drawn, labels = draw_cluster(draw), draw.labels(POD_LABELS)
    reference = Reference([*drawn.objects, pod("red/new", labels)], drawn.assumptions)
    engine = Audit(drawn.objects, drawn.assumptions)
    new = f"red/[{','.join(f'{key}={value}' for key, value in labels.items())}]"
    ends = {source for source, _, _, _ in drawn.asks()}
    for end, (port, protocol) in product(sorted(ends), drawn.ports):
        assert engine.verdict(new, end, port, protocol) == reference.verdict("red/new", end, port, protocol)
        assert engine.verdict(end, new, port, protocol) == reference.verdict(end, "red/new", port, protocol)


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_what_is_certain_of_any_new_pod_of_a_namespace_holds_for_each_of_its_pods(random: Random) -> None:
    """A pod of the namespace might be the new one; traffic of a pod to itself, and on its node's network, is apart."""
    drawn = draw_cluster(Draw(random))
    engine, reference = Audit(drawn.objects, drawn.assumptions), Reference(drawn.objects, drawn.assumptions)
    for source, destination, port, protocol in drawn.asks():
        expected = reference.verdict(source, destination, port, protocol)
        for index, key in enumerate((source, destination)):
            one = reference.cluster.pods.get(key)
            if one is None or one.host_network or source == destination:
                continue
            ends = [source, destination]
            ends[index] = f"{one.namespace}/*"
            assert engine.verdict(ends[0], ends[1], port, protocol) in {expected, "unknown"}
