"""The checks of the Multi-Tenancy Benchmarks, per tenant and from YAML alone.

Kubernetes' working group for multi-tenancy defined them (https://github.com/kubernetes-retired/multi-tenancy), and its
program asked a cluster. `catalog` lists them, `tenant` describes what a tenant may do, and `pods`, `permissions`,
`resources` and `network` decide them. `tests/e2e` asks a cluster the same questions, with the same pods.
"""

from audit.benchmarks.catalog import BENCHMARKS, Benchmark
from audit.benchmarks.result import Outcome, Result
from audit.benchmarks.run import results

__all__ = ["BENCHMARKS", "Benchmark", "Outcome", "Result", "results"]
