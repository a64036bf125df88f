"""A model for aiSSEMBLE's Open Inference Protocol server that gives its inputs back.

Usage: serve.py PORT TENSORS.
"""

import json
import sys
from pathlib import Path

import uvicorn
from aissemble_open_inference_protocol_fastapi.aissemble_oip_fastapi import AissembleOIPFastAPI
from aissemble_open_inference_protocol_shared.handlers.model_handler import ModelHandler
from aissemble_open_inference_protocol_shared.types.dataplane import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    MetadataTensor,
    ModelMetadataResponse,
    ResponseOutput,
)
from fastapi import HTTPException

NAME = "echo"


class Echo(ModelHandler):
    """Each input comes back as an output of the same name."""

    def __init__(self, tensors: dict[str, tuple[str, list[int]]]) -> None:
        super().__init__()
        self.tensors = tensors

    def infer(self, payload: InferenceRequest, model_name: str, model_version: str | None = None) -> InferenceResponse:
        """Hand the inputs back."""
        require_model(model_name)
        given = {item.name: item for item in payload.inputs}
        missing = [name for name in self.tensors if name not in given]
        if missing:
            raise ValueError(f"the model requires the inputs {', '.join(missing)}")
        wanted = [output.name for output in payload.outputs or ()]
        unknown = [name for name in wanted if name not in self.tensors]
        if unknown:
            raise ValueError(f"the model has no outputs {', '.join(unknown)}")
        outputs = [
            ResponseOutput(name=name, shape=given[name].shape, datatype=given[name].datatype, data=given[name].data)
            for name in self.tensors
            if not wanted or name in wanted
        ]
        return InferenceResponse(model_name=model_name, model_version=model_version, id=payload.id, outputs=outputs)

    def model_metadata(self, model_name: str, _model_version: str | None = None) -> ModelMetadataResponse:
        """Describe the tensors."""
        require_model(model_name)
        tensors = [MetadataTensor(name=name, datatype=Datatype(k), shape=s) for name, (k, s) in self.tensors.items()]
        return ModelMetadataResponse(name=model_name, platform="python_echo", inputs=tensors, outputs=tensors)

    def model_load(self, _model_name: str) -> bool:
        """There is nothing to load."""
        return True


def require_model(name: str) -> None:
    """Refuse a model that does not exist, which the server leaves to the handler."""
    if name != NAME:
        raise HTTPException(404, f"there is no model '{name}'")


if __name__ == "__main__":
    server = AissembleOIPFastAPI(Echo(json.loads(Path(sys.argv[2]).read_text()))).server
    uvicorn.run(server, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
