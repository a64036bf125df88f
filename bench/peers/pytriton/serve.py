"""Triton with a model that gives its inputs back, through PyTriton, which installs both from PyPI.

Usage: serve.py PORT TENSORS. TENSORS has no FP16: Triton does not take it in JSON, where the specification calls it
problematic.
"""

import json
import sys
from pathlib import Path

import numpy as np
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

NAME = "echo"
TYPES = {"BYTES": np.bytes_, "BOOL": np.bool_, "FP32": np.float32, "FP64": np.float64} | {
    f"{sign}INT{bits}": np.dtype(f"{sign.lower()}int{bits}").type for sign in ("", "U") for bits in (8, 16, 32, 64)
}


def echo(requests: list) -> list[dict[str, np.ndarray]]:
    """Each input comes back as an output of the same name."""
    return [dict(request.items()) for request in requests]


if __name__ == "__main__":
    port = int(sys.argv[1])
    described = json.loads(Path(sys.argv[2]).read_text())
    tensors = [Tensor(name=name, dtype=TYPES[kind], shape=tuple(shape)) for name, (kind, shape) in described.items()]
    config = TritonConfig(
        http_address="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, exit_timeout_secs=5
    )
    with Triton(config=config) as triton:
        triton.bind(NAME, infer_func=echo, inputs=tensors, outputs=tensors, config=ModelConfig(batching=False))
        triton.serve()
