"""The pytest plugin of the conformance kit, under the name that pytest loads it by in every environment."""

from conformance.pytest_plugin import *  # noqa: F403 - hooks are found by their names
