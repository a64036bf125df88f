"""`tenantry smoke`: asks every tenant of a cluster one question, through a port-forward to its Service."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from constructs_lib.names import service_name
from inference import contract
from tenantry.api_key import read_api_key, refusal
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import result, say
from tenantry.errors import CommandError, InputError
from tenantry.options import (
    PLATFORM_FILE,
    ApiKeyOption,
    ClusterOption,
    ContextOption,
    FileOption,
    Format,
    FormatOption,
    KubeconfigOption,
    TenantOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from constructs_lib.platform import Tenant

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
    cluster: ClusterOption = None,
    api_key: ApiKeyOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
    output: FormatOption = Format.TEXT,
) -> None:
    """Ask every tenant on the cluster for a prediction, through kubectl port-forward, and print the answers.

    Ends with 1 when a tenant gave no prediction; the others are asked all the same. Tenants with runtime `onnx` are
    not asked, because each of their models takes other inputs. An API key is sent only to the tenant that requires one.

    Example: tenantry smoke --tenant tenant-a --text "Meeting at ten?"

    Example: tenantry smoke --tenant tenant-a --api-key key.txt
    """
    from tenantry.platform_file import find_tenants

    key = read_api_key(api_key)
    tenants = _text_tenants(find_tenants(file, tenant or (), cluster))
    names = [each.name for each in tenants]
    keyed = key_owner(tenants) if key else ""
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    say(f"asking {', '.join(names)} in context {kubectl.context}")
    answers = [ask(kubectl, name, text, key if name == keyed else "") for name in names]
    if output is Format.JSON:
        result(json.dumps([asdict(answer) for answer in answers], indent=2))
    else:
        for answer in answers:
            result(f"{answer.tenant}: {answer.body}")
    silent = [answer.tenant for answer in answers if not answer.ok]
    if silent:
        raise CommandError(f"no prediction from {', '.join(silent)}; the answer is printed above")


def _text_tenants(tenants: "Sequence[Tenant]") -> "list[Tenant]":
    """Those whose model takes a text; what an ONNX model takes depends on the model."""
    for each in tenants:
        if each.runtime != "text":
            say(f"{each.name} is not asked: its model does not classify texts")
    found = [each for each in tenants if each.runtime == "text"]
    if not found:
        raise InputError("no tenant to ask: smoke sends a text; docs/service.md shows how to send records and tensors")
    return found


def key_owner(tenants: "Sequence[Tenant]") -> str:
    """The tenant that an API key is for: the only one, or the only one that requires keys; empty if none does.

    Raises:
        InputError: Several tenants require keys. Each has its own, which the others must not receive.
    """
    owners = [each.name for each in tenants if each.auth or len(tenants) == 1]
    if len(owners) > 1:
        raise InputError(f"{', '.join(owners)} require API keys, and a key is for one tenant: name it with --tenant")
    return owners[0] if owners else ""


def ask(kubectl: Kubectl, tenant: str, text: str, key: str = "") -> SmokeResult:
    """Ask one tenant through its Service, with an API key if there is one; an error is returned as the body."""
    import httpx

    try:
        with kubectl.port_forward(tenant, f"service/{service_name(tenant)}", contract.PORT) as port:
            answer = httpx.post(
                f"http://127.0.0.1:{port}{contract.PREDICT_PATH}",
                json={"text": text},
                headers={"Authorization": f"Bearer {key}"} if key else None,
                timeout=ANSWER_SECONDS,
                trust_env=False,
            )
    except (CommandError, httpx.HTTPError) as error:
        return SmokeResult(tenant=tenant, ok=False, body=str(error))
    if not answer.is_success:
        body = refusal(tenant, answer.status_code) or f"status {answer.status_code}: {answer.text}"
        return SmokeResult(tenant=tenant, ok=False, body=body)
    return SmokeResult(tenant=tenant, ok=_is_prediction(answer), body=answer.text)


def _is_prediction(answer: "httpx.Response") -> bool:
    try:
        body: Any = answer.json()
        return isinstance(body["prediction"], str) and 0 <= body["confidence"] <= 1
    except (ValueError, KeyError, TypeError):
        return False
