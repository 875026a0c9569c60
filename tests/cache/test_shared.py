"""The seam of the tier behind memory: a lease that is given back once, and the tier that is none."""

import asyncio

import pytest

from jvgate.cache.shared import Inspection, Lease, Miss, NoTier, Packed, SharedPurge
from tests.raceday import QUERY, dataset


def released():
    given_back = []
    return Lease(7, is_shared=True, on_release=lambda: given_back.append("released")), given_back


def test_a_lease_is_given_back_at_the_end_of_its_block():
    lease, given_back = released()
    with lease as taken:
        assert taken is lease
        assert (given_back, lease.is_released) == ([], False)
    assert (given_back, lease.is_released) == (["released"], True)


def test_a_lease_is_given_back_when_the_read_fails_and_the_error_goes_on():
    lease, given_back = released()
    with pytest.raises(KeyError), lease:
        raise KeyError
    assert given_back == ["released"]


def test_a_lease_is_given_back_once():
    lease, given_back = released()
    with lease:
        lease.release()
    lease.release()
    assert given_back == ["released"]


def test_two_leases_are_two_though_they_say_the_same():
    assert Lease() != Lease()


def test_without_a_tier_nothing_is_found_and_nobody_is_kept_waiting():
    async def scene():
        async with NoTier() as tier:
            tier.put(Packed(dataset(), 1e9, 1e9))
            return (
                await tier.get(QUERY),
                await tier.wait(QUERY, limit_s=1e9),
                await tier.purge("all"),
                tier.fence("all"),
            )

    assert asyncio.run(scene()) == (Miss("off"), Miss("off"), SharedPurge(0, is_owed=False), 0)


def test_without_a_tier_every_process_has_its_own_lease():
    async def scene():
        tier = NoTier()
        return [await tier.lease(QUERY) for _ in range(2)]

    one, other = asyncio.run(scene())
    assert one is not other
    assert (one.is_shared, one.stamp, one.is_released) == (False, 0, False)


def test_without_a_tier_there_is_nothing_to_see():
    async def scene():
        tier = NoTier()
        await tier.get(QUERY)
        return tier.state.state, tier.ahead_s, tier.counts.total(), tier.looks.total(), await tier.inspect()

    assert asyncio.run(scene()) == ("off", 0.0, 0, 0, Inspection())
