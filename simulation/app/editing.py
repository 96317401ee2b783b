"""Draw what may be edited of the scenario on the desk: volume, absence, bots, target, agents."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from nicegui import events, ui

from simulation.app.desk import Desk, Seat
from simulation.report.wording import Words


class Editing:
    """The cards on the left; every edit goes to the desk at once."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self._desk = desk
        self._words = words

    def build(self) -> None:
        """Draw the cards."""
        with ui.card().classes("w-full"):
            self._sliders()
            with ui.expansion(self._words("app_by_demand")).classes("w-full"):
                self._demands()
            self._target()
        with ui.card().classes("w-full"):
            ui.label(self._words("app_grid")).classes("font-bold")
            with ui.column().classes("w-full gap-1"):
                self._seats()

    def _sliders(self) -> None:
        desk = self._desk

        def slider(name: str, most: int, start: int, put: Callable[[float], None]) -> None:
            label = ui.label(self._words(f"app_{name}", value=start))

            def moved(told: events.ValueChangeEventArguments[Any]) -> None:
                put(int(told.value) / 100)
                label.set_text(self._words(f"app_{name}", value=int(told.value)))

            ui.slider(min=0, max=most, value=start, on_change=moved).mark(name)

        def demand(value: float) -> None:
            desk.demand = value

        def sick(value: float) -> None:
            desk.sick = value

        slider("demand", 200, round(100 * desk.demand), demand)
        slider("sick", 40, round(100 * desk.sick), sick)

    def _demands(self) -> None:
        """Draw volume and the share settled by bots of each demand, in percent."""
        words, desk = self._words, self._desk
        with ui.grid(columns="1fr 5.5rem 5.5rem").classes("w-full items-center gap-1 text-sm"):
            ui.label(words("demand")).classes("text-gray-600")
            ui.label(words("app_volume")).classes("text-gray-600")
            ui.label(words("app_bots")).classes("text-gray-600")
            for name, demand in desk.scenario.demand.items():
                ui.label(name).classes("break-all")
                volume = round(100 * desk.factors.get(name, 1.0))
                self._share(f"volume-{name}", volume, 1_000, desk.factors, name)
                self._share(f"bot-{name}", round(100 * demand.bot), 100, desk.bots, name)

    def _share(self, mark: str, start: int, most: int, into: dict[str, float], name: str) -> None:
        def changed(told: events.ValueChangeEventArguments[Any]) -> None:
            if told.value is not None and 0 <= told.value <= most:
                into[name] = told.value / 100

        box = ui.number(value=start, min=0, max=most, step=5, suffix="%", on_change=changed)
        box.props("dense outlined").mark(mark)

    def _target(self) -> None:
        words, desk = self._words, self._desk
        target = desk.scenario.target

        def percent(told: events.ValueChangeEventArguments[Any]) -> None:
            desk.percent = told.value

        def within(told: events.ValueChangeEventArguments[Any]) -> None:
            desk.within_s = told.value

        with ui.row().classes("w-full items-center gap-2 no-wrap"):
            first = ui.number(words("app_target"), value=target.percent, min=1, max=100,
                              suffix="%", on_change=percent)  # fmt: skip
            first.props("dense outlined").classes("w-1/2").mark("target")
            second = ui.number(words("app_within"), value=target.within_ms / 1000 or None, min=0,
                               suffix=words("s"), on_change=within,
                               placeholder=words("app_own_time"))  # fmt: skip
            second.props("dense outlined stack-label").classes("w-1/2").mark("within")

    def _seats(self) -> None:
        for group, seats in groupby(self._desk.seats(), key=lambda seat: seat.group):
            for number, seat in enumerate(seats):
                with ui.row().classes("w-full items-center no-wrap gap-2"):
                    ui.label("" if number else group).classes("grow text-sm font-medium break-all")
                    ui.label(seat.hours).classes("text-sm text-gray-600 whitespace-nowrap")
                    box = ui.number(
                        value=seat.planned, min=0, step=1, format="%d", on_change=self._seated(seat)
                    )
                    box.props("dense outlined").classes("w-20 shrink-0")
                    box.mark(f"seat-{seat.group}-{seat.shift}")

    def _seated(self, seat: Seat) -> Callable[[events.ValueChangeEventArguments[Any]], None]:
        def changed(told: events.ValueChangeEventArguments[Any]) -> None:
            if told.value is not None and told.value >= 0:
                self._desk.put(seat, int(told.value))

        return changed
