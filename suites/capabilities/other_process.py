"""Steps that the tests of this chapter take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.instances import Instance
from suites.steps.queries import Identity, identities


def identities_there(channel: Channel, info: DeviceInfo) -> list[Identity]:
    """The identities that the driver gives to its physical devices in this process."""
    return identities(Instance(bench.commands(), info))
