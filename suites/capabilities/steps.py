"""What the other process does in the tests of this chapter."""

from fixtures import bench
from fixtures.devices import Instance
from fixtures.drivers import DeviceInfo
from fixtures.processes import Channel
from suites.capabilities.queries import Identity, identities


def identities_there(channel: Channel, info: DeviceInfo) -> list[Identity]:
    """The identities that the driver gives to its physical devices in this process."""
    return identities(Instance(bench.commands(), info))
