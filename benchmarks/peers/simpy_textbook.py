"""Write the model as SimPy's documentation does in "Bank renege": a process per customer."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model


def run(model: Model, customers: Customers) -> bytearray:
    """Serve one `Resource`; a customer waits for his turn or the end of his patience."""
    env = simpy.Environment()
    agents = simpy.Resource(env, capacity=model.agents)
    outcome = bytearray(len(customers))

    def customer(number: int, service: int, patience: int) -> Generator[Any, Any, None]:
        arrived = env.now
        with agents.request() as turn:
            yield turn | env.timeout(patience)
            if not turn.triggered:
                outcome[number] = ABANDONED
                return
            if env.now > arrived:
                outcome[number] = SERVED_AFTER_WAIT
            yield env.timeout(service)

    def arrivals() -> Generator[Any, Any, None]:
        people = zip(customers.services_ms, customers.patiences_ms, strict=True)
        last = 0
        for number, (service, patience) in enumerate(people):
            arrival = customers.arrivals_ms[number]
            yield env.timeout(arrival - last)
            last = arrival
            env.process(customer(number, service, patience))

    env.process(arrivals())
    env.run()
    return outcome
