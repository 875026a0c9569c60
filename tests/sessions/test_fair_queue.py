"""The queue before the sessions: who is next."""

from hypothesis import given
from hypothesis import strategies as st

from jvgate.sessions.fair_queue import Priority, Turn, Turns

INTERACTIVE, BATCH, PREFETCH = Priority


def queue(*wanted):
    turns = Turns()
    for number, priority in enumerate(wanted):
        turns.add(Turn(priority, str(number), False, number))
    return turns


def served(turns, at_work=()):
    order = []
    while turn := turns.take(lambda turn: True, at_work):
        order.append(turn.ticket)
    return order


def test_who_came_first_is_served_first():
    assert served(queue(*[INTERACTIVE] * 4)) == [0, 1, 2, 3]


def test_the_more_urgent_goes_first_and_a_prefetch_when_nobody_else_waits():
    assert served(queue(PREFETCH, BATCH, INTERACTIVE, BATCH)) == [2, 1, 3, 0]


def test_a_batch_is_served_after_four_interactive_ones():
    assert served(queue(BATCH, BATCH, *[INTERACTIVE] * 6)) == [2, 3, 4, 5, 0, 6, 7, 1]


def test_a_twin_waits_and_holds_up_nobody():
    turns = Turns()
    for number, data in enumerate("aba"):
        turns.add(Turn(INTERACTIVE, data, False, number))
    assert turns.take(lambda turn: True, {"a"}).ticket == 1
    assert turns.take(lambda turn: True, {"a"}) is None
    assert served(turns) == [0, 2]


def test_a_session_of_one_kind_passes_over_what_it_does_not_take():
    turns = Turns()
    for number, is_realtime in enumerate((True, False)):
        turns.add(Turn(INTERACTIVE, str(number), is_realtime, number))
    assert turns.take(lambda turn: not turn.is_realtime, ()).ticket == 1
    assert len(turns) == 1


def test_who_leaves_is_not_served():
    turns = queue(INTERACTIVE, INTERACTIVE)
    first = next(iter(turns))
    assert turns.remove(first)
    assert not turns.remove(first)
    assert served(turns) == [1]


def test_a_prefetch_goes_where_nobody_else_can():
    turns = Turns()
    turns.add(Turn(INTERACTIVE, "a", True, "elsewhere"))
    turns.add(Turn(BATCH, "twin", False, "twin"))
    turns.add(Turn(PREFETCH, "b", False, "prefetch"))
    assert turns.take(lambda turn: not turn.is_realtime, {"twin"}).ticket == "prefetch"


def test_a_hastened_turn_queues_behind_those_of_its_new_priority_and_can_still_leave():
    turns = queue(INTERACTIVE, PREFETCH, BATCH, PREFETCH)
    first, *_, last = turns
    turns.hasten(last.data, INTERACTIVE)
    turns.hasten(first.data, BATCH)  # less urgent than it is: nothing changes
    assert [turn.ticket for turn in turns] == [0, 3, 2, 1]
    assert turns.remove(last)
    assert served(turns) == [0, 2, 1]


def test_those_who_wait_are_counted_and_told_the_most_urgent_first():
    turns = queue(PREFETCH, BATCH, INTERACTIVE)
    assert (len(turns), [turn.ticket for turn in turns]) == (3, [2, 1, 0])


@given(st.lists(st.sampled_from(Priority)), st.lists(st.booleans()))
def test_nobody_is_lost_or_served_twice(wanted, leaves):
    turns = queue(*wanted)
    gone = [turn for turn, goes in zip(list(turns), leaves, strict=False) if goes and turns.remove(turn)]
    assert sorted(served(turns) + [turn.ticket for turn in gone]) == list(range(len(wanted)))


@given(st.integers(1, 30))
def test_a_batch_never_starves(interactive):
    order = served(queue(BATCH, *[INTERACTIVE] * interactive))
    assert order.index(0) <= 4


@given(st.lists(st.sampled_from([{True}, {False}, {True, False}]), max_size=60))
def test_a_batch_does_not_starve_beside_sessions_for_other_data_either(sessions):
    """However many come, of whatever kind: a session that takes it serves four others first, at most."""
    turns, passed_over = Turns(), 0
    turns.add(Turn(BATCH, "", False, "the batch"))
    for takes in sessions:
        for priority, is_realtime in ((INTERACTIVE, True), (INTERACTIVE, False), (BATCH, True)):
            turns.add(Turn(priority, "", is_realtime, "another"))
        turn = turns.take(lambda turn, takes=takes: turn.is_realtime in takes, ())
        if turn.ticket == "the batch":
            return
        passed_over += False in takes
    assert passed_over <= 4
