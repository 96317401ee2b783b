"""Write the tables of README.md from results.json; no figure is ever typed by hand.

`python -m benchmarks.tables` writes them again from the file that is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import simulated_day
from benchmarks.customers import Model
from benchmarks.goals import GOALS, NOT_MEASURED, Found, Goal, of_build, ratios, speeds

README: Final = Path(__file__).with_name("README.md")
RESULTS: Final = Path(__file__).with_name("results.json")
BEGIN: Final = "<!-- tables: written by benchmarks/tables.py; do not edit -->"
END: Final = "<!-- end of tables -->"


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a Markdown table; the first column is text, the others figures."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    lines = [list(head), rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure(value: float) -> str:
    """Return a number with three significant digits, and thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values: list[float]) -> str:
    """Return median and range."""
    return f"{figure(median(values))} ({figure(min(values))} to {figure(max(values))})"


def render(results: dict[str, Any]) -> str:
    """Return all tables as Markdown."""
    found: Found = results["found"]
    builds = list(results["builds"])
    parts = [_machine(results), _goals(found, builds)]
    parts.append(_days(found, "day", "textbook SimPy", "100 agents, Erlang-A", Model()))
    large = Model(agents=2_000)
    parts.append(_days(found, "large", "textbook SimPy", "2,000 agents, Erlang-A", large))
    router = "multi-skill SimPy event router"
    parts.append(_days(found, "skills", router, "100 agents, four skills in a chain", None))
    parts += [
        _agents(found),
        _kinds(found),
        _firsts(found),
        _waiting(found),
        _memory(found),
        _lines(found),
    ]
    parts.append(_border(found))
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    lines = [
        (
            f"Measured on {results['measured_at']}: {machine['cpu']}, {machine['processors']} "
            f"processors, {machine['system']}; the run took {results['took_s']} s and ended with a "
            f"load average of {results['load_average'][0]:.2f}."
        )
    ]
    if results["quick"]:
        lines.append("**A quick run: few rounds, small sizes. Figures to look at, not to quote.**")
    for build, described in results["builds"].items():
        options = [name for name in ("pgo", "lto") if described[name]]
        lines.append(
            f"{build.capitalize()} core: {described['implementation']} {described['python']} "
            f"({described['compiler']}; {' and '.join(options) or 'neither pgo nor lto'}), "
            f"sources {described['source_hash'][:12]}."
        )
    return "## Where and when\n\n" + "\n".join(lines)


def _verdict(goal: Goal, value: float | None, wanted: float | None) -> str:
    if value is None:
        return "not measured" if wanted is not None else ""
    shown = f"{figure(value)}{goal.unit}"
    if wanted is None:
        return shown
    if goal.stretch is not None and goal.reached(value, goal.stretch):
        return f"{shown}, stretch reached"
    return f"{shown}, {'reached' if goal.reached(value, wanted) else '**not reached**'}"


def _goals(found: Found, builds: list[str]) -> str:
    rows = []
    for goal in GOALS:
        values = {build: goal.measure(found, build) for build in builds}
        wanted = {"pure": goal.pure, "compiled": goal.compiled}
        bound = "at most " if goal.at_most else ""
        row = [goal.what]
        for build in ("pure", "compiled"):
            aim = wanted[build]
            row.append("" if aim is None else f"{bound}{figure(aim)}{goal.unit}")
            row.append(_verdict(goal, values.get(build), aim))
        rows.append(row)
    head = ("goal", "pure: goal", "pure: measured", "compiled: goal", "compiled: measured")
    missing = "\n".join(f"- {line}" for line in NOT_MEASURED)
    return f"## Goals\n\n{table(head, rows)}\n\nNot measured here:\n\n{missing}"


def _days(found: Found, section: str, base: str, title: str, model: Model | None) -> str:
    if section not in found:
        return ""
    rows = []
    names = list(dict.fromkeys((one["build"], one["name"]) for one in found[section]))
    for build, name in names:
        own = [one for one in of_build(found, section, build) if one["name"] == name]
        label = f"{name} ({build})" if name.startswith(("engine", "core")) else name
        row = [label, spread([value / 1_000 for value in speeds(found, section, build, name)])]
        row.append(spread(ratios(found, section, (build, name), base)))
        for key in ("waited", "abandoned"):
            shares = [share for one in own for share in one[key]]
            mean, error = simulated_day.estimate(shares)
            row.append(f"{mean:.4f} ± {error:.4f}")
        rows.append(row)
    if model is not None:
        exact = model.exact()
        rows.append(["exact", "", "", f"{exact.wait:.4f}", f"{exact.abandon:.4f}"])
    head = ("model", "thousand customers/s", f"times {base}", "P(wait)", "P(abandon)")
    return f"## {title}\n\n{table(head, rows)}"


def _agents(found: Found) -> str:
    if "agents" not in found:
        return ""
    rows = []
    for one in found["agents"]:
        least, single, live = one["least_gc_off"], one["single_gc_on"], one["single_gc_off"]
        costs = one["cpu_us_per_event"]
        rows.append(
            [
                f"{one['agents']:,} ({one['build']})",
                f"{1_000 / median(costs):,.0f}",
                *(figure(least[key]) for key in ("p50", "p99", "p999", "max")),
                *(figure(live[key]) for key in ("p99", "p999", "max")),
                *(figure(single[key]) for key in ("p99", "p999", "max")),
            ]
        )
    head = (
        "agents",
        "thousand events/s",
        *(f"least {key}" for key in ("p50", "p99", "p99.9", "max")),
        *(f"single, gc off {key}" for key in ("p99", "p99.9", "max")),
        *(f"single, gc on {key}" for key in ("p99", "p99.9", "max")),
    )
    return f"## The core by agents (microseconds per event)\n\n{table(head, rows)}"


def _kinds(found: Found) -> str:
    if "agents" not in found:
        return ""
    rows = []
    pure = of_build(found, "agents", "pure")
    for kind in sorted({kind for one in pure for kind in one["kinds"]}):
        shares = [f"{100 * one['kinds'].get(kind, 0) / one['events']:.1f} %" for one in pure]
        rows.append([kind, *shares])
    head = ("event", *(f"{one['agents']:,} agents" for one in pure))
    return f"What those events are:\n\n{table(head, rows)}"


def _firsts(found: Found) -> str:
    if "agents" not in found:
        return ""
    rows = [
        [
            f"{one['agents']:,} ({one['build']})",
            *(figure(one["first"][key]) for key in ("center_changed", "sign_in", "contact")),
        ]
        for one in found["agents"]
    ]
    head = ("agents", "configuration", "sign-in, mean", "first contact of a category, slowest")
    return f"What happens once (microseconds):\n\n{table(head, rows)}"


def _waiting(found: Found) -> str:
    if "waiting" not in found:
        return ""
    rows = []
    for one in found["waiting"]:
        row = [f"{one['waiting']:,} ({one['build']})"]
        for kind in ("arrive", "abandon", "free"):
            row += [figure(one[kind]["p50"]), figure(one[kind]["p99"])]
        rows.append([*row, figure(one["fill_us_per_contact"])])
    kinds = ("arrive", "abandon", "agent freed")
    head = ("waiting", *(f"{kind} {p}" for kind in kinds for p in ("p50", "p99")), "fill, mean")
    return (
        "## The core by waiting contacts (microseconds per event, 200 agents, collector off)\n\n"
        + table(head, rows)
    )


def _memory(found: Found) -> str:
    if "contact memory" not in found:
        return ""
    rows = []
    for one in found["contact memory"]:
        label = f"open contact ({one['build']}): traced by Python"
        rows.append([label, figure(one["traced"])])
        label = f"open contact ({one['build']}): growth of the process"
        rows.append([label, figure(one["resident"])])
    for one in found["agent memory"]:
        rows.append([f"agent ({one['build']}): the router's own", figure(one["router"])])
        label = f"agent ({one['build']}): its configuration"
        rows.append([label, figure(one["configuration"])])
    return f"## Memory\n\n{table(('what', 'bytes'), rows)}"


def _lines(found: Found) -> str:
    parts = []
    for section, what in (("served", "agents"), ("lines", "waiting contacts")):
        rows_found = found.get(section, [])
        if not rows_found:
            continue
        rows = [
            [kind, *(f"{one['counts'][kind]:.1f}" for one in rows_found)]
            for kind in rows_found[0]["counts"]
        ]
        head = ("event", *(f"{one['scale']:,} {what}" for one in rows_found))
        parts.append(table(head, rows))
    if not parts:
        return ""
    return "## Lines of the core executed per event (mean of 100)\n\n" + "\n\n".join(parts)


def _border(found: Found) -> str:
    rows = []
    for build in ("pure", "compiled"):
        for stdlib, name in ((False, "msgspec"), (True, "stdlib json")):
            own = of_build(found, f"border stdlib={stdlib}", build)
            if own:
                rates = [1_000 / one["cpu_us_per_event"] for one in own]
                rows.append([f"{name} ({build} core)", spread(rates)])
    if not rows:
        return ""
    head = ("decode, core, encode", "thousand events/s")
    return f"## Bytes in, bytes out\n\n{table(head, rows)}"


def write(results: dict[str, Any]) -> None:
    """Put the tables between their marks in README.md."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    body = render(results)
    README.write_text(f"{before}{BEGIN}\n\n{body}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text(encoding="utf-8")))
