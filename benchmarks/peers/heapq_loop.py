"""Write the model by hand on a binary heap, with no feature beyond it: the floor of pure Python."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, Customers, Model

_END, _ABANDON = 0, 1


def run(model: Model, customers: Customers) -> bytearray:
    """Serve one queue first come, first served.

    An abandonment that comes too late stays in the heap and is recognised when it is due.
    """
    services, patiences = customers.services_ms, customers.patiences_ms
    outcome = bytearray(len(customers))
    waiting: deque[int] = deque()
    left = bytearray(len(customers))
    heap: list[tuple[int, int, int]] = []
    free = model.agents
    for customer, arrival in enumerate(customers.arrivals_ms):
        while heap and heap[0][0] <= arrival:
            now, kind, who = heappop(heap)
            if kind == _END:
                while waiting and left[waiting[0]]:
                    waiting.popleft()
                if waiting:
                    chosen = waiting.popleft()
                    outcome[chosen] = SERVED_AFTER_WAIT
                    heappush(heap, (now + services[chosen], _END, chosen))
                else:
                    free += 1
            elif outcome[who] != SERVED_AFTER_WAIT:
                outcome[who] = ABANDONED
                left[who] = 1
        if free:
            free -= 1
            heappush(heap, (arrival + services[customer], _END, customer))
        else:
            waiting.append(customer)
            heappush(heap, (arrival + patiences[customer], _ABANDON, customer))
    while heap:
        now, kind, who = heappop(heap)
        if kind == _END:
            while waiting and left[waiting[0]]:
                waiting.popleft()
            if waiting:
                chosen = waiting.popleft()
                outcome[chosen] = SERVED_AFTER_WAIT
                heappush(heap, (now + services[chosen], _END, chosen))
        elif outcome[who] != SERVED_AFTER_WAIT:
            outcome[who] = ABANDONED
            left[who] = 1
    return outcome
