"""Name the models that are compared, run one of them, and judge its answers."""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable
from dataclasses import asdict
from math import sqrt
from typing import Any, Final

from benchmarks.customers import ABANDONED, Customers, Model, draw_customers

Run = Callable[[Model, Customers], bytearray]
BATCHES: Final = 20

# Each model by name: in which module, which function.
MODELS: Final[dict[str, tuple[str, str]]] = {
    "textbook SimPy": ("benchmarks.peers.simpy_textbook", "run"),
    "SimPy, re-used events": ("benchmarks.peers.simpy_reused_events", "run"),
    "Ciw": ("benchmarks.peers.ciw_reneging", "run"),
    "planner": ("benchmarks.planner_day", "run"),
    "heapq loop": ("benchmarks.peers.heapq_loop", "run"),
    "C loop": ("benchmarks.peers.c_loop", "run"),
    "core in a heapq loop": ("benchmarks.engine_loops", "run"),
    "core in a heapq loop, offers + wrap-up + clock": (
        "benchmarks.engine_loops",
        "run_with_offers",
    ),
    "engine in SimPy": ("benchmarks.engine_world", "run"),
    "engine in SimPy, journal kept": ("benchmarks.engine_world", "run_keeping_entries"),
    "engine in SimPy, offers + wrap-up + clock": ("benchmarks.engine_world", "run_with_offers"),
    "multi-skill heapq loop": ("benchmarks.peers.multi_skill", "run_heapq"),
    "multi-skill SimPy event router": ("benchmarks.peers.multi_skill", "run_event_router"),
    "multi-skill SimPy FilterStore": ("benchmarks.peers.multi_skill", "run_filter_store"),
}


def measure(name: str, model: Model, count: int, seed: int) -> dict[str, Any]:
    """Run one model on freshly drawn customers; only its own run is timed (CPU seconds).

    The answers leave out the customers of the warm-up, and come in batches from which a standard
    error can be made.
    """
    module, function = MODELS[name]
    run: Run = getattr(importlib.import_module(module), function)
    customers = draw_customers(model, count, seed)
    prepare = getattr(importlib.import_module(module), "prepare", None)
    if prepare is not None:
        prepare(customers)
    gc.collect()
    gc.freeze()
    started = time.process_time()
    outcome = run(model, customers)
    cpu_s = time.process_time() - started
    steady = outcome[model.warm_up :]
    size = len(steady) // BATCHES
    batches = [steady[start : start + size] for start in range(0, size * BATCHES, size)]
    return {
        "name": name,
        "model": asdict(model),
        "customers": len(outcome),
        "cpu_s": cpu_s,
        "per_second": len(outcome) / cpu_s,
        "waited": [1 - batch.count(0) / size for batch in batches],
        "abandoned": [batch.count(ABANDONED) / size for batch in batches],
        "outcome": [outcome.count(value) for value in range(3)],
    }


def estimate(shares: list[float]) -> tuple[float, float]:
    """Return mean and standard error of batch means."""
    mean = sum(shares) / len(shares)
    variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    return mean, sqrt(variance / len(shares))
