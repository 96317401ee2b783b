"""Draw routing settings by what each line misses under them: the front that nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulation.report.charts import BLUE, DIM, GREY, RED, TEXT, frame, percent, values_axis
from simulation.report.document import Option
from simulation.report.wording import Words
from simulation.staffing.tuning import Reached, Setting

_MISSED: Final = {"gave up": "gave_up", "not in time": "not_in_time"}
_PALE: Final = "#9cc4e4"


def missed_words(words: Words, one: Reached) -> str:
    """Return a line and what it misses, in words."""
    return words("part_of", whole=one.line, part=words(_MISSED[one.measure]))


def front(words: Words, settings: Sequence[Setting], across: int, up: int) -> Option:
    """Draw settings by what two lines miss: the front joined, with the paired 95 % intervals."""
    lines = settings[0].reached
    numbered = list(enumerate(settings))
    best = sorted(
        (pair for pair in numbered if pair[1].front),
        key=lambda pair: (pair[1].reached[across].missed, -pair[1].reached[up].missed),
    )

    def dots(name: str, chosen: Sequence[tuple[int, Setting]], colour: str, size: int) -> Option:
        return {
            "type": "scatter",
            "name": name,
            "data": [
                {
                    "name": words("today") if setting.today else str(number),
                    "value": _at(setting, across, up),
                }
                for number, setting in chosen
            ],
            "symbol": "diamond" if size > 10 else "circle",
            "symbolSize": size,
            "label": {"show": True, "formatter": "{b}", "position": [8, -12], "color": TEXT},
            "itemStyle": {"color": colour},
            "z": 4,
        }

    beaten = [pair for pair in numbered if not pair[1].front and not pair[1].today]
    names = [f"{missed_words(words, lines[at])} (%)" for at in (across, up)]
    axis: Option = {"nameLocation": "middle", "scale": True, "nameTextStyle": {"color": DIM}}
    shown = ("on_the_front", "beaten", "today", "interval_of_change")
    return frame(
        legend={**frame()["legend"], "data": [words(key) for key in shown]},
        tooltip={"trigger": "item", "confine": True},
        grid={"left": 34, "right": 40, "top": 18, "bottom": 64, "containLabel": True},
        xAxis=values_axis(names[0], nameGap=28, **axis),
        yAxis=values_axis(names[1], nameGap=34, **axis),
        series=[
            *_whiskers(words, [setting for _, setting in best], across, up),
            {
                "type": "line",
                "name": "",
                "data": [_at(setting, across, up) for _, setting in best],
                "symbol": "none",
                "silent": True,
                "lineStyle": {"color": BLUE, "width": 1.5, "type": "dashed"},
                "itemStyle": {"color": BLUE},
            },
            dots(words("on_the_front"), [p for p in best if not p[1].today], BLUE, 10),
            dots(words("beaten"), beaten, GREY, 8),
            dots(words("today"), [p for p in numbered if p[1].today], RED, 14),
        ],
    )


def _at(setting: Setting, across: int, up: int) -> list[float | None]:
    return [percent(setting.reached[line].missed, 2) for line in (across, up)]


def _whiskers(words: Words, best: Sequence[Setting], across: int, up: int) -> list[Option]:
    """Return the 95 % interval of each setting's change from today's, along both axes."""
    drawn = []
    for setting in best:
        for line in (across, up) if not setting.today else ():
            one = setting.reached[line]
            ends = [
                [
                    percent(max(0.0, setting.reached[at].missed + moved * (at == line)), 2)
                    for at in (across, up)
                ]
                for moved in (one.change_low - one.change, one.change_high - one.change)
            ]
            drawn.append(
                {
                    "type": "line",
                    "name": words("interval_of_change"),
                    "data": ends,
                    "symbol": "none",
                    "silent": True,
                    "lineStyle": {"color": _PALE, "width": 1.5},
                    "itemStyle": {"color": _PALE},
                }
            )
    return drawn


def all_lines(words: Words, settings: Sequence[Setting]) -> Option:
    """Draw every setting as a line across all lines of the centre: what each of them misses."""
    lines = settings[0].reached

    def course(number: int, setting: Setting) -> Option:
        colour = RED if setting.today else BLUE if setting.front else GREY
        name = words("today") if setting.today else words("setting_number", number=number)
        return {
            "type": "parallel",
            "name": name,
            "lineStyle": {"color": colour, "width": 2.5 if setting.front else 1, "opacity": 0.9},
            "itemStyle": {"color": colour},
            "data": [[percent(one.missed, 2) for one in setting.reached]],
        }

    shown = [pair for pair in enumerate(settings) if pair[1].front or pair[1].today]
    return frame(
        tooltip={"show": False},
        parallel={"left": 50, "right": 60, "top": 40, "bottom": 60},
        parallelAxis=[
            {
                "dim": at,
                "name": words.name(one.line),
                "min": 0,
                "nameTextStyle": {"color": DIM},
                "axisLabel": {"color": DIM, "formatter": "{value} %"},
            }
            for at, one in enumerate(lines)
        ],
        series=[course(*pair) for pair in shown],
    )
