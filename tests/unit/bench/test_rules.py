"""The benchmark of the rules has every series of the service that the rules read."""

import re

from bench import rules
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import AlertSettings


def test_every_metric_of_the_service_that_a_rule_reads_is_made() -> None:
    made = {series.partition("{")[0] for series, *_ in rules._exposed('pod="a"')}
    groups = rule_groups("tenant", "service", "deployment", "hpa", AlertSettings())
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    read = {name for each in expressions for name in re.findall(r"\b(inference_\w+)\{", each)}
    assert len(read) > 10
    assert read <= made
