"""How commands reach the object store from this machine: by its address, or through the cluster."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from inference import contract
from tenantry.errors import CommandError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.address import ModelUri
    from inference.store.bucket import StoreSettings


@contextmanager
def reach(file: Path, endpoint: str | None, *, port_forward: bool) -> "Iterator[StoreSettings]":
    """Settings that reach the store of `file`; the key pair comes from the environment, the address from the options.

    Raises:
        InputError: no address is known, two are given, or the environment is wrong.
        CommandError: kubectl cannot forward.
    """
    from pydantic import ValidationError

    from constructs_lib.platform import Platform
    from inference.store.bucket import StoreSettings, wrong_settings
    from tenantry.cluster.kubectl import Kubectl

    if endpoint and port_forward:
        raise InputError("--endpoint and --port-forward exclude each other; give one of them")
    store = Platform.load(file).platform.model_store
    try:
        settings = StoreSettings()
        if endpoint:  # the address says whether the connection is encrypted
            settings = StoreSettings(endpoint=endpoint, allow_http=endpoint.startswith("http://"))
    except ValidationError as error:
        raise InputError(wrong_settings(error)) from error
    if not port_forward:
        if settings.endpoint is None:
            raise InputError(
                "the address of the object store is unknown: give --endpoint URL, set "
                f"{contract.STORE_ENDPOINT_ENV}, or reach the cluster's own store with --port-forward"
            )
        yield settings
        return
    service, _, namespace = (urlsplit(store.endpoint).hostname or "").partition(".")
    if store.namespace is None:
        raise InputError(f"{file}: the model store is outside the cluster ({store.endpoint}): use --endpoint")
    namespace = namespace.partition(".")[0] or store.namespace
    with Kubectl.find().port_forward(namespace, f"service/{service}", store.port) as port:
        yield settings.model_copy(update={"endpoint": f"http://127.0.0.1:{port}", "allow_http": True})


def bucket_address(model: str) -> "ModelUri":
    """The address of a tenant's model in the store, from platform.yaml.

    Raises:
        CommandError: its model is a folder.
    """
    from inference.address import GRAMMAR, ModelUri

    address = ModelUri.parse(model)
    if not address.bucket:
        raise CommandError(f"platform.yaml serves it from a folder, {model}: write {GRAMMAR.partition(',')[0]}")
    return address
