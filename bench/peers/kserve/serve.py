"""A model for KServe's Python server that gives its inputs back, as KServe's `get_predict_response` writes outputs.

Usage: serve.py PORT TENSORS.
"""

import json
import sys
from pathlib import Path

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from kserve.utils.utils import generate_uuid

NAME = "echo"


class Echo(Model):
    """Each input comes back as an output of the same name."""

    def __init__(self, tensors: dict[str, tuple[str, list[int]]]) -> None:
        super().__init__(NAME)
        self.tensors = [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in tensors.items()]
        self.ready = True

    async def get_input_types(self) -> list[dict]:
        """What the metadata says of the inputs."""
        return self.tensors

    async def get_output_types(self) -> list[dict]:
        """What the metadata says of the outputs."""
        return self.tensors

    def predict(self, payload: InferRequest, _headers: dict | None = None) -> InferResponse:
        """Decode and encode the inputs."""
        given = {item.name: item for item in payload.inputs}
        missing = [tensor["name"] for tensor in self.tensors if tensor["name"] not in given]
        if missing:
            raise InvalidInput(f"the model requires the inputs {', '.join(missing)}")
        wanted = [output.name for output in payload.request_outputs or ()]
        outputs = []
        for name in [tensor["name"] for tensor in self.tensors if not wanted or tensor["name"] in wanted]:
            array = given[name].as_numpy()
            output = InferOutput(name=name, shape=list(array.shape), datatype=given[name].datatype)
            output.set_data_from_numpy(array, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(
            response_id=payload.id or generate_uuid(),
            model_name=self.name,
            infer_outputs=outputs,
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


if __name__ == "__main__":
    described = json.loads(Path(sys.argv[2]).read_text())
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Echo(described)])
