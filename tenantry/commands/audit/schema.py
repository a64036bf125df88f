"""`tenantry audit schema`: the form of the JSON reports, and of a contract."""

from typing import Annotated

import typer

from tenantry.console import result


def schema(
    *, contract: Annotated[bool, typer.Option("--contract", help="Of an IsolationContract instead.")] = False
) -> None:
    """Print the JSON Schema of what --format json prints.

    Example: tenantry audit schema > audit.schema.json
    """
    import json

    from audit.contract.document import schema as of_contract
    from audit.reports.formats import schema as of_reports

    result(json.dumps(of_contract() if contract else of_reports(), indent=2))
