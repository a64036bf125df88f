"""A model for MLServer that gives its inputs back, through the codecs that MLServer's own runtimes use."""

import asyncio
import os

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput


class Echo(MLModel):
    """Each input comes back as an output of the same name."""

    async def load(self) -> bool:
        """Load at once, or never, as `LOADING` says."""
        if os.environ.get("LOADING"):
            await asyncio.Event().wait()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Decode and encode the inputs."""
        given = {item.name: item for item in payload.inputs}
        missing = [tensor.name for tensor in self.inputs if tensor.name not in given]
        if missing:
            raise InferenceError(f"the model requires the inputs {', '.join(missing)}")
        wanted = [output.name for output in payload.outputs or ()]
        unknown = [name for name in wanted if name not in given]
        if unknown:
            raise InferenceError(f"the model has no outputs {', '.join(unknown)}")
        outputs = [_echo(given[tensor.name]) for tensor in self.inputs if not wanted or tensor.name in wanted]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)


def _echo(item: RequestInput) -> ResponseOutput:
    codec = StringCodec if item.datatype == "BYTES" else NumpyCodec
    return codec.encode_output(item.name, codec.decode_input(item))
