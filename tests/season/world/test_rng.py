"""`rng`: the same numbers from the same tags, everywhere."""

from collections import Counter

import numpy as np

from jvgate.season.world.rng import Dice, draw, ripple, shuffled


def test_a_draw_is_the_same_on_every_machine():
    assert draw(1, "form", 739_000, 5) == 0x2D7A3296BA3870E5
    assert shuffled(8, 1, "numbers", 7) == (5, 1, 0, 3, 7, 6, 2, 4)


def test_seed_purpose_and_every_key_change_a_draw():
    draws = {draw(1, "a", 1, 2), draw(2, "a", 1, 2), draw(1, "b", 1, 2), draw(1, "a", 2, 1), draw(1, "a", -1, 2)}
    assert len(draws) == 5


def test_a_shuffle_keeps_every_number_once():
    assert sorted(shuffled(18, 1, "numbers", 7)) == list(range(18))
    assert shuffled(18, 1, "numbers", 7) != shuffled(18, 1, "numbers", 8)


def test_dice_stay_within_their_bounds():
    dice = Dice(1, "bounds")
    assert {dice.between(3, 5) for _ in range(200)} == {3, 4, 5}
    assert all(abs(dice.bell(50)) <= 101 for _ in range(2000))


def test_a_chance_comes_about_as_often_as_it_says():
    dice = Dice(1, "chance")
    assert 230 < sum(dice.chance(250) for _ in range(1000)) < 270


def test_all_items_are_picked_about_equally_often():
    counts = Counter("abc"[draw(1, "pick", number) % 3] for number in range(900))
    assert all(240 < count < 360 for count in counts.values())


def test_ripple_is_the_same_on_every_machine():
    assert ripple(1, 6, height=1000).tolist() == [682, 752, -550, 264, -607, -511]


def test_ripple_stays_within_its_height_and_leans_to_no_side():
    drawn = ripple(7, 20_000, height=50)
    assert (drawn.min(), drawn.max()) == (-50, 50)
    assert abs(int(drawn.sum())) < 20_000


def test_another_seed_is_another_ripple():
    assert not np.array_equal(ripple(1, 100, height=9), ripple(2, 100, height=9))
