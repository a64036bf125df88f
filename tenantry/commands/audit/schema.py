"""`tenantry audit schema`: the form of the JSON reports."""

from tenantry.console import result


def schema() -> None:
    """Print the JSON Schema of what --format json prints.

    Example: tenantry audit schema > audit.schema.json
    """
    import json

    from audit.reports.formats import schema as of_reports

    result(json.dumps(of_reports(), indent=2))
