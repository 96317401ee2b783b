"""Draw what a search found: agents by group, shifts over the day, needs kept, costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulation.plan.answers import IntervalRow
from simulation.report.charts import (
    AMBER,
    BLUE,
    DIM,
    GREY,
    LIGHT_GREEN,
    PALETTE,
    RED,
    TEXT,
    categories,
    frame,
    percent,
    values_axis,
)
from simulation.report.document import Option
from simulation.report.wording import Words
from simulation.staffing.certificate import Kept


def by_group(
    words: Words,
    starts: Sequence[str],
    agents: Mapping[str, Sequence[float]],
    rows: Sequence[IntervalRow],
) -> Option:
    """Draw the planned agents of each group, stacked, under what formulas need."""

    def step(name: str, values: Sequence[float], colour: str, kind: str) -> Option:
        return {
            "type": "line",
            "step": "middle",
            "symbol": "none",
            "name": name,
            "data": [round(value, 2) for value in values],
            "lineStyle": {"color": colour, "type": kind, "width": 2},
            "itemStyle": {"color": colour},
        }

    bars = [
        {
            "type": "bar",
            "stack": "agents",
            "barCategoryGap": "12%",
            "name": name,
            "data": [round(value, 2) for value in values],
            # What is needed must be seen on top of them.
            "itemStyle": {"opacity": 0.55},
        }
        for name, values in agents.items()
    ]
    return frame(
        xAxis=categories(starts),
        yAxis=values_axis(words("agents")),
        series=[
            *bars,
            step(words("net"), [row.net for row in rows], TEXT, "solid"),
            step(words("required"), [row.required for row in rows], RED, "dashed"),
            step(words("required_pooled"), [row.required_pooled for row in rows], GREY, "dotted"),
        ],
    )


@dataclass(frozen=True)
class Bar:
    """A kind of shift: whose it is, when, by how many, and when its breaks may lie; hours."""

    group: str
    hours: str
    count: int
    start_h: float
    end_h: float
    breaks_h: tuple[tuple[float, float], ...]

    def pieces(self) -> list[tuple[bool, float]]:
        """Return work (False) and breaks (True) in turn, with their lengths; work comes first."""
        edges: list[tuple[float, float]] = []
        for start, end in sorted(self.breaks_h):
            if edges and start <= edges[-1][1]:
                edges[-1] = (edges[-1][0], max(edges[-1][1], end))
            else:
                edges.append((start, end))
        found: list[tuple[bool, float]] = []
        at = self.start_h
        for start, end in edges:
            found += [(False, max(0.0, start - at)), (True, end - max(start, at))]
            at = end
        return [*found, (False, max(0.0, self.end_h - at))]


def shifts(words: Words, bars: Sequence[Bar]) -> Option:
    """Draw each kind of shift as a bar over the day, with the time in which its breaks lie."""
    pieces = [bar.pieces() for bar in bars]
    count = max((len(each) for each in pieces), default=0)

    def piece(index: int) -> Option:
        resting = index % 2 == 1
        lengths = [round(each[index][1], 4) if index < len(each) else 0.0 for each in pieces]
        label: Option = {"show": False}
        return {
            "type": "bar",
            "stack": "shift",
            "name": words("break_window" if resting else "at_work"),
            "data": [
                {"value": length, "label": {"show": True, "formatter": bar.hours}}
                if index == 0
                else length
                for length, bar in zip(lengths, bars, strict=True)
            ],
            "itemStyle": {"color": AMBER if resting else PALETTE[0], "opacity": 0.85},
            "label": {**label, "position": "insideLeft", "color": "#fff", "fontSize": 11},
            "barMaxWidth": 22,
        }

    blank = {
        "type": "bar",
        "stack": "shift",
        "name": "",
        "data": [round(bar.start_h, 4) for bar in bars],
        "itemStyle": {"opacity": 0},
        "tooltip": {"show": False},
    }
    hours: Option = {"color": DIM, "formatter": "{value}:00", "hideOverlap": True}
    first = math.floor(min((bar.start_h for bar in bars), default=0.0))
    last = math.ceil(max((bar.end_h for bar in bars), default=24.0))
    return frame(
        tooltip={"show": False},
        legend={**frame()["legend"], "data": [words("at_work"), words("break_window")]},
        grid={"left": 8, "right": 26, "top": 8, "bottom": 38, "containLabel": True},
        xAxis=values_axis("", min=first, max=last, interval=1, axisLabel=hours),
        yAxis=categories([f"{bar.group} × {bar.count}" for bar in bars], inverse=True),
        series=[blank, *(piece(index) for index in range(count))],
    )


def kept(words: Words, rows: Sequence[Kept], *, lost: bool) -> Option:
    """Draw what each need reaches, what is sure of it, and what was asked; percent."""
    names = [words.name(row.need) for row in rows]

    def marks(name: str, values: Iterable[float], colour: str, symbol: str, size: object) -> Option:
        return {
            "type": "scatter",
            "name": name,
            "data": [[percent(value), index] for index, value in enumerate(values)],
            "symbol": symbol,
            "symbolSize": size,
            "itemStyle": {"color": colour},
            "z": 3,
        }

    top = max((max(row.reached, row.low, row.asked) for row in rows), default=0.0)
    axis: Option = {"min": 0, "max": max(5, math.ceil(110 * top))}
    if not lost:
        axis = {"min": 0, "max": 100, "interval": 25}
    return frame(
        grid={"left": 8, "right": 44, "top": 8, "bottom": 38, "containLabel": True},
        tooltip={"trigger": "item", "confine": True},
        xAxis=values_axis("", "{value} %", **axis),
        yAxis=categories(names, inverse=True),
        series=[
            {
                "type": "bar",
                "name": words("reached"),
                "data": [percent(row.reached) for row in rows],
                "itemStyle": {"color": LIGHT_GREEN},
                "barMaxWidth": 20,
            },
            marks(words("surely_reached"), [row.low for row in rows], BLUE, "diamond", 10),
            marks(words("asked"), [row.asked for row in rows], RED, "rect", [3, 22]),
        ],
    )


def worth(plans: Sequence[tuple[str, float, str]], unit: str) -> Option:
    """Draw what plans and bounds cost as bars, cheapest on top; (name, cost, colour)."""
    ranked = sorted(plans, key=lambda plan: plan[1])
    return frame(
        legend={"show": False},
        tooltip={"trigger": "item", "confine": True},
        grid={"left": 8, "right": 70, "top": 6, "bottom": 8, "containLabel": True},
        xAxis=values_axis(),
        yAxis=categories([name for name, _, _ in ranked], inverse=True),
        series=[
            {
                "type": "bar",
                "name": unit,
                "data": [
                    {
                        "value": round(cost, 2),
                        "itemStyle": {"color": colour},
                        "label": {"formatter": f"{cost:,.0f}"},
                    }
                    for _, cost, colour in ranked
                ],
                "barMaxWidth": 24,
                "label": {"show": True, "position": "right", "color": TEXT},
            }
        ],
    )
