"""Do one measurement in a process of its own and print it as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
import sysconfig
from typing import Any, TypeAlias

from benchmarks import border, core_growth, memory, operations, planner_day, simulated_day
from benchmarks.customers import Model
from router.build_info import COMPILED, SOURCE_HASH

Json: TypeAlias = Any


def describe_build() -> dict[str, Any]:
    """Say which interpreter and which core measured."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "pgo": "--enable-optimizations" in options,
        "lto": "--with-lto" in options,
        "core": "compiled" if COMPILED else "pure",
        "source_hash": SOURCE_HASH,
    }


def perform(task: dict[str, Any]) -> Json:
    """Do the measurement a task describes; `do` names it, the rest are its arguments."""
    arguments = dict(task)
    what = arguments.pop("do")
    match what:
        case "build":
            return describe_build()
        case "day":
            model = Model(**arguments.pop("model"))
            return simulated_day.measure(model=model, **arguments)
        case "planned days":
            return planner_day.measure(**arguments)
        case "agents":
            return core_growth.grow_agents(**arguments)
        case "waiting":
            return core_growth.grow_waiting(**arguments)
        case "contact memory":
            return memory.per_contact(**arguments)
        case "agent memory":
            return memory.per_agent(**arguments)
        case "served":
            return operations.count_served(**arguments)
        case "lines":
            return operations.count_waiting(**arguments)
        case "border":
            return border.measure(**arguments)
        case _:
            raise ValueError(f"no measurement is called {what!r}")


def main() -> None:
    """Pin this process to one processor, measure, print."""
    task = json.loads(sys.argv[1])
    processor = task.pop("processor", None)
    if processor is not None:
        os.sched_setaffinity(0, {processor})
    json.dump(perform(task), sys.stdout)


if __name__ == "__main__":
    main()
