"""The helpers of tests.kube."""

import tempfile

from cdk8s import App

from tests.kube import make_chart


def test_a_chart_for_tests_has_no_temporary_folder() -> None:
    """cdk8s never deletes the folder of `Testing.app()`."""
    assert not App.of(make_chart()).outdir.startswith(tempfile.gettempdir())
