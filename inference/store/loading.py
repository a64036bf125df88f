"""Load a model into memory: fetch it, check it, warm it up, and retry while the store does not answer."""

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import perf_counter

import structlog

from inference.errors import ArtifactError, InferenceError, StoreUnavailableError, excerpt
from inference.model.artifact import read
from inference.model.interface import LoadedModel
from inference.model.loading import load_artifact
from inference.settings import Settings
from inference.store.fetch import fetch

_log = structlog.get_logger()


async def load_model(settings: Settings) -> LoadedModel:
    """Load the model at `settings.model_uri`; retry, with growing pauses, while the store does not answer.

    Raises:
        StoreError: the store refuses permanently.
        ArtifactError: the files are not a model that can be served, whatever goes wrong with them.
    """
    pause = settings.load_retry_seconds
    while True:
        begin = perf_counter()
        try:
            model = await _in_daemon(partial(_load, settings.model_uri, settings.runtime))
        except StoreUnavailableError as error:
            # Many pods wait for one store: their retries must not coincide.
            wait = pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
            _log.warning("model store unavailable", error=str(error), retry_in_seconds=round(wait, 1))
            await asyncio.sleep(wait)
            pause = min(pause * 2, settings.load_retry_max_seconds)
        else:
            _log.info(
                "model loaded",
                model=model.name,
                version=model.version,
                digest=model.digest,
                scorer=model.scorer_kind,
                seconds=round(perf_counter() - begin, 3),
            )
            return model


def _load(uri: str, runtime: str) -> LoadedModel:
    """Fetch and load the model at `uri`; blocks."""
    try:
        fetched = fetch(uri)
        return load_artifact(read(fetched.files, expected_digest=fetched.digest), runtime)
    except InferenceError:
        raise
    except BaseException as error:  # the libraries that read hostile files may raise anything, even a panic
        raise ArtifactError(f"the model at {uri} cannot be loaded: {excerpt(repr(error))}") from error


async def _in_daemon(function: Callable[[], LoadedModel]) -> LoadedModel:
    """Like `asyncio.to_thread`, but a process that ends does not wait for a store that does not answer."""
    future: Future[LoadedModel] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            found = function()
        except BaseException as error:  # noqa: BLE001 - raised again where the model is awaited
            future.set_exception(error)
        else:
            future.set_result(found)

    threading.Thread(target=run, name="load", daemon=True).start()
    return await asyncio.wrap_future(future)
