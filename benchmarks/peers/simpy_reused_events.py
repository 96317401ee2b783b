"""Write the model on SimPy's calendar alone: events with a callback, used again, no process.

Nobody writes SimPy like this; it shows what the calendar costs without the processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import simpy

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model


class _Alarm(simpy.Event):
    """Ring once per `set`, for one customer."""

    def __init__(self, env: simpy.Environment, ring: Callable[[Any], None]) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        self.who = -1
        self.ring = [ring]

    def set(self, who: int, delay: int) -> None:
        self.who = who
        self.callbacks = list(self.ring)
        self.env.schedule(self, delay=delay)


def run(model: Model, customers: Customers) -> bytearray:
    """Serve one queue; ended services and spent patience give their event back."""
    env = simpy.Environment()
    arrivals, services = customers.arrivals_ms, customers.services_ms
    outcome = bytearray(len(customers))
    left = bytearray(len(customers))
    waiting: deque[int] = deque()

    def arrive(alarm: _Alarm) -> None:
        who = alarm.who
        if free:
            free.pop().set(who, services[who])
        else:
            waiting.append(who)
            patience = spare.pop() if spare else _Alarm(env, abandon)
            patience.set(who, customers.patiences_ms[who])
        if who + 1 < len(arrivals):
            alarm.set(who + 1, arrivals[who + 1] - arrivals[who])

    def end(alarm: _Alarm) -> None:
        while waiting:
            chosen = waiting.popleft()
            if not left[chosen]:
                outcome[chosen] = SERVED_AFTER_WAIT
                alarm.set(chosen, services[chosen])
                return
        free.append(alarm)

    def abandon(alarm: _Alarm) -> None:
        if outcome[alarm.who] != SERVED_AFTER_WAIT:
            outcome[alarm.who] = ABANDONED
            left[alarm.who] = 1
        spare.append(alarm)

    free = [_Alarm(env, end) for _ in range(model.agents)]
    spare: list[_Alarm] = []
    _Alarm(env, arrive).set(0, arrivals[0])
    env.run()
    return outcome
