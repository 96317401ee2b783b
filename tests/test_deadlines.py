"""Hold the timers to a sorted list of (instant, list, order of arming)."""

from __future__ import annotations

import random

import pytest

from router.deadlines import NEVER, Timers
from router.records import Agent

DURATIONS = (0, 1, 5, 20, 21)


def make_bell(number: int) -> Agent:
    """Return a timer with a number: an agent is one."""
    return Agent(str(number), number, "")


class Model:
    """Keep timers naively: all armed ones with their due instants."""

    def __init__(self) -> None:
        self.armed: dict[int, int] = {}

    def next_due_ms(self) -> int:
        return min(self.armed.values(), default=NEVER)


def known(*durations_ms: int) -> Timers:
    """Return timers with a list for each of these durations."""
    timers = Timers()
    for duration_ms in durations_ms:
        timers.lane(duration_ms)
    return timers


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("kept", [(), DURATIONS[1:]])
def test_timers_fire_as_a_sorted_list_would(seed: int, kept: tuple[int, ...]) -> None:
    """Arm, cancel, arm anew and fire at random; with constant durations and without."""
    draw = random.Random(seed)
    timers, model = known(*kept), Model()
    bells = [make_bell(number) for number in range(40)]
    now_ms = 1_000
    for _ in range(400):
        bell = draw.choice(bells)
        act = draw.random()
        if bell.index in model.armed and act < 0.5:
            timers.cancel(bell)
            del model.armed[bell.index]
        elif bell.index not in model.armed and act < 0.8:
            duration_ms = draw.choice((*DURATIONS, 7, 33))
            timers.arm(bell, now_ms, duration_ms)
            model.armed[bell.index] = now_ms + duration_ms
        elif act > 0.9:
            now_ms = max(now_ms, min(timers.next_due_ms(), now_ms + draw.randrange(15)))
            while (rung := timers.pop_due(now_ms)) is not None:
                assert isinstance(rung, Agent)
                assert model.armed.pop(rung.index) <= now_ms
                assert rung.fifo is None, "what has rung is not armed"
        assert timers.next_due_ms() == model.next_due_ms()
        assert all(timers.due_ms(b) == model.armed.get(b.index, NEVER) for b in bells)
        assert sorted(b.index for b in timers.in_order() if isinstance(b, Agent)) == sorted(
            model.armed
        )


@pytest.mark.parametrize("seed", range(10))
def test_all_that_is_due_rings_in_order_of_its_instant(seed: int) -> None:
    draw = random.Random(seed)
    timers = known(5, 20)
    due: dict[int, int] = {}
    for name in range(200):
        now_ms = name // 4
        duration_ms = draw.choice((5, 20, 9, 14))
        timers.arm(make_bell(name), now_ms, duration_ms)
        due[name] = now_ms + duration_ms
    rung: list[int] = []
    while (bell := timers.pop_due(1_000)) is not None:
        assert isinstance(bell, Agent)
        rung.append(due[bell.index])
    assert rung == sorted(due.values())


def test_equal_instants_ring_list_by_list_then_in_order_of_arming() -> None:
    timers = known(10, 20)
    for name, now_ms, duration_ms in ((1, 0, 20), (2, 10, 10), (3, 10, 10), (4, 5, 15), (5, 0, 20)):
        timers.arm(make_bell(name), now_ms, duration_ms)
    rung = [timers.pop_due(20) for _ in range(5)]
    # 15 ms belongs to no list of its own: list 0, which comes first
    assert [bell.index for bell in rung if isinstance(bell, Agent)] == [4, 2, 3, 1, 5]
    assert timers.pop_due(20) is None


def test_a_due_timer_rings_at_its_instant_and_not_before() -> None:
    timers = known(10)
    timers.arm(make_bell(1), 0, 10)
    assert timers.pop_due(9) is None
    assert timers.pop_due(10) is not None


def test_cancelling_what_is_not_armed_is_harmless() -> None:
    timers, bell = known(10), make_bell(1)
    timers.cancel(bell)
    timers.arm(bell, 0, 10)
    timers.cancel(bell)
    timers.cancel(bell)
    assert timers.next_due_ms() == NEVER


def test_a_timer_is_armed_once() -> None:
    timers, bell = known(10), make_bell(1)
    timers.arm(bell, 0, 10)
    with pytest.raises(AssertionError, match="armed once"):
        timers.arm(bell, 1, 10)


def test_a_timer_moved_to_and_fro_at_one_instant_rings_once() -> None:
    """The heap of odd instants may hold old entries of a timer; only one of them rings."""
    timers, bell = Timers(), make_bell(1)
    for _ in range(5):
        timers.arm(bell, 0, 7)
        timers.cancel(bell)
    timers.arm(bell, 0, 7)
    assert timers.in_order() == [bell]
    assert timers.pop_due(7) is bell
    assert timers.pop_due(1_000) is None


@pytest.mark.parametrize("kept", [(), (100,)])
def test_nothing_dead_piles_up(kept: tuple[int, ...]) -> None:
    """Re-armed for ever, one bell leaves a bounded heap."""
    timers, bell = known(*kept), make_bell(1)
    timers.arm(make_bell(0), 0, 10**9)
    for now_ms in range(5_000):
        timers.arm(bell, now_ms, 100)
        timers.cancel(bell)
    assert len(timers.odd) + len(timers.heads) < 200


def test_a_list_whose_head_was_cancelled_is_put_right() -> None:
    timers = known(10)
    first, second = make_bell(1), make_bell(2)
    timers.arm(first, 0, 10)
    timers.arm(second, 5, 10)
    timers.cancel(first)
    assert timers.next_due_ms() == 15
    timers.arm(first, 6, 10)
    assert timers.pop_due(16) is second
    assert timers.pop_due(16) is first


def test_armed_again_for_the_same_instant_rings_in_order_of_arming() -> None:
    """A restored router knows the last arming only, so no other may count."""
    timers, first, second = Timers(), make_bell(1), make_bell(2)
    timers.arm(first, 0, 7)
    timers.cancel(first)
    timers.arm(second, 0, 7)
    timers.arm(first, 0, 7)
    assert timers.in_order() == [second, first]
    assert timers.pop_due(7) is second
    assert timers.pop_due(7) is first
