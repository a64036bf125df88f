"""What `cdk8s synth` and `tenantry synth` run: platform.yaml in, dist/ out."""

from tenantry.constructs import main

# Constructs of your own for a tenant's namespace: write a function that takes the chart and the tenant, as in
#     def extra(chart: Chart, tenant: IsolatedTenant) -> None: ...
# and pass it by the tenant's name: main(__file__, {"tenant-a": extra}). See docs/adopt.md of Tenantry.
if __name__ == "__main__":
    main(__file__)
