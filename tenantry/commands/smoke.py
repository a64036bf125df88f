"""`tenantry smoke`: asks every tenant of a cluster one question, through a port-forward to its Service."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import httpx
import typer

from constructs_lib.names import service_name
from inference import contract
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import result, say
from tenantry.errors import CommandError
from tenantry.options import (
    PLATFORM_FILE,
    ContextOption,
    FileOption,
    Format,
    FormatOption,
    KubeconfigOption,
    TenantOption,
)

QUESTION: Final = "Congratulations! You have won a free prize. Click here now to claim your cash."
ANSWER_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class SmokeResult:
    """The answer of one tenant.

    Attributes:
        tenant: Its name.
        ok: Whether that was a prediction.
        body: The answer as it came, or why there is none.
    """

    tenant: str
    ok: bool
    body: str


def smoke(
    *,
    text: Annotated[str, typer.Option("--text", help="What to ask.")] = QUESTION,
    tenant: TenantOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
    output: FormatOption = Format.TEXT,
) -> None:
    """Ask every tenant on the cluster for a prediction, through kubectl port-forward, and print the answers.

    Ends with 1 when a tenant gave no prediction; the others are asked all the same.

    Example: tenantry smoke --tenant tenant-a --text "Meeting at ten?"
    """
    from tenantry.platform_file import tenant_names

    names = tenant_names(file, tenant or ())
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    say(f"asking {', '.join(names)} in context {kubectl.context}")
    answers = [ask(kubectl, name, text) for name in names]
    if output is Format.JSON:
        result(json.dumps([asdict(answer) for answer in answers], indent=2))
    else:
        for answer in answers:
            result(f"{answer.tenant}: {answer.body}")
    silent = [answer.tenant for answer in answers if not answer.ok]
    if silent:
        raise CommandError(f"no prediction from {', '.join(silent)}; the answer is printed above")


def ask(kubectl: Kubectl, tenant: str, text: str) -> SmokeResult:
    """Ask one tenant through its Service; an error is returned as the answer's body."""
    try:
        with kubectl.port_forward(tenant, f"service/{service_name(tenant)}", contract.PORT) as port:
            answer = httpx.post(
                f"http://127.0.0.1:{port}{contract.PREDICT_PATH}",
                json={"text": text},
                timeout=ANSWER_SECONDS,
                trust_env=False,
            )
    except (CommandError, httpx.HTTPError) as error:
        return SmokeResult(tenant=tenant, ok=False, body=str(error))
    if not answer.is_success:
        return SmokeResult(tenant=tenant, ok=False, body=f"status {answer.status_code}: {answer.text}")
    return SmokeResult(tenant=tenant, ok=_is_prediction(answer), body=answer.text)


def _is_prediction(answer: httpx.Response) -> bool:
    try:
        body: Any = answer.json()
        return isinstance(body["prediction"], str) and 0 <= body["confidence"] <= 1
    except (ValueError, KeyError, TypeError):
        return False
