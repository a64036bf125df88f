"""How a model gets into memory: fetched, checked, loaded, warmed; tried again as long as that can help."""

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter

import structlog

from inference.errors import StoreUnavailableError
from inference.model.artifact import read
from inference.model.classifier import TextClassifier
from inference.settings import Settings
from inference.store.fetch import fetch

_log = structlog.get_logger()
_WARM_UP = "a first text, so that the first caller does not pay for what is done once"


def load(uri: str) -> TextClassifier:
    """Fetch and load the model at `uri`; blocks.

    Raises:
        StoreUnavailableError: the store does not answer: worth another try.
        StoreError: the store refuses for good.
        ArtifactError: what is there is no sound model.
    """
    fetched = fetch(uri)
    model = TextClassifier.from_artifact(read(fetched.files, expected_digest=fetched.digest))
    model.predict(_WARM_UP)
    return model


async def load_model(settings: Settings) -> TextClassifier:
    """`load` in a thread, tried again while the store does not answer.

    Raises:
        StoreError: as `load`.
        ArtifactError: as `load`.
    """
    pause = settings.load_retry_seconds
    while True:
        begin = perf_counter()
        try:
            model = await _in_daemon(load, settings.model_uri)
        except StoreUnavailableError as error:
            # Many pods wait for one store: they must not come back at the same moment.
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


async def _in_daemon(function: Callable[[str], TextClassifier], argument: str) -> TextClassifier:
    """Like `asyncio.to_thread`, but a process that ends does not wait for a store that is silent."""
    future: Future[TextClassifier] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            found = function(argument)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the model is awaited
            future.set_exception(error)
        else:
            future.set_result(found)

    threading.Thread(target=run, name="load", daemon=True).start()
    return await asyncio.wrap_future(future)
