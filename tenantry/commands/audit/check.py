"""`tenantry audit check`: whether manifests keep to an isolation contract."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.audit.contracts import UNDECIDED, ContractOption, contract_and_text
from tenantry.commands.audit.options import (
    Format,
    FormatOption,
    Given,
    NamespaceOption,
    PathsArgument,
    ReleaseNamespaceOption,
    ReleaseOption,
    ValuesOption,
    errors,
    read,
    show,
    with_values,
)
from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import ClusterOption

if TYPE_CHECKING:
    from audit.cluster import Cluster
    from audit.contract.waivers import Known


def check(
    paths: PathsArgument = None,
    *,
    contract: ContractOption = None,
    in_cluster: ClusterOption = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="A report of this command as JSON: its findings are known.")
    ] = None,
    attest: Annotated[
        Path | None, typer.Option("--attest", help="File to write an in-toto statement to, for a workflow to sign.")
    ] = None,
    values: ValuesOption = None,
    release: ReleaseOption = None,
    release_namespace: ReleaseNamespaceOption = "monitoring",
    show_contract: Annotated[
        bool, typer.Option("--show-contract", help="Print the contract that would be checked, and end.")
    ] = False,
    output: FormatOption = Format.TEXT,
    default_namespace: NamespaceOption = "default",
) -> None:
    """Compare manifests with an isolation contract: what is meant to be possible between tenants.

    The exit code is 0 if the contract holds, 1 if it is violated, 3 if the input is not sufficient to decide, and 2 for
    wrong input. Without --contract, the contract is derived from platform.yaml, not from the manifests.

    Example: tenantry audit check dist/ --format sarif
    """
    with errors():
        from audit.contract import contract_findings
        from audit.contract.waivers import read_baseline, without_known
        from audit.model.finding import State
        from audit.reports.findings_report import findings_report
        from audit.reports.words import count

        if attest and "-" in (*(paths or ()), str(values)):
            raise InputError("--attest names files with their digests: give files instead of -")
        given = Given(paths, None, None, default_namespace, cluster=in_cluster)
        wanted, text = contract_and_text(contract, given)
        if show_contract:
            result(text.rstrip())
            return
        cluster = read(given, keep_going=False, details=True)
        cluster = with_values(cluster, values, release, release_namespace)
        ids = read_baseline(baseline) if baseline else set()
        known = without_known(contract_findings(wanted, cluster), wanted, ids, datetime.now(UTC).date())
        states = {each.state for each in known.rest}
        verdict = "violated" if State.VIOLATION in states else "undecided" if State.UNDECIDED in states else "holds"
        if attest:
            attest.write_text(_statement(cluster, text, known, verdict), encoding="utf-8")
        checked = [f"{count(len(wanted.spec.tenants), 'tenant')}, contract {wanted.metadata.name} {verdict}"]
        checked += [f"{known.waived} waived"] if known.waived else []
        checked += [f"{known.in_baseline} in the baseline"] if known.in_baseline else []
        for each in (*known.expired, *known.unused):
            say(f"warning: {each}")
        show(findings_report("check", cluster, known.rest, checked), output, cluster)
    if verdict != "holds":
        raise typer.Exit(1 if verdict == "violated" else UNDECIDED)


def _statement(cluster: "Cluster", contract: str, known: "Known", verdict: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    from audit.contract.attestation import statement

    try:
        number = version("tenantry")
    except PackageNotFoundError:
        number = "unknown"
    return statement(cluster.files, contract, known, verdict, number)
