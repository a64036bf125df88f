"""What `tenantry up` installs depends on the variables of terraform/platform."""

from pathlib import Path

import pytest

from tenantry.cluster.components import ENVOY_GATEWAY, KUBE_PROMETHEUS_STACK, METRICS_SERVER, installed_components
from tenantry.errors import CommandError, InputError
from tests.fake_programs import FakePrograms, evaluated

ROOT = Path("terraform/platform")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    monkeypatch.delenv("TERRAFORM", raising=False)
    monkeypatch.chdir(tmp_path)
    ROOT.mkdir(parents=True)
    (ROOT / "variables.tf").touch()
    (tmp_path / "bin").mkdir()
    return FakePrograms(tmp_path / "bin", monkeypatch)


def test_the_enabled_components_are_those_that_terraform_reports(programs: FakePrograms) -> None:
    programs.add("terraform", {"console": {"says": evaluated(METRICS_SERVER, ENVOY_GATEWAY)}})
    assert installed_components() == {METRICS_SERVER, ENVOY_GATEWAY}
    assert KUBE_PROMETHEUS_STACK not in installed_components()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"code": 1, "complains": "\x1b[31mError: \x1b[0m\x1b[1mMissing expression\x1b[0m"}, "Missing expression"),
        ({"code": 11, "complains": "panic: value is not a string"}, "does not have the type of its variable"),
        ({"says": ""}, "does not have the type of its variable"),
    ],
)
def test_variables_that_cannot_be_evaluated_are_reported(
    programs: FakePrograms, answer: dict[str, object], reason: str
) -> None:
    programs.add("terraform", {"console": answer})
    with pytest.raises(CommandError, match=rf"terraform/platform: .*{reason}.*terraform\.tfvars"):
        installed_components()


def test_a_folder_without_terraform_is_wrong_input(programs: FakePrograms) -> None:
    programs.add("terraform")
    (ROOT / "variables.tf").unlink()
    with pytest.raises(InputError, match="tenantry init --terraform"):
        installed_components()
