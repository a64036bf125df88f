"""What a process of its own needs: a model, and a file for its log."""

from pathlib import Path

import pytest

from tests.models import write_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"
