"""What a tenant's objects of the Prometheus Operator must not do."""

from typing import Final

from constructs_lib.guard.policy import Policy, Rule

_GROUP: Final = "monitoring.coreos.com"
_ENDPOINTS: Final = "variables.endpoints"
_RELABELINGS: Final = "(e.?relabelings.orValue([]) + e.?metricRelabelings.orValue([]))"
_TARGET: Final = "r.?targetLabel.orValue('')"
_OTHER_NAMESPACE: Final = (
    "m.name == 'namespace' && (m.?value.orValue('') != request.namespace || "
    "!(m.?matchType.orValue('=') in ['=', '']) || m.?regex.orValue(false))"
)

MONITORING_POLICIES: Final = (
    Policy(
        name="monitors",
        resources={_GROUP: ("servicemonitors", "podmonitors")},
        variables={
            "endpoints": "object.spec.?endpoints.orValue([]) + object.spec.?podMetricsEndpoints.orValue([])",
            "copied": "object.spec.?targetLabels.orValue([]) + object.spec.?podTargetLabels.orValue([])",
        },
        rules=(
            Rule(
                holds=(
                    "!object.spec.?namespaceSelector.any.orValue(false) && "
                    "object.spec.?namespaceSelector.matchNames.orValue([]).all(n, n == request.namespace)"
                ),
                otherwise="spec.namespaceSelector must be absent or name this namespace only",
            ),
            Rule(
                holds=f"{_ENDPOINTS}.all(e, !e.?honorLabels.orValue(false))",
                otherwise="honorLabels must be false: metrics could carry the namespace label of another tenant",
            ),
            Rule(
                holds=(
                    f"{_ENDPOINTS}.all(e, {_RELABELINGS}.all(r, "
                    "r.?action.orValue('replace').lowerAscii() != 'labelmap' && "
                    f"{_TARGET}.matches('^[a-zA-Z0-9_]*$') && {_TARGET} != 'namespace' && "
                    f"(!{_TARGET}.startsWith('__') || {_TARGET}.startsWith('__tmp')))) && "
                    "variables.copied.all(l, l != 'namespace')"
                ),
                otherwise="relabelings must not set 'namespace' or internal labels such as __address__, nor use "
                "labelmap; targetLabels must not copy 'namespace'",
            ),
            Rule(
                holds=(
                    f"{_ENDPOINTS}.all(e, e.?relabelings.orValue([]).all(r, "
                    "!(r.?action.orValue('replace').lowerAscii() in ['labeldrop', 'labelkeep'])))"
                ),
                otherwise="relabelings must not use labeldrop or labelkeep: without the target's label 'namespace', "
                "metrics could carry that of another tenant; use them in metricRelabelings",
            ),
            Rule(
                holds=(
                    f"{_ENDPOINTS}.all(e, e.?bearerTokenFile.orValue('') == '' && "
                    "e.?tlsConfig.caFile.orValue('') == '' && e.?tlsConfig.certFile.orValue('') == '' && "
                    "e.?tlsConfig.keyFile.orValue('') == '')"
                ),
                otherwise="bearerTokenFile and tlsConfig files are read in Prometheus's pod, so they can disclose its "
                "credentials: name a Secret of this namespace instead",
            ),
            Rule(
                holds=f"{_ENDPOINTS}.all(e, e.?proxyUrl.orValue('') == '' && !has(e.oauth2))",
                otherwise="proxyUrl and oauth2 must be absent: Prometheus would connect to an address of the tenant's "
                "choice",
            ),
        ),
    ),
    Policy(
        name="prometheus-rules",
        resources={_GROUP: ("prometheusrules",)},
        rules=(
            Rule(
                holds=(
                    "object.spec.?groups.orValue([]).all(g, g.?rules.orValue([]).all(r, "
                    "r.?labels[?'namespace'].orValue('') == request.namespace))"
                ),
                otherwise="every rule must have labels.namespace with the name of this namespace, so that its result "
                "cannot belong to another tenant",
            ),
        ),
    ),
    Policy(
        name="alert-routes",
        resources={_GROUP: ("alertmanagerconfigs",)},
        variables={
            "routes": "has(object.spec.route) ? [object.spec.route] + object.spec.route.?routes.orValue([]) : []",
            "inhibitions": "object.spec.?inhibitRules.orValue([])",
        },
        rules=(
            Rule(
                holds=f"variables.routes.all(r, !r.?matchers.orValue([]).exists(m, {_OTHER_NAMESPACE}))",
                otherwise="spec.route matchers on 'namespace' must be equal to this namespace",
            ),
            Rule(
                holds=(
                    f"variables.inhibitions.all(r, !r.?sourceMatch.orValue([]).exists(m, {_OTHER_NAMESPACE}) && "
                    f"!r.?targetMatch.orValue([]).exists(m, {_OTHER_NAMESPACE}))"
                ),
                otherwise="spec.inhibitRules matchers on 'namespace' must be equal to this namespace",
            ),
        ),
    ),
    Policy(
        name="monitoring-servers",
        resources={
            _GROUP: ("alertmanagers", "probes", "prometheusagents", "prometheuses", "scrapeconfigs", "thanosrulers")
        },
        rules=(
            Rule(
                holds="false",
                otherwise="the operator gives such an object what other namespaces configure, with their Secrets, or "
                "connects to any address: use a ServiceMonitor, PodMonitor, PrometheusRule or AlertmanagerConfig",
            ),
        ),
    ),
)
