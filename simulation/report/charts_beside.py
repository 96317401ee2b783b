"""Draw what is compared: scenarios beside each other, months of budgets, an investment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulation.report.charts import (
    BLUE,
    DIM,
    GREY,
    categories,
    floor_percent,
    frame,
    percent,
    target_line,
    values_axis,
)
from simulation.report.document import Option
from simulation.report.wording import Words


def paired(
    words: Words, starts: Sequence[str], series: Mapping[str, Sequence[float | None]], target: float
) -> Option:
    """Draw the service levels of several scenarios through the same day."""
    drawn = {name: [percent(value) for value in values] for name, values in series.items()}
    lines = [
        {"type": "line", "name": name, "data": values, "symbolSize": 6, "lineStyle": {"width": 2.5}}
        for name, values in drawn.items()
    ]
    lines[0]["markLine"] = target_line(words, target, axis="yAxis")
    everything = [value for values in drawn.values() for value in values]
    return frame(
        xAxis=categories(starts, boundaryGap=False),
        yAxis=values_axis("%", min=floor_percent([*everything, percent(target)]), max=100),
        series=lines,
    )


def differences(words: Words, before: Sequence[float], after: Sequence[float]) -> Option:
    """Draw each pair of days: its service level before and after; off the diagonal it changed."""
    points = [[percent(was), percent(now)] for was, now in zip(before, after, strict=True)]
    low = floor_percent([value for pair in points for value in pair])
    axis: Option = {"min": low, "max": 100, "nameLocation": "middle", "nameGap": 26}
    return frame(
        legend={"show": False},
        tooltip={"trigger": "item", "confine": True},
        grid={"left": 30, "right": 24, "top": 14, "bottom": 34, "containLabel": True},
        xAxis=values_axis(words("before_percent"), **axis) | {"nameTextStyle": {"color": DIM}},
        yAxis=values_axis(words("after_percent"), **axis) | {"nameTextStyle": {"color": DIM}},
        series=[
            {
                "type": "scatter",
                "name": words("days"),
                "data": points,
                "symbolSize": 8,
                "itemStyle": {"color": BLUE, "opacity": 0.6},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "lineStyle": {"color": GREY, "type": "dashed"},
                    "label": {"show": False},
                    "data": [[{"coord": [low, low]}, {"coord": [100, 100]}]],
                },
            }
        ],
    )


def months(words: Words, names: Sequence[str], series: Mapping[str, Sequence[float]]) -> Option:
    """Draw amounts by month, a line a method."""
    return frame(
        xAxis=categories(names),
        yAxis=values_axis(words("money")),
        series=[
            {"type": "bar", "name": name, "data": [round(value, 2) for value in values]}
            for name, values in series.items()
        ],
    )


def cumulative(words: Words, flows: Sequence[float], running: Sequence[float]) -> Option:
    """Draw an investment's flows and their running sum by month."""
    return frame(
        xAxis=categories(
            [str(month) for month in range(len(flows))],
            name=words("month"),
            nameLocation="middle",
            nameGap=24,
        ),
        yAxis=values_axis(words("money")),
        series=[
            {"type": "bar", "name": words("flow"), "data": [round(value, 2) for value in flows]},
            {
                "type": "line",
                "name": words("running_sum"),
                "data": [round(value, 2) for value in running],
                "symbolSize": 4,
                "lineStyle": {"color": BLUE, "width": 2.5},
                "itemStyle": {"color": BLUE},
            },
        ],
    )
