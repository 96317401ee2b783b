"""Hold lanes and benches to sorted lists of places and of (rank, tie)."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from router.bench import LOWEST, RANDOM, ROTATING, GradedBench, RankedBench, Seat, mix
from router.center import Channel, Queue
from router.lines import Demand, Lane
from router.plan import ChannelPlan, QueuePlan, remnant
from router.records import Agent, Contact

PROFILE = remnant(("phone", "c", "", "", -1, "", ()))


def demand_of(queue: Queue | None = None) -> Demand:
    plan = QueuePlan("q", queue or Queue())
    return Demand(0, plan, (), (), ChannelPlan(0, "phone", Channel()), GradedBench())


def contact_at(place: int) -> Contact:
    return Contact(str(place), "", PROFILE, place)


# --- lanes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_a_lane_is_a_list_sorted_by_place(seed: int) -> None:
    """Join at the end, at the front and in the middle, leave anywhere."""
    draw = random.Random(seed)
    demand = demand_of()
    lane = Lane(0, demand, 5, [(0, 0)])
    contacts = [contact_at(place) for place in range(30)]
    there: list[Contact] = []
    for _ in range(300):
        contact = draw.choice(contacts)
        if contact in there:
            lane.leave(contact)
            there.remove(contact)
        else:
            lane.join(contact)
            there.append(contact)
        there.sort(key=lambda c: c.place)
        assert lane.contacts() == there
        assert lane.head() is (there[0] if there else None)
        assert lane.size == demand.waiting == len(there)
        for number, here in enumerate(there, start=1):
            assert lane.following(here) is (there[number] if number < len(there) else None)


def test_a_contact_that_left_leaves_no_link() -> None:
    lane = Lane(0, demand_of(), 5, [(0, 0)])
    first, second, third = (contact_at(place) for place in (1, 2, 3))
    for contact in (first, third, second):
        lane.join(contact)
    for contact in (second, first, third):
        lane.leave(contact)
        assert contact.ahead is None
        assert contact.behind is None
    assert lane.head() is None
    assert lane.last is None


# --- benches --------------------------------------------------------------------------------------


def seat_of(name: int, rank: int, tie: int) -> Seat:
    seat = Seat(Agent(str(name), name, "t"), demand_of(), rank)
    seat.tie = tie
    return seat


def walk(bench: GradedBench | RankedBench) -> list[Seat]:
    """Return the seats in the order in which they would be chosen."""
    seats: list[Seat] = []
    seat = bench.first()
    while seat is not None:
        assert len(seats) < 200, "the walk comes to an end"
        seats.append(seat)
        seat = bench.following(seat)
    return seats


@pytest.mark.parametrize("seed", range(40))
def test_a_graded_bench_is_a_sorted_list(seed: int) -> None:
    """The highest grade first, within it the lowest tie, whoever sits down when."""
    draw = random.Random(seed)
    bench = GradedBench()
    grades = draw.choice((1, 3, 62))
    seats = [seat_of(n, 0, 0) for n in range(25)]
    there: list[Seat] = []
    turn = 0
    for _ in range(300):
        seat = draw.choice(seats)
        if seat.taken:
            bench.leave(seat)
            there.remove(seat)
        else:
            turn += 1
            seat.rank = draw.randrange(grades)
            taken = {other.tie for other in there}
            # Mostly behind all others; now and then back at an old turn.
            seat.tie = turn if draw.random() < 0.7 or seat.tie in taken else seat.tie
            bench.take(seat)
            there.append(seat)
        there.sort(key=lambda s: (-s.rank, s.tie))
        assert walk(bench) == there
        assert bench.size == len(there)


@pytest.mark.parametrize("mode", [LOWEST, ROTATING, RANDOM])
@pytest.mark.parametrize("seed", range(15))
def test_a_ranked_bench_shows_everybody_once(mode: int, seed: int) -> None:
    draw = random.Random(seed)
    queue = QueuePlan("q", Queue(seed=seed))
    bench = RankedBench(mode, queue)
    seats = [seat_of(n, n if mode != LOWEST else draw.randrange(4), n) for n in range(12)]
    there: list[Seat] = []
    for _ in range(100):
        seat = draw.choice(seats)
        if seat.taken:
            bench.leave(seat)
            there.remove(seat)
        else:
            bench.take(seat)
            there.append(seat)
        queue.last_rank = draw.randrange(-1, 12)
        queue.drawn = draw.randrange(1_000)
        there.sort(key=lambda s: (s.rank, s.tie))
        shown = walk(bench)
        assert sorted(shown, key=lambda s: (s.rank, s.tie)) == there
        if mode == LOWEST:
            assert shown == there
        elif mode == ROTATING:
            later = [s for s in there if s.rank > queue.last_rank]
            assert shown == later + [s for s in there if s.rank <= queue.last_rank]
        elif there:
            start = there.index(shown[0])
            assert shown == there[start:] + there[:start], "then round the table"


def test_lots_are_even_and_the_same_in_every_run() -> None:
    """Chi-square over 8 places: 99.9 % of fair lots stay below 24.3 (7 degrees of freedom)."""
    for seed in (0, 1, 2**53 - 1):
        counts = Counter(mix(seed, number) % 8 for number in range(8_000))
        chi_square = sum((counts[place] - 1_000) ** 2 / 1_000 for place in range(8))
        assert chi_square < 24.3
    assert [mix(7, number) for number in range(50)] == [mix(7, number) for number in range(50)]
    assert len({mix(7, number) for number in range(1_000)}) == 1_000
    assert len({mix(seed, 7) for seed in range(1_000)}) == 1_000
    assert all(0 <= mix(seed, seed) < 2**62 for seed in range(1_000))


def test_an_empty_bench_has_nobody() -> None:
    assert GradedBench().first() is None
    for mode in (LOWEST, ROTATING, RANDOM):
        assert RankedBench(mode, QueuePlan("q", Queue())).first() is None
