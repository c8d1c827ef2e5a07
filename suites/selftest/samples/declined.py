"""Tests that an answer of the driver ends: in the test, in a fixture, in another process (../test_claims.py)."""

import pytest

from fixtures.vulkan.outcomes import declined


def refuse(channel=None):
    declined("the driver declines")


@pytest.fixture
def refused():
    refuse()


@pytest.mark.parametrize("where", ["here"])
def test_here(device, where):
    refuse()


@pytest.mark.parametrize("where", ["in a fixture"])
def test_in_a_fixture(device, where, refused):
    pass


@pytest.mark.parametrize("where", ["there"])
def test_there(device, where, processes):
    processes.run(refuse)
