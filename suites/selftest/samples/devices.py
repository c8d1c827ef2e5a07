"""A test that needs a device, and one that needs three at once (../test_claims.py)."""


def test_one(device):
    assert device.is_sound


def test_three(open_device):
    assert all(open_device(new=True).is_sound for _ in range(3))
