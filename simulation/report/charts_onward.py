"""Draw what would be beside what was, or is to come: courses through time, what changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulation.report.charts import (
    BLUE,
    DIM,
    GREY,
    PALETTE,
    RED,
    TEXT,
    band,
    categories,
    floor_percent,
    frame,
    percent,
    values_axis,
)
from simulation.report.document import Option
from simulation.report.wording import Words

Line = Sequence[float | None]


@dataclass(frozen=True)
class Course:
    """One line through time, and the ends of its 95 % interval; plain numbers or shares."""

    name: str
    values: Line
    low: Line = ()
    high: Line = ()


def courses(
    words: Words, starts: Sequence[str], lines: Sequence[Course], unit: str, *, shares: bool
) -> Option:
    """Draw courses through time with their bands; the first one is the yardstick, in grey."""

    def scaled(values: Line) -> list[float | None]:
        if shares:
            return [percent(value) for value in values]
        return [None if value is None else round(value, 3) for value in values]

    colours = [GREY, BLUE, *PALETTE[1:]]
    series: list[Option] = []
    drawn: list[float | None] = []
    for number, line in enumerate(lines):
        colour = colours[number % len(colours)]
        if line.low:
            low = scaled(line.low)
            name = words("part_of", whole=line.name, part=words("interval_95"))
            series += band(name, low, scaled(line.high), colour)
            drawn += low
        drawn += scaled(line.values)
        series.append(
            {
                "type": "line",
                "name": line.name,
                "data": scaled(line.values),
                "symbolSize": 6,
                "lineStyle": {"color": colour, "width": 2.5,
                              "type": "solid" if number else "dashed"},
                "itemStyle": {"color": colour},
                "z": 3,
            }
        )  # fmt: skip
    axis: Option = {"min": floor_percent(drawn), "max": 100} if shares else {}
    return frame(
        legend={**frame()["legend"], "data": [line.name for line in lines]},
        xAxis=categories(starts, boundaryGap=False),
        yAxis=values_axis("%" if shares else unit, **axis),
        series=series,
    )


def changes(words: Words, starts: Sequence[str], lines: Sequence[Course], unit: str) -> Option:
    """Draw paired differences through time with their bands, around nothing."""
    series: list[Option] = []
    for number, line in enumerate(lines):
        colour = (BLUE, *PALETTE[1:])[number % len(PALETTE)]
        series += band(
            words("part_of", whole=line.name, part=words("interval_95")),
            line.low,
            line.high,
            colour,
        )
        series.append(
            {
                "type": "line",
                "name": line.name,
                "data": list(line.values),
                "symbolSize": 6,
                "lineStyle": {"color": colour, "width": 2.5},
                "itemStyle": {"color": colour},
                "z": 3,
            }
        )
    if series:
        series[-1]["markLine"] = {
            "silent": True,
            "symbol": "none",
            "label": {"show": False},
            "lineStyle": {"color": TEXT, "type": "solid", "width": 1},
            "data": [{"yAxis": 0}],
        }
    return frame(
        legend={**frame()["legend"], "data": [line.name for line in lines]},
        xAxis=categories(starts, boundaryGap=False),
        yAxis=values_axis(unit),
        series=series,
    )


def by_name(words: Words, names: Sequence[str], line: Course, unit: str) -> Option:
    """Draw one difference a name, with its 95 % interval; blue right, red left of nothing."""
    rows = list(enumerate(zip(line.values, line.low, line.high, strict=True)))
    whiskers = [
        {
            "type": "line",
            "name": words("interval_95"),
            "data": [[low, row], [high, row]],
            "symbol": "none",
            "silent": True,
            "lineStyle": {"color": TEXT, "width": 1.5},
            "itemStyle": {"color": TEXT},
        }
        for row, (_, low, high) in rows
        if low is not None
    ]
    return frame(
        legend={"show": False},
        tooltip={"trigger": "item", "confine": True},
        grid={"left": 8, "right": 60, "top": 8, "bottom": 8, "containLabel": True},
        xAxis=values_axis(),
        yAxis=categories(
            names, inverse=True, axisLine={"show": False}, axisLabel={"color": DIM}, offset=4
        ),
        series=[
            {
                "type": "bar",
                "name": unit,
                "data": [
                    {"value": value, "itemStyle": {"color": _tone(value), "opacity": 0.6}}
                    for _, (value, _, _) in rows
                ],
                "barMaxWidth": 20,
            },
            *whiskers,
        ],
    )


def _tone(value: float | None) -> str:
    return RED if value is not None and value < 0 else PALETTE[0]


def beside(starts: Sequence[str], before: Course, after: Course, unit: str) -> Option:
    """Draw counts of two courses as bars beside each other."""
    return frame(
        xAxis=categories(starts),
        yAxis=values_axis(unit),
        series=[
            {
                "type": "bar",
                "name": line.name,
                "data": [None if value is None else round(value, 2) for value in line.values],
                "itemStyle": {"color": colour},
            }
            for line, colour in ((before, GREY), (after, PALETTE[0]))
        ],
    )
