"""The Secret `api-keys` of a tenant in the cluster: who has which keys. It never contains a key, only digests."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

from inference import api_keys, contract
from inference.api_keys import ApiKey, ApiKeyError
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

_NAME: Final = contract.API_KEYS_SECRET_NAME


@dataclass
class KeyStore:
    """The keys of one tenant.

    Attributes:
        callers: The keys of each caller, the oldest first.
    """

    kubectl: Kubectl
    tenant: str
    callers: dict[str, tuple[ApiKey, ...]]
    _version: str = field(default="", repr=False)

    @classmethod
    def read(cls, kubectl: Kubectl, tenant: str) -> "KeyStore":
        """Read the Secret.

        Raises:
            CommandError: The namespace does not exist, or the Secret cannot be read or is not valid.
        """
        kubectl.run("get", "namespace", tenant)
        said = kubectl.run("get", "secret", _NAME, "--namespace", tenant, "--ignore-not-found", "--output", "json")
        if not said.strip():
            return cls(kubectl, tenant, {})
        secret = json.loads(said)
        try:
            texts = {name: base64.b64decode(text).decode() for name, text in (secret.get("data") or {}).items()}
            callers = api_keys.parse_entries(texts)
        except (ApiKeyError, UnicodeDecodeError) as error:
            raise CommandError(f"the Secret {_NAME} of {tenant} is not valid: {error}") from error
        return cls(kubectl, tenant, callers, secret["metadata"]["resourceVersion"])

    def write(self) -> None:
        """Write the Secret, unless somebody else has changed it since it was read.

        Raises:
            CommandError: It was changed, or it cannot be written.
        """
        metadata: dict[str, Any] = {"name": _NAME, "namespace": self.tenant}
        if self._version:
            metadata["resourceVersion"] = self._version
        texts = {caller: api_keys.entry_text(keys) for caller, keys in self.callers.items()}
        api_keys.parse_entries(texts)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": texts}
        if self._version:
            secret["data"] = {}
        verb = "replace" if self._version else "create"
        self.kubectl.run(verb, "--filename", "-", stdin=json.dumps(secret))

    @property
    def is_used(self) -> bool:
        """Whether the tenant's pods require keys: their Deployment mounts the Secret."""
        deployments = self.kubectl.get("deployments", "--namespace", self.tenant)["items"]
        volumes = [volume for each in deployments for volume in each["spec"]["template"]["spec"].get("volumes", ())]
        return any(volume.get("secret", {}).get("secretName") == _NAME for volume in volumes)
