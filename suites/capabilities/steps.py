"""What the other process does in the tests of this chapter."""

from fixtures.running.processes import Channel
from fixtures.testbed import bench
from fixtures.testbed.devices import Instance
from fixtures.testbed.drivers import DeviceInfo
from suites.steps.queries import Identity, identities


def identities_there(channel: Channel, info: DeviceInfo) -> list[Identity]:
    """The identities that the driver gives to its physical devices in this process."""
    return identities(Instance(bench.commands(), info))
