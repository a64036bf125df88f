"""Turn an artifact into a model in memory, with the runtime that the process has."""

from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.model.interface import LoadedModel


def load_artifact(artifact: Artifact, runtime: str) -> LoadedModel:
    """Load the model, ready to predict.

    Args:
        artifact: The files of the model.
        runtime: One of the contract's RUNTIMES.

    Raises:
        ArtifactError: The files are not a model that this runtime can serve.
    """
    model: LoadedModel
    if runtime == "onnx":
        from inference.model.onnx_model import OnnxModel  # noqa: PLC0415 - only one image has what it imports

        model = OnnxModel.from_artifact(artifact)
    else:
        model = TextClassifier.from_artifact(artifact)
    model.warm_up()
    return model
