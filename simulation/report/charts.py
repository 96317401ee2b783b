"""Draw pictures as ECharts option dicts: plain data, no browser, no library.

Shares are drawn in percent. Colours tell good from bad without red against green alone: blue is
met, orange to red is missed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulation.plan.answers import Figure, IntervalRow, PromiseRow
from simulation.report.document import Option
from simulation.report.wording import Words

BLUE: Final = "#0b62b8"
LIGHT_GREEN: Final = "#8fd0ae"
AMBER: Final = "#d99a1c"
RED: Final = "#c22626"
GREY: Final = "#7b8b9b"
TEXT: Final = "#16202b"
DIM: Final = "#54667a"
EDGE: Final = "#d5dde6"
PALETTE: Final = (
    "#2f80d0", "#d99a1c", "#2e9e6b", "#8a63d8", "#d2597b", "#4ab3b3", "#8b9bab", "#9a6b2f",
    "#1f4e79", "#b9c23a", "#e07b54", "#5a3d7a",
)  # fmt: skip
_FONT: Final = 'system-ui, "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'
_HEAT: Final = ("#b2352a", "#e2795a", "#f6c7a8", "#dfe9f2", "#9cc4e4", "#4d94cd")


def frame(**parts: Any) -> Option:
    """Return an option with what all pictures share."""
    return {
        "animation": False,
        "color": list(PALETTE),
        "textStyle": {"fontFamily": _FONT, "color": TEXT},
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {"bottom": 0, "itemWidth": 16, "itemHeight": 9},
        "grid": {"left": 8, "right": 26, "top": 34, "bottom": 38, "containLabel": True},
        **parts,
    }


def categories(names: Sequence[str], **parts: Any) -> Option:
    """Return an axis of names."""
    return {
        "type": "category",
        "data": list(names),
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": EDGE}},
        "axisLabel": {"color": DIM, "hideOverlap": True},
        **parts,
    }


def values_axis(name: str = "", form: str = "{value}", **parts: Any) -> Option:
    """Return an axis of numbers."""
    return {
        "type": "value",
        "name": name,
        "nameTextStyle": {"color": DIM, "align": "left"},
        "axisLabel": {"color": DIM, "formatter": form, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": EDGE}},
        **parts,
    }


def percent(value: float | None, digits: int = 1) -> float | None:
    """Return a share in percent, rounded for drawing."""
    return None if value is None else round(100 * value, digits)


def shortage(rows: Sequence[IntervalRow]) -> list[tuple[float, float]]:
    """Return per interval how many agents lack surely, and how many more perhaps.

    Surely: fewer at their desks than even a pool of agents who can do everything would need.
    Perhaps: fewer than lines of their own would need.
    """
    return [
        (
            max(0.0, row.required_pooled - row.net),
            max(0.0, row.required - max(row.net, row.required_pooled)),
        )
        for row in rows
    ]


def staffing(words: Words, rows: Sequence[IntervalRow]) -> Option:
    """Draw need and agents as steps, what lacks as shaded columns between them."""
    short = shortage(rows)

    def column(name: str, values: Sequence[float], colour: str, opacity: float) -> Option:
        return {
            "type": "bar",
            "stack": "short",
            "barCategoryGap": "0%",
            "name": name,
            "data": [round(value, 2) for value in values],
            "itemStyle": {"color": colour, "opacity": opacity},
            "tooltip": {"show": opacity > 0},
        }

    def step(name: str, values: Sequence[float], colour: str, kind: str, width: int) -> Option:
        return {
            "type": "line",
            "step": "middle",
            "symbol": "none",
            "name": name,
            "data": [round(value, 2) for value in values],
            "lineStyle": {"color": colour, "type": kind, "width": width},
            "itemStyle": {"color": colour},
        }

    need = step(words("required"), [row.required for row in rows], RED, "dashed", 2)
    pooled = step(
        words("required_pooled"), [row.required_pooled for row in rows], GREY, "dotted", 2
    )
    planned = step(words("staffed"), [row.staffed for row in rows], "#9cc4e4", "solid", 2)
    net = step(words("net"), [row.net for row in rows], BLUE, "solid", 3)
    surely = column(words("short_surely"), [lacks for lacks, _ in short], RED, 0.6)
    perhaps = column(words("short_perhaps"), [lacks for _, lacks in short], AMBER, 0.45)
    named = [need, pooled, planned, net, surely, perhaps]
    return frame(
        legend={**frame()["legend"], "data": [series["name"] for series in named]},
        xAxis=categories([row.start for row in rows]),
        yAxis=values_axis(words("agents")),
        series=[column("", [min(row.net, row.required) for row in rows], GREY, 0), surely, perhaps,
                need, pooled, planned, net],
    )  # fmt: skip


def level_by_interval(
    words: Words, starts: Sequence[str], figures: Sequence[Figure], target: float
) -> Option:
    """Draw the service level through the day with its 95 % interval and the target."""
    values = [percent(figure.value) for figure in figures]
    low = [percent(figure.value if figure.low is None else figure.low) for figure in figures]
    high = [percent(figure.value if figure.high is None else figure.high) for figure in figures]
    line = {
        "type": "line",
        "name": words("service_level"),
        "data": values,
        "symbolSize": 6,
        "lineStyle": {"color": BLUE, "width": 2.5},
        "itemStyle": {"color": BLUE},
        "markLine": target_line(words, target, axis="yAxis"),
    }
    return frame(
        legend={**frame()["legend"], "data": [words("service_level"), words("interval_95")]},
        xAxis=categories(starts, boundaryGap=False),
        yAxis=values_axis("%", min=floor_percent([*low, percent(target)]), max=100),
        series=[
            *band(words("interval_95"), low, high, BLUE),
            line,
        ],
    )


def band(
    name: str, low: Sequence[float | None], high: Sequence[float | None], colour: str
) -> list[Option]:
    """Return the series that shade what lies between two lines."""
    reach = [
        None if bottom is None or top is None else round(top - bottom, 4)
        for bottom, top in zip(low, high, strict=True)
    ]
    part: Option = {
        "type": "line",
        "stack": f"band {name}",
        # Else a band that begins below zero would be stacked from zero.
        "stackStrategy": "all",
        "symbol": "none",
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
    }
    return [
        {**part, "name": "", "data": list(low)},
        {
            **part,
            "name": name,
            "data": reach,
            "areaStyle": {"color": colour, "opacity": 0.16},
            "itemStyle": {"color": colour, "opacity": 0.3},
        },
    ]


def floor_percent(values: Sequence[float | None]) -> float:
    """Return where an axis of percents begins: a round number below all of them."""
    least = min((value for value in values if value is not None), default=0.0)
    floor = math.floor((least - 5) / 10) * 10
    # So long an axis goes by twenties, and 10 would stand close under the 20.
    return 0 if floor <= 10 else floor


def target_line(words: Words, target: float, axis: str) -> Option:
    """Return the line of the target, across the picture."""
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": RED, "type": "dashed", "width": 1.5},
        "label": {
            "formatter": words("target_line", percent=f"{100 * target:g}"),
            "position": "insideEndTop",
            "color": RED,
        },
        "data": [{axis: percent(target)}],
    }


def heat_map(
    words: Words,
    starts: Sequence[str],
    rows: Mapping[str, Sequence[float | None]],
    middle: float,
    *,
    more_is_better: bool = True,
) -> Option:
    """Draw shares as a heat map, a row a name, around a middle that is good enough."""
    names = list(rows)
    cells = [
        [column, number, percent(value, 0)]
        for number, name in enumerate(names)
        for column, value in enumerate(rows[name])
        if value is not None
    ]
    return frame(
        tooltip={"position": "top", "confine": True},
        legend={"show": False},
        grid={"left": 8, "right": 8, "top": 8, "bottom": 52, "containLabel": True},
        xAxis=categories(starts, splitArea={"show": False}),
        yAxis=categories(names, inverse=True),
        visualMap={
            "type": "piecewise",
            "orient": "horizontal",
            "itemSymbol": "rect",
            "left": "center",
            "bottom": 4,
            "itemWidth": 16,
            "itemHeight": 12,
            "itemGap": 6,
            "textStyle": {"color": DIM, "fontSize": 11},
            "pieces": _pieces(round(100 * middle), more_is_better=more_is_better),
        },
        series=[
            {
                "type": "heatmap",
                "name": words("percent"),
                "data": cells,
                "label": {"show": True, "fontSize": 11},
                "itemStyle": {"borderColor": "#fff", "borderWidth": 1},
            }
        ],
    )


def _pieces(middle: int, *, more_is_better: bool) -> list[Option]:
    """Return six classes of percents: three short of the middle, three beyond it."""
    edges = [0, max(0, middle - 30), max(0, middle - 10), middle]
    edges += [middle + (100 - middle) // 3, middle + 2 * (100 - middle) // 3, 101]
    colours = _HEAT if more_is_better else tuple(reversed(_HEAT))
    return [
        {
            "gte": low,
            "lt": high,
            "label": f"{low}–{min(high, 100)} %",
            "color": colour,
        }
        for low, high, colour in zip(edges[:-1], edges[1:], colours, strict=True)
        if low < high
    ]


def wait_names(words: Words, limits_s: Sequence[float]) -> list[str]:
    """Return the names of the bins of waits: at once, up to each limit, longer."""
    named = [
        words("at_once") if not limit else f"≤ {words.duration(1000 * limit)}" for limit in limits_s
    ]
    return [*named, f"> {words.duration(1000 * limits_s[-1])}"]


def waits(words: Words, limits_s: Sequence[float], binned: Mapping[str, Sequence[float]]) -> Option:
    """Draw how many are answered after how long, stacked by demand, and the share so far."""
    totals = [sum(column) for column in zip(*binned.values(), strict=True)]
    whole = sum(totals)
    so_far = [
        100 * sum(totals[: index + 1]) / whole if whole else 0 for index in range(len(totals))
    ]
    return frame(
        xAxis=categories(wait_names(words, limits_s)),
        yAxis=[
            values_axis(words("answered_a_day")),
            values_axis(
                "%", min=0, max=100, splitLine={"show": False}, nameTextStyle={"color": DIM}
            ),
        ],
        series=[
            *(
                {
                    "type": "bar",
                    "stack": "waits",
                    "name": name,
                    "data": [round(value, 2) for value in values],
                }
                for name, values in binned.items()
            ),
            {
                "type": "line",
                "yAxisIndex": 1,
                "name": words("share_so_far"),
                "data": [round(value, 1) for value in so_far],
                "lineStyle": {"color": TEXT, "width": 2},
                "itemStyle": {"color": TEXT},
            },
        ],
    )


def amounts(words: Words, parts: Mapping[str, float], unit: str) -> Option:
    """Draw amounts of money as bars, the largest on top."""
    ranked = sorted(((name, value) for name, value in parts.items() if value), key=lambda p: -p[1])
    return frame(
        legend={"show": False},
        grid={"left": 8, "right": 70, "top": 6, "bottom": 8, "containLabel": True},
        # Each bar says its amount; on a phone long names would else leave no room for bars.
        xAxis=values_axis(splitNumber=3),
        yAxis=categories(
            [words.name(name) for name, _ in ranked],
            inverse=True,
            axisLabel={"color": DIM, "width": 130, "overflow": "break"},
        ),
        series=[
            {
                "type": "bar",
                "name": unit,
                "data": [
                    {"value": round(value, 2), "label": {"formatter": f"{value:,.0f}"}}
                    for _, value in ranked
                ],
                "itemStyle": {"color": PALETTE[0]},
                "barMaxWidth": 26,
                "label": {"show": True, "position": "right", "color": TEXT},
            }
        ],
    )


def parts(names: Sequence[str], shares: Mapping[str, Sequence[float]]) -> Option:
    """Draw of what each whole is made up, as stacked bars of percents, a row a name."""
    return frame(
        tooltip={"trigger": "item", "confine": True},
        grid={"left": 8, "right": 30, "top": 6, "bottom": 38, "containLabel": True},
        xAxis=values_axis("", "{value} %", min=0, max=100, interval=25),
        yAxis=categories(names, inverse=True),
        series=[
            {
                "type": "bar",
                "stack": "parts",
                "name": kind,
                "data": [percent(value, 2) for value in values],
                "barMaxWidth": 22,
            }
            for kind, values in shares.items()
        ],
    )


def risk(words: Words, daily: Sequence[float], target: float) -> Option:
    """Draw how many days have which service level; missed days in red."""
    bins = risk_bins(daily, target)
    return frame(
        legend={"show": False},
        grid={"left": 8, "right": 26, "top": 34, "bottom": 6, "containLabel": True},
        xAxis=categories([f"{100 * low:.3g}–{100 * high:.3g}" for low, high, _ in bins],
                          name="%", nameLocation="end"),
        yAxis=values_axis(words("days"), minInterval=1),
        series=[
            {
                "type": "bar",
                "name": words("days"),
                "barCategoryGap": "8%",
                "data": [
                    {
                        "value": count,
                        "itemStyle": {"color": PALETTE[0] if low >= target - 1e-9 else RED},
                        "label": {"show": count > 0},
                    }
                    for low, _, count in bins
                ],
                "label": {"show": True, "position": "top", "color": DIM},
            }
        ],
    )  # fmt: skip


def risk_bins(daily: Sequence[float], target: float) -> list[tuple[float, float, int]]:
    """Return bins (low, high, days) with an edge at the target, so that none holds both kinds."""
    if not daily:
        return []
    least, most = min(daily), max(daily)
    width = next(
        step for step in (0.005, 0.01, 0.02, 0.025, 0.05, 0.1) if (most - least) / step <= 14
    )
    first = math.floor((least - target) / width + 1e-9)
    last = math.floor((most - target) / width + 1e-9)
    counts = [0] * (last - first + 1)
    for value in daily:
        counts[math.floor((value - target) / width + 1e-9) - first] += 1
    return [
        (target + (first + index) * width, min(target + (first + index + 1) * width, 1.0), count)
        for index, count in enumerate(counts)
    ]


def promises(words: Words, rows: Sequence[PromiseRow]) -> Option:
    """Draw the share of each promise's clocks that were met."""
    return frame(
        legend={"show": False},
        grid={"left": 8, "right": 52, "top": 8, "bottom": 8, "containLabel": True},
        xAxis=values_axis("", "{value} %", min=0, max=100),
        yAxis=categories([row.name for row in rows], inverse=True),
        series=[
            {
                "type": "bar",
                "name": words("met"),
                "data": [percent(row.met.value) for row in rows],
                "itemStyle": {"color": LIGHT_GREEN},
                "showBackground": True,
                "backgroundStyle": {"color": "#f0d8d8"},
                "barMaxWidth": 22,
                "label": {
                    "show": True,
                    "position": "insideLeft",
                    "formatter": "{c} %",
                    "color": TEXT,
                },
            }
        ],
    )
