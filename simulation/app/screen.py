"""Draw the planner's page: hand in, edit, play, seek, compare, take away."""

from __future__ import annotations

import asyncio
import secrets  # noqa: TID251 - names a tab; no day is drawn from it
import time  # noqa: TID251 - tells how long a run took; no day reads it
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nicegui import events, ui

from configs.planning import Scenario
from simulation.app.desk import Desk
from simulation.app.editing import Editing
from simulation.app.runs import CancelledRunError, Run
from simulation.app.uploads import HandedIn, take
from simulation.plan.changes import ChangeError
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, strata_of
from simulation.report.compare_document import compare_document
from simulation.report.document import Document
from simulation.report.page import render_page
from simulation.report.plan_document import plan_document
from simulation.report.staff_document import staff_document
from simulation.report.wording import Words
from simulation.report.workbook import write_workbook
from simulation.staffing.hunt import Effort
from simulation.staffing.search import UnreachableError
from simulation.staffing.seeking import Sought
from simulation.staffing.writing import scenario_text

# The page of an answer is as high as what it holds: one scroll bar, on a phone too.
FITTING = """<script>document.addEventListener("load", (told) => {
  const frame = told.target;
  if (!frame.matches?.("iframe.answer")) return;
  const { body } = frame.contentDocument;
  const fit = () => { frame.style.height = Math.ceil(body.offsetHeight) + 40 + "px"; };
  new ResizeObserver(fit).observe(body);
  fit();
}, true);</script>"""
_DAYS_MIN = 12


@dataclass(frozen=True)
class Settings:
    """What the command was told: the first scenario, a folder for copies, workers, language.

    `shelf` holds the page of each tab's last answer by the tab's key.
    """

    path: Path
    folder: Path
    workers: int = 0
    language: str = "en"
    shelf: dict[str, str] = field(default_factory=dict)


@dataclass
class Screen:
    """One planner's page: his desk, his run, what he keeps to compare with.

    `key` names his own folder and his place on the shelf; nobody else knows it.
    """

    settings: Settings
    desk: Desk
    words: Words
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    run: Run | None = None
    last: Study | None = None
    kept: Study | None = None
    sought: Sought | None = None
    document: Document | None = None
    uploaded: tuple[str, bytes] = ("", b"")
    shown: int = 0
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return the folder of this tab's files: two tabs may hand in files of one name."""
        folder = self.settings.folder / self.key
        folder.mkdir(exist_ok=True)
        return folder

    def leave(self) -> None:
        """Forget what was shown, when the tab is closed."""
        self.cancel()
        self.settings.shelf.pop(self.key, None)

    # --- what is drawn once --------------------------------------------------------------------

    def build(self) -> None:
        """Draw the page."""
        words = self.words
        ui.page_title("switchroom")
        ui.colors(primary="#0b62b8")
        ui.add_head_html(FITTING)
        with ui.header().classes("items-center"):
            ui.label("switchroom").classes("text-lg font-bold")
            self.parts["name"] = ui.label(self.desk.scenario.name)
        with ui.row().classes("w-full items-start lg:flex-nowrap"):
            with ui.column().classes("w-full lg:w-96 lg:shrink-0"):
                with ui.card().classes("w-full"):
                    ui.label(words("app_hand_in")).classes("font-bold")
                    ui.upload(
                        label=words("app_upload"), auto_upload=True, on_upload=self.take_upload
                    ).props("flat bordered").classes("w-full").mark("upload")
                    self.parts["refused"] = ui.column().classes("w-full")
                self.parts["edit"] = ui.column().classes("w-full")
                self._edit()
            with ui.column().classes("w-full lg:w-auto lg:grow lg:min-w-0"):
                self._run_bar()
                self.parts["result"] = ui.column().classes("w-full")
        ui.timer(0.2, self._tell)

    def _edit(self) -> None:
        place: ui.column = self.parts["edit"]
        place.clear()
        with place:
            Editing(self.desk, self.words).build()

    def _run_bar(self) -> None:
        words, parts = self.words, self.parts
        with ui.card().classes("w-full"):
            with ui.row().classes("w-full items-center gap-2"):
                for name, label, value, least in (
                    ("days", words("app_days"), 20, 2),
                    ("seed", words("seed"), 1, 0),
                ):
                    box = ui.number(label, value=value, min=least, max=100_000, format="%d")
                    parts[name] = box.props("dense outlined").classes("w-24")
                parts["run"] = ui.button(words("app_run"), on_click=self.play).mark("run")
                parts["staff"] = ui.button(words("app_staff"), on_click=self.staff).mark("staff")
                parts["staff"].props("outline").tooltip(words("app_staff_hint"))
                parts["cancel"] = ui.button(words("app_cancel"), on_click=self.cancel)
                parts["cancel"].props("flat color=negative").mark("cancel")
            with ui.row().classes("w-full items-center gap-1"):
                for name, label, does in (
                    ("keep", "app_keep", self.keep),
                    ("compare", "app_compare", self.compare),
                    ("take", "app_take", self.take_staff),
                ):
                    parts[name] = ui.button(words(label), on_click=does).mark(name)
                    parts[name].props("flat dense no-caps")
                ui.space().classes("max-sm:hidden")
                for name, icon in (("report.html", "description"), ("plan.xlsx", "table_chart"),
                                   ("scenario.yaml", "save_alt")):  # fmt: skip
                    button = ui.button(name, icon=icon, on_click=self._exporter(name))
                    button.props("flat dense no-caps").mark(name)
            parts["bar"] = ui.linear_progress(value=0, show_value=False)
            parts["told"] = ui.label("").classes("text-sm").mark("told")
        self._tell()

    # --- what happens --------------------------------------------------------------------------

    async def take_upload(self, told: events.UploadEventArguments) -> None:
        """Take a file that the planner hands in."""
        self.uploaded = (told.file.name, await told.file.read())
        await self._take(keep_good=False)

    async def _take(self, *, keep_good: bool) -> None:
        name, body = self.uploaded
        beside = self.settings.path
        handed = await asyncio.to_thread(take, name, body, self.folder, beside, keep_good=keep_good)
        self._show_refusals(handed)
        if handed.scenario is None or handed.path is None:
            refused = len(handed.refusals)
            said = self.words("app_refused", number=refused) if refused else handed.problem
            self._say(said)
            return
        self._put(Desk(handed.scenario, handed.path, handed.text))

    def _put(self, desk: Desk) -> None:
        """Put another scenario on the desk."""
        self.desk = desk
        self.sought = None
        self.parts["name"].set_text(desk.scenario.name)
        self._edit()
        self._say(self.words("app_taken", name=desk.scenario.name))

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

        def make(current: Run, days: int, seed: int) -> Document:
            (self.last,) = self._studies(current, [self.desk.changed()], days, seed)
            return plan_document(self.last, self.words.language)

        await self._work(make)

    async def compare(self) -> None:
        """Play what is kept and what is on the desk on the same days; show the difference."""
        kept = self.kept
        if kept is None:
            self._say(self.words("app_nothing_kept"))
            return

        def make(current: Run, days: int, seed: int) -> Document:
            pair = {"A": kept.scenario, "B": self.desk.changed()}
            named = [replace(each, name=f"{mark}: {each.name}") for mark, each in pair.items()]
            first, second = self._studies(current, named, days, seed)
            return compare_document(first, [second], self.words.language)

        await self._work(make)

    async def staff(self) -> None:
        """Seek the cheapest staff of the scenario on the desk; show its certificate."""

        def make(current: Run, days: int, seed: int) -> Document:
            few = max(_DAYS_MIN, days)
            effort = Effort(days=few, confirm_days=3 * few)
            sought = current.seek(self.desk.changed(), effort, seed, self.settings.workers)
            self.sought, self.last = sought, sought.study
            return staff_document(sought.certificate, sought.study, self.words.language)

        await self._work(make)

    def _studies(self, current: Run, played: list[Scenario], days: int, seed: int) -> list[Study]:
        strata = max(strata_of(each) for each in played)
        current.total = days
        return current.play(played, days, seed, strata, self.settings.workers)

    def take_staff(self) -> None:
        """Put the staff that was found on the desk."""
        if self.sought is None:
            self._say(self.words("app_nothing_sought"))
            return
        base = str(self.desk.path)
        text = self.desk.with_staff(scenario_text(self.sought.scenario, base, ""))
        path = self.folder / "staffed.yaml"
        path.write_text(text, encoding="utf-8")
        self._put(Desk(load_scenario(path), path, text))

    async def _work(self, make: Callable[[Run, int, int], Document]) -> None:
        """Do one thing at a time, beside the page; show its answer, or say what went wrong."""
        if self.run is not None:
            return
        current = self.run = Run()
        began = time.monotonic()
        self._say("")
        self._tell()
        try:
            days, seed = int(self.parts["days"].value), int(self.parts["seed"].value)
            self.document = await asyncio.to_thread(make, current, days, seed)
            self.settings.shelf[self.key] = await asyncio.to_thread(render_page, self.document)
        except CancelledRunError:
            self._say(self.words("app_cancelled"))
        except (ChangeError, UnreachableError, TypeError, ValueError) as error:
            self._say(str(error))
        else:
            self._show()
            self._say(self.words("app_done", seconds=f"{time.monotonic() - began:.0f}"))
        finally:
            self.run = None
            self._tell()

    def _show(self) -> None:
        """Show the page on the shelf."""
        self.shown += 1
        place: ui.column = self.parts["result"]
        place.clear()
        with place:
            frame = ui.element("iframe").mark("answer")
            frame.classes("answer w-full max-lg:w-screen max-lg:-mx-4")
            frame.props(f'src="/answers/{self.key}?{self.shown}" title="{self.words("answer")}"')
            frame.style("border: 0; height: 80vh")

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
                ui.download.content(self.settings.shelf[self.key].encode(), name)
            else:
                path = self.folder / name
                write_workbook(self.document, path)
                ui.download.content(path.read_bytes(), name)

        return export

    # --- what is drawn again and again ---------------------------------------------------------

    def _say(self, text: str) -> None:
        self.parts["told"].set_text(text)

    def _tell(self) -> None:
        bar, current = self.parts["bar"], self.run
        busy = current is not None
        bar.set_visibility(busy)
        self.parts["cancel"].set_visibility(busy)
        for name in ("run", "staff", "compare"):
            self.parts[name].set_enabled(not busy)
        self.parts["take"].set_visibility(self.sought is not None)
        if current is None:
            return
        bar.props(f"{'' if current.total else 'indeterminate'}", remove="indeterminate" if
                  current.total else "")  # fmt: skip
        if current.total:
            bar.set_value(current.done / current.total)
            left = f"{current.left_s:.0f}"
            self._say(self.words("app_progress", done=current.done, total=current.total, left=left))
        else:
            self._say(self.words("app_seeking", told=current.told))
