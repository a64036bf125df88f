"""What went wrong with a request to the store, in one line that says what to do.

No content of an object or of an answer reaches a message: only the status, the error code and the requested names.
"""

import re
from typing import Final

from inference import contract
from inference.errors import StoreError, StoreUnavailableError, excerpt

_RETRYABLE_STATUS: Final = frozenset({408, 425, 429, *range(500, 600)})
_CODE_CHARACTERS: Final = 64
NOWHERE: Final = "127.0.0.1:0"
"""An impossible proxy for every host except the store's, because the client follows redirects to other hosts."""
_CERTIFICATE_PROBLEMS: Final = {
    "UnknownIssuer": "was issued by an authority that is not trusted here: set modelStore.caBundle to the certificate "
    f"of this authority ({contract.STORE_CA_FILE_ENV} outside a cluster)",
    "Expired": "has expired: renew it",
    "NotValidYet": "is not valid yet: check the clocks",
    "NotValidForName": "is not valid for this host name: correct modelStore.endpoint, or the names in the certificate",
}


def explain(error: Exception, what: str, *, bucket: str, where: str) -> StoreError:  # noqa: PLR0911 - one per cause
    """One line for a person; its class says whether a retry may help.

    Args:
        error: what the client raised.
        what: what was attempted, as in "cannot read s3://models/x".
        bucket: name of the bucket.
        where: the server.
    """
    text, _, source = str(error).partition("\n\nDebug source:")
    status = int(found[1]) if (found := re.search(r"status code: (\d{3})", text)) else None
    code = found[1][:_CODE_CHARACTERS] if (found := re.search(r"<Code>(\w+)</Code>", text)) else ""
    said = " ".join(str(part) for part in (status, code) if part)
    is_token = "Error performing POST" in text  # objects are read with GET and written with PUT
    server = "the server that exchanges the identity's token" if is_token else where
    permanent = status is not None and status not in _RETRYABLE_STATUS
    if found := re.search(r"InvalidCertificate\(\s*(\w+)", source):
        return StoreError(f"{what}: {_certificate_problem(found[1], server)}")
    if (is_token and permanent) or "Failed to read token file" in text:
        return StoreError(f"{what}: {_identity_problem(said)}")
    if code == "NoSuchBucket":
        return StoreError(f"{what}: no bucket '{bucket}' at {where}")
    if isinstance(error, FileNotFoundError):
        return StoreError(f"{what}: there is no such object at {where}; publish the model first")
    if status in {401, 403}:
        return StoreError(
            f"{what}: denied by {where} ({said}): the credentials are wrong or lack the permission, or the object "
            "does not exist"
        )
    if permanent:
        return StoreError(f"{what}: refused by {where} ({said})")
    if "redirect" in text or NOWHERE in source:
        return StoreError(f"{what}: {where} redirects to another host: the region or the endpoint is wrong")
    return StoreUnavailableError(f"{what}: {server} does not answer as expected ({said or _cause(error)})")


def _cause(error: Exception) -> str:
    """The innermost reason of a failed connection, such as `tcp connect error`."""
    if "kind: Timeout" in str(error):
        return "timed out"
    reasons = re.findall(r'"([^"\n]*(?:error|timed out|refused|closed|failed)[^"\n]*)"', str(error))
    return excerpt(reasons[-1] if reasons else str(error).partition("\n")[0])


def _identity_problem(said: str) -> str:
    """Why a workload's identity gets no keys; `said` is the answer to its token, empty if there was no token."""
    if not said:
        return f"no token of the workload's identity: {contract.STORE_TOKEN_FILE_ENV} must name a file that can be read"
    return (
        f"the workload's identity is refused ({said}): check modelStore.workloadIdentity, and the role's trust policy "
        "(issuer, audience, ServiceAccount)"
    )


def _certificate_problem(kind: str, where: str) -> str:
    """What is wrong with a server's certificate; `kind` is rustls's word for it."""
    problem = _CERTIFICATE_PROBLEMS.get(kind.removesuffix("Context"), f"is refused ({kind}): replace it")
    return f"the certificate of {where} {problem}"
