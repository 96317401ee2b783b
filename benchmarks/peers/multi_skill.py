"""Write the multi-skill model three ways: a heap loop, a SimPy event router, a SimPy FilterStore.

The rule is the same in all: an arriving customer gets the agent who has been idle longest among
those who serve his category; a freed agent takes the customer who has waited longest among his
categories.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import Any, TypeAlias

import simpy

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model

_END, _ABANDON = 0, 1
Process: TypeAlias = Callable[[int], Generator[Any, Any, None]]


class _Line:
    """Hold who waits and who is idle; the search is a scan, as one writes it by hand."""

    def __init__(self, model: Model) -> None:
        self.serves = [model.serves(agent) for agent in range(model.agents)]
        self.idle = list(range(model.agents))
        self.waiting: list[deque[Any]] = [deque() for _ in range(model.categories)]

    def take_agent(self, category: int) -> int:
        """Return the longest idle agent who serves the category, -1 for none."""
        for place, agent in enumerate(self.idle):
            if category in self.serves[agent]:
                del self.idle[place]
                return agent
        return -1


def run_heapq(model: Model, customers: Customers) -> bytearray:
    """Serve from a binary heap, without any framework."""
    services, patiences = customers.services_ms, customers.patiences_ms
    arrivals, categories = customers.arrivals_ms, customers.categories
    outcome = bytearray(len(customers))
    left = bytearray(len(customers))
    line = _Line(model)
    heap: list[tuple[int, int, int, int]] = []
    nobody = len(customers)
    following = 0
    while heap or following < nobody:
        if following < nobody and (not heap or heap[0][0] > arrivals[following]):
            who, now = following, arrivals[following]
            following += 1
            agent = line.take_agent(categories[who])
            if agent >= 0:
                heappush(heap, (now + services[who], _END, who, agent))
            else:
                line.waiting[categories[who]].append(who)
                heappush(heap, (now + patiences[who], _ABANDON, who, -1))
            continue
        now, kind, who, agent = heappop(heap)
        if kind == _ABANDON:
            if outcome[who] != SERVED_AFTER_WAIT:
                outcome[who] = ABANDONED
                left[who] = 1
            continue
        chosen = nobody
        for category in line.serves[agent]:
            waiting = line.waiting[category]
            while waiting and left[waiting[0]]:
                waiting.popleft()
            if waiting and waiting[0] < chosen:
                chosen = waiting[0]
        if chosen < nobody:
            line.waiting[categories[chosen]].popleft()
            outcome[chosen] = SERVED_AFTER_WAIT
            heappush(heap, (now + services[chosen], _END, chosen, agent))
        else:
            line.idle.append(agent)
    return outcome


def run_event_router(model: Model, customers: Customers) -> bytearray:
    """Serve with a process per customer who waits for an event that a router triggers."""
    env = simpy.Environment()
    line = _Line(model)
    outcome = bytearray(len(customers))

    def release(agent: int) -> None:
        oldest: deque[Any] | None = None
        for category in line.serves[agent]:
            waiting = line.waiting[category]
            while waiting and outcome[waiting[0][0]] == ABANDONED:
                waiting.popleft()
            if waiting and (oldest is None or waiting[0][0] < oldest[0][0]):
                oldest = waiting
        if oldest is None:
            line.idle.append(agent)
            return
        number, turn = oldest.popleft()
        outcome[number] = SERVED_AFTER_WAIT
        turn.succeed(agent)

    def customer(number: int) -> Generator[Any, Any, None]:
        category = customers.categories[number]
        agent = line.take_agent(category)
        if agent < 0:
            turn: Any = env.event()
            line.waiting[category].append((number, turn))
            yield turn | env.timeout(customers.patiences_ms[number])
            if not turn.triggered:
                outcome[number] = ABANDONED
                return
            agent = turn.value
        yield env.timeout(customers.services_ms[number])
        release(agent)

    env.process(_arrivals(env, customers, customer))
    env.run()
    return outcome


def run_filter_store(model: Model, customers: Customers) -> bytearray:
    """Serve with agents as items of a `FilterStore`: the shortest way to write it in SimPy."""
    env = simpy.Environment()
    serves = [model.serves(agent) for agent in range(model.agents)]
    store = simpy.FilterStore(env)
    store.items = list(range(model.agents))
    outcome = bytearray(len(customers))

    def customer(number: int) -> Generator[Any, Any, None]:
        category = customers.categories[number]
        arrived = env.now
        turn: Any = store.get(lambda agent: category in serves[agent])
        if not turn.triggered:
            yield turn | env.timeout(customers.patiences_ms[number])
            if not turn.triggered:
                turn.cancel()
                outcome[number] = ABANDONED
                return
            if env.now > arrived:
                outcome[number] = SERVED_AFTER_WAIT
        agent = turn.value
        yield env.timeout(customers.services_ms[number])
        yield store.put(agent)

    env.process(_arrivals(env, customers, customer))
    env.run()
    return outcome


def _arrivals(
    env: simpy.Environment, customers: Customers, customer: Process
) -> Generator[Any, Any, None]:
    """Start the process of each customer at his arrival."""
    last = 0
    for number, arrival in enumerate(customers.arrivals_ms):
        yield env.timeout(arrival - last)
        last = arrival
        env.process(customer(number))
