"""Asks a running service with KServe's own client; runs in an environment of its own.

Usage: ask.py URL. Prints one JSON object with what the client made of each answer; exits 0 whatever that is.
"""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import (  # type: ignore[import-not-found] # not in this environment
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)

TEXTS = ["free money", "review the patch"]


async def main(url: str) -> dict[str, Any]:
    """Every call that the client has."""
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=10))
    found: dict[str, Any] = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model_ready": await client.is_model_ready(url, "spam"),
        "other_model_ready": await client.is_model_ready(url, "other"),
    }
    texts = InferInput("text", [2], "BYTES", data=TEXTS)
    response = await client.infer(url, InferRequest("spam", [texts], request_id="42"), model_name="spam")
    found["answer"] = {
        "id": response.id,
        "model": response.model_name,
        "labels": [bytes_or_text(label) for label in response.outputs[0].as_numpy().tolist()],
        "probabilities": response.outputs[1].as_numpy().tolist(),
    }
    array = InferInput("text", [2], "BYTES")
    array.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), binary_data=False)
    found["array"] = (await client.infer(url, InferRequest("spam", [array]), model_name="spam")).outputs[0].data
    wrong = InferInput("text", [3], "BYTES", data=TEXTS)
    found["wrong_shape"] = await error_of(client.infer(url, InferRequest("spam", [wrong]), model_name="spam"))
    found["wrong_model"] = await error_of(client.infer(url, InferRequest("other", [texts]), model_name="other"))
    binary = InferInput("text", [2], "BYTES")
    binary.set_data_from_numpy(np.array(TEXTS, dtype=np.object_))
    found["binary"] = (await client.infer(url, InferRequest("spam", [binary]), model_name="spam")).outputs[0].data
    await client.close()
    return found


async def error_of(call: Any) -> str:
    """The text of the error that a call raises, or what it gives back when it raises none."""
    try:
        return f"no error, but {await call}"
    except Exception as error:  # noqa: BLE001 - its text is the result
        return str(error)


def bytes_or_text(value: bytes | str) -> str:
    """BYTES as text."""
    return value.decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))  # noqa: T201 - its result
