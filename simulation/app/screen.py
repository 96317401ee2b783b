"""Draw the planner's page: hand in, edit, play, compare, take away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nicegui import events, run, ui

from simulation.app.desk import Desk, Seat
from simulation.app.runs import CancelledRunError, Run
from simulation.app.uploads import HandedIn, take
from simulation.plan.changes import ChangeError
from simulation.plan.replications import Study, strata_of
from simulation.report.compare_document import compare_document
from simulation.report.document import Document, Table, shown
from simulation.report.page import render_page
from simulation.report.plan_document import plan_document
from simulation.report.wording import Words
from simulation.report.workbook import write_workbook


@dataclass(frozen=True)
class Settings:
    """What the command was told: the first scenario, a folder for copies, workers, language."""

    path: Path
    folder: Path
    workers: int = 0
    language: str = "en"


@dataclass
class Screen:
    """One planner's page: his desk, his run, what he keeps to compare with."""

    settings: Settings
    desk: Desk
    words: Words
    run: Run | None = None
    last: Study | None = None
    kept: Study | None = None
    document: Document | None = None
    uploaded: tuple[str, bytes] = ("", b"")
    parts: dict[str, Any] = field(default_factory=dict)

    # --- what is drawn once --------------------------------------------------------------------

    def build(self) -> None:
        """Draw the page."""
        words = self.words
        ui.page_title("switchroom")
        ui.colors(primary="#0b62b8")
        with ui.header().classes("items-center"):
            ui.label("switchroom").classes("text-lg font-bold")
            self.parts["name"] = ui.label(self.desk.scenario.name)
        with ui.row().classes("w-full no-wrap items-start max-lg:flex-wrap"):
            with ui.column().classes("w-96 shrink-0"):
                with ui.card().classes("w-full"):
                    ui.label(words("app_hand_in")).classes("font-bold")
                    ui.upload(
                        label=words("app_upload"), auto_upload=True, on_upload=self.take_upload
                    ).props("flat bordered").classes("w-full").mark("upload")
                    self.parts["refused"] = ui.column().classes("w-full")
                self.parts["sliders"] = ui.card().classes("w-full")
                self._sliders()
                with ui.card().classes("w-full"):
                    ui.label(words("app_grid")).classes("font-bold")
                    self.parts["grid"] = ui.column().classes("w-full gap-1")
                    self._grid()
            with ui.column().classes("grow min-w-0"):
                self._run_bar()
                self.parts["result"] = ui.column().classes("w-full")
        ui.timer(0.2, self._tell)

    def _sliders(self) -> None:
        words, desk = self.words, self.desk
        bot = max((demand.bot for demand in desk.scenario.demand.values()), default=0.0)

        def slider(name: str, most: int, start: int, set_to: Callable[[int], None]) -> None:
            label = ui.label(words(f"app_{name}", value=start))

            def moved(told: events.ValueChangeEventArguments[Any]) -> None:
                set_to(int(told.value))
                label.set_text(words(f"app_{name}", value=int(told.value)))

            ui.slider(min=0, max=most, value=start, on_change=moved).mark(name)

        def demand(value: int) -> None:
            self.desk.demand = value / 100

        def sick(value: int) -> None:
            self.desk.sick = value / 100

        def bots(value: int) -> None:
            self.desk.bot = value / 100

        place: ui.card = self.parts["sliders"]
        place.clear()
        with place:
            slider("demand", 200, round(100 * desk.demand), demand)
            slider("sick", 40, round(100 * desk.sick), sick)
            slider("bot", 80, round(100 * bot), bots)

    def _grid(self) -> None:
        grid: ui.column = self.parts["grid"]
        grid.clear()
        with grid:
            for seat in self.desk.seats():
                with ui.row().classes("w-full items-center no-wrap"):
                    ui.label(f"{seat.group} {seat.hours}").classes("grow text-sm")
                    box = ui.number(
                        value=seat.planned, min=0, step=1, format="%d", on_change=self._seated(seat)
                    )
                    box.props("dense outlined").classes("w-20")
                    box.mark(f"seat-{seat.group}-{seat.shift}")

    def _seated(self, seat: Seat) -> Callable[[events.ValueChangeEventArguments[Any]], None]:
        def changed(told: events.ValueChangeEventArguments[Any]) -> None:
            if told.value is not None and told.value >= 0:
                self.desk.put(seat, int(told.value))

        return changed

    def _run_bar(self) -> None:
        words = self.words
        with ui.card().classes("w-full"):
            with ui.row().classes("items-center"):
                self.parts["days"] = ui.number(words("app_days"), value=20, min=2, max=1000)
                self.parts["seed"] = ui.number(words("seed"), value=1, min=0)
                ui.button(words("app_run"), on_click=self.play).mark("run")
                ui.button(words("app_cancel"), on_click=self.cancel).props("flat").mark("cancel")
                ui.button(words("app_keep"), on_click=self.keep).props("flat").mark("keep")
                ui.button(words("app_compare"), on_click=self.compare).props("flat").mark("compare")
            with ui.row().classes("items-center"):
                for name in ("report.html", "plan.xlsx", "scenario.yaml"):
                    button = ui.button(name, on_click=self._exporter(name))
                    button.props("flat dense no-caps").mark(name)
            bar = ui.linear_progress(value=0, show_value=False)
            bar.set_visibility(False)
            self.parts["bar"] = bar
            self.parts["told"] = ui.label("").mark("told")

    # --- what happens --------------------------------------------------------------------------

    async def take_upload(self, told: events.UploadEventArguments) -> None:
        """Take a file that the planner hands in."""
        self.uploaded = (told.file.name, await told.file.read())
        await self._take(keep_good=False)

    async def _take(self, *, keep_good: bool) -> None:
        name, body = self.uploaded
        folder, beside = self.settings.folder, self.settings.path
        handed = await asyncio.to_thread(take, name, body, folder, beside, keep_good=keep_good)
        self._show_refusals(handed)
        if handed.scenario is None or handed.path is None:
            self._say(handed.problem)
            return
        self.desk = Desk(handed.scenario, handed.path)
        self.last = self.kept = None
        self.parts["name"].set_text(self.desk.scenario.name)
        self._grid()
        self._sliders()
        self._say(self.words("app_taken", name=self.desk.scenario.name))

    def _show_refusals(self, handed: HandedIn) -> None:
        words, place = self.words, self.parts["refused"]
        place.clear()
        with place:
            if handed.refusals:
                rows = [
                    {
                        words("app_row"): refusal.row,
                        words("app_column"): refusal.column,
                        words("value"): refusal.value,
                        words("app_why"): refusal.message,
                    }
                    for refusal in handed.refusals
                ]
                table = ui.table(rows=rows, pagination=10)
                table.props("dense wrap-cells").classes("w-full").mark("refusals")
                if handed.scenario is None:
                    ui.button(words("app_keep_good"), on_click=self._take_good).mark("keep-good")
            for note in handed.notes:
                ui.label(note).classes("text-xs text-gray-600")

    async def _take_good(self) -> None:
        await self._take(keep_good=True)

    async def play(self) -> None:
        """Play the scenario on the desk and show what it says."""
        studies = await self._studies(None)
        if studies:
            self.last = studies[0]
            await self._show(plan_document, studies[0], self.words.language)

    async def compare(self) -> None:
        """Play what is kept and what is on the desk on the same days; show the difference."""
        if self.kept is None:
            self._say(self.words("app_nothing_kept"))
            return
        studies = await self._studies(self.kept)
        if studies:
            await self._show(compare_document, studies[0], studies[1:], self.words.language)

    async def _show(self, make: Callable[..., Document], *given: Any) -> None:
        document = await run.io_bound(make, *given)
        assert document is not None, "the server does not stop while a document is made"
        self.document = document
        self._draw(document)

    async def _studies(self, kept: Study | None) -> list[Study]:
        """Return studies of what is kept, if given, and of the desk; none if it was stopped."""
        if self.run is not None:
            return []
        try:
            played = [self.desk.changed()]
            days, seed = int(self.parts["days"].value), int(self.parts["seed"].value)
        except (ChangeError, TypeError, ValueError) as error:
            self._say(str(error))
            return []
        if kept is not None:
            pair = {"A": kept.scenario, "B": played[0]}
            played = [replace(each, name=f"{mark}: {each.name}") for mark, each in pair.items()]
        strata = max(strata_of(each) for each in played)
        current = self.run = Run(total=days)
        self._say("")
        try:
            return await asyncio.to_thread(
                current.play, played, days, seed, strata, self.settings.workers
            )
        except CancelledRunError:
            self._say(self.words("app_cancelled"))
            return []
        finally:
            self.run = None

    def cancel(self) -> None:
        """Stop the run."""
        if self.run is not None:
            self.run.cancel()

    def keep(self) -> None:
        """Keep the last result as what others are compared with."""
        self.kept = self.last
        if self.kept is None:
            self._say(self.words("app_nothing_played"))
        else:
            self._say(self.words("app_kept", name=self.kept.scenario.name))

    def _exporter(self, name: str) -> Callable[[], None]:
        def export() -> None:
            if name == "scenario.yaml":
                ui.download.content(self.desk.text().encode(), name)
            elif self.document is None:
                self._say(self.words("app_nothing_played"))
            elif name == "report.html":
                ui.download.content(render_page(self.document).encode(), name)
            else:
                path = self.settings.folder / name
                write_workbook(self.document, path)
                ui.download.content(path.read_bytes(), name)

        return export

    # --- what is drawn again and again ---------------------------------------------------------

    def _say(self, text: str) -> None:
        self.parts["told"].set_text(text)

    def _tell(self) -> None:
        bar, current = self.parts["bar"], self.run
        bar.set_visibility(current is not None)
        if current is not None:
            bar.set_value(current.done / max(1, current.total))
            left = f"{current.left_s:.0f}"
            self._say(self.words("app_progress", done=current.done, total=current.total, left=left))
        elif self.parts["told"].text.startswith("…"):
            self._say("")

    def _draw(self, document: Document) -> None:
        place: ui.column = self.parts["result"]
        place.clear()
        with place:
            ui.label(document.answer).classes("text-xl font-bold").mark("answer")
            with ui.row():
                for fact in document.facts:
                    with ui.card().props("flat bordered"):
                        ui.label(fact.label).classes("text-xs text-gray-600")
                        ui.label(fact.value).classes("font-bold")
            for chapter in document.chapters:
                with ui.card().classes("w-full"):
                    ui.label(chapter.title).classes("text-lg font-bold")
                    for words in chapter.words:
                        ui.label(words).classes("text-sm text-gray-600")
                    for picture in chapter.pictures:
                        ui.label(picture.title).classes("font-bold")
                        chart = ui.echart(picture.option, renderer="svg").classes("w-full")
                        chart.style(f"height: {picture.height_px}px")
                    for table in chapter.tables:
                        with ui.expansion(table.title).classes("w-full"):
                            draw_table(table)


def draw_table(table: Table) -> None:
    """Draw a document's table."""
    columns = [
        {"name": str(index), "label": column.head, "field": str(index)}
        for index, column in enumerate(table.columns)
    ]
    rows = [
        {
            str(index): shown(value, column.form)
            for index, (value, column) in enumerate(zip(row, table.columns, strict=True))
        }
        for row in table.rows
    ]
    ui.table(columns=columns, rows=rows).props("dense flat").classes("w-full")
