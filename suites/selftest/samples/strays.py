"""Tests in which somebody closes small numbers that are not his own, as a driver does that mixes them up (../test_apart.py)."""

import os

import pytest


@pytest.mark.parametrize("number", range(12))
def test_closes_small_numbers(device, number):
    os.closerange(3, 16)
    assert number % 4, "every fourth fails"


def test_starts_a_process(device, processes):
    os.closerange(3, 16)
    assert processes.run(close_and_answer).value == 7


def close_and_answer(channel):
    os.closerange(3, 16)
    return 7
