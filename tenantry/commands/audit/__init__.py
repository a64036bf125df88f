"""`tenantry audit`: what plain YAML allows, without a cluster.

The work is done by the package `audit`; each module here has one command, which only reads options and prints.
"""

import typer

from tenantry.commands.audit import (
    benchmarks,
    check,
    diff,
    everything,
    explain,
    exposure,
    metrics,
    paths,
    permissions,
    pods,
    reach,
    references,
    schema,
)

audit = typer.Typer(
    name="audit",
    help="Show who can reach whom and who may do what, from plain YAML and without a cluster.\n\n"
    "Example: tenantry audit reach dist/",
    no_args_is_help=True,
)
audit.command()(reach.reach)
audit.command()(explain.explain)
audit.command()(exposure.exposure)
audit.command()(permissions.permissions)
audit.command()(pods.pods)
audit.command()(references.references)
audit.command()(metrics.metrics)
audit.command()(paths.paths)
audit.command()(diff.diff)
audit.command()(check.check)
audit.command()(benchmarks.benchmarks)
audit.command("all")(everything.everything)
audit.command()(schema.schema)
