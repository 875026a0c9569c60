"""`noise`: arrays of draws."""

import numpy as np

from jvgate.season.world.noise import ripple


def test_ripple_is_the_same_on_every_machine():
    assert ripple(1, 6, height=1000).tolist() == [682, 752, -550, 264, -607, -511]


def test_ripple_stays_within_its_height_and_leans_to_no_side():
    drawn = ripple(7, 20_000, height=50)
    assert (drawn.min(), drawn.max()) == (-50, 50)
    assert abs(int(drawn.sum())) < 20_000


def test_another_seed_is_another_ripple():
    assert not np.array_equal(ripple(1, 100, height=9), ripple(2, 100, height=9))
