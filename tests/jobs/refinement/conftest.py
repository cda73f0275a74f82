"""A small network that is refined."""

import pytest

from tests.jobs.small_training import trained


@pytest.fixture(scope="package")
def run(tmp_path_factory):
    """The folder of its training run."""
    return trained(tmp_path_factory.mktemp("run"), {}, epochs=2)
