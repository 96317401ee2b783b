"""Draw the demo: one picture per frame, for 80x24 and up, with colour or without.

Three faces of the same frames: `LiveFace` redraws a terminal, `PlainFace` prints lines that
only grow (a pipe, a dumb terminal), `JsonFace` prints an object a line. A red row says so in
words too: the column at the right shows `LATE` or `warn`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.measures_formulas import sla_met_share
from simulation.demo_teller import Line, Rank, choose, seconds
from simulation.demo_wire import format_instant

STYLES: Final = {
    Rank.USUAL: "",
    Rank.NOTABLE: "cyan",
    Rank.WARNING: "yellow",
    Rank.ALARM: "bold red",
    Rank.PAGE: "bold white on red",
}
STATES: Final = {"LATE": "bold red", "warn": "yellow", "ok": ""}
_PLAIN_EVERY_MS: Final = 60_000
_QUEUE_ROWS_MAX: Final = 7
_TEAM_ROWS_MAX: Final = 7
_LINES_MIN: Final = 5
_TABLE_WIDTH: Final = 96
_FULL_WIDTH: Final = 80
# What a terminal narrower than that goes without.
_SPARED: Final = ("lost", "within", "promise")
# A line a second frame: what scrolls faster nobody reads.
_TURN: Final = 4


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture: the worker's numbers at an instant and the decisions told up to it.

    `table` is the answer of `GET /v1/measures`; `lines` are those told since the frame before,
    `untold` counts those that there was no room for.
    """

    at_ms: int
    elapsed_ms: int
    act: str
    table: dict[str, Any]
    lines: tuple[Line, ...]
    untold: int


class Face(Protocol):
    """Show frames as they come; `say` prints the summary after the last."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, frame: Frame) -> None:
        """Show a frame."""


def state_of(row: dict[str, Any]) -> str:
    """Say how a queue is: LATE when somebody waits beyond its threshold, warn from half of it."""
    if row["longest_wait_now_ms"] > row["service_level_ms"]:
        return "LATE"
    if row["longest_wait_now_ms"] * 2 > row["service_level_ms"]:
        return "warn"
    return "ok"


def _breaches(frame: Frame, queue: str) -> int:
    """Count the breaches of all promises in a queue."""
    return sum(row["breached"] for row in frame.table["promises"] if row["queue"] == queue)


def percent(share: float | None) -> str:
    """Write a share as a whole percentage, a dash where there is none."""
    return "-" if share is None else f"{share * 100:.0f} %"


def clock(at_ms: int) -> str:
    """Write the time of day of an instant, UTC."""
    return format_instant(at_ms)[11:19]


class Painter:
    """Turn frames into pictures; `goals` are the promises to answer, with the percent promised."""

    def __init__(self, title: str, goals: dict[str, int]) -> None:
        self._title = title
        self._goals = goals

    def picture(self, frame: Frame, lines: Sequence[Line], width: int, height: int) -> Group:
        """Draw a frame for so many columns, at most `height` rows tall if that is 24 or more."""
        queues = self._queues(frame, width)
        teams = self._teams(frame, width)
        room = height - 3 - (queues.row_count + 1) - (teams.row_count + 1)
        told = list(lines)[-max(room, _LINES_MIN) :]
        return Group(
            self._head(frame),
            queues,
            teams,
            Text(f"decisions, with their reason ({frame.table['seq']} events so far)", "bold"),
            *(self._line(line) for line in told),
        )

    def _head(self, frame: Frame) -> Group:
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append(f"{clock(frame.at_ms)} ", "bold")
        head.append(self._title)
        return Group(head, Text(frame.act, "reverse", no_wrap=True, overflow="ellipsis"))

    def _queues(self, frame: Frame, width: int) -> Table:
        table = _table("queue", width)
        for name in (
            "wait",
            "oldest",
            "answered",
            "lost",
            "in time",
            "within",
            "promise",
            "breach",
        ):
            if width >= _FULL_WIDTH or name not in _SPARED:
                _add_column(table, name)
        _add_column(table, "state")
        rows = frame.table["queues"]
        busiest = sorted(rows, key=lambda row: -row["arrivals"])[:_QUEUE_ROWS_MAX]
        for row in (row for row in rows if row in busiest):
            state = state_of(row)
            cells = {
                "wait": str(row["waiting"]),
                "oldest": seconds(row["longest_wait_now_ms"]) if row["waiting"] else "-",
                "answered": str(row["answered"]),
                "lost": str(row["abandoned"] + row["short_abandoned"]),
                "in time": percent(row["service_level"]),
                "within": seconds(row["service_level_ms"]),
                "promise": self._promise(frame, row["queue"]),
                "breach": str(_breaches(frame, row["queue"])),
                "state": state,
            }
            shown = [cells[str(column.header)] for column in table.columns[1:]]
            table.add_row(row["queue"], *shown, style=STATES[state])
        return table

    def _promise(self, frame: Frame, queue: str) -> str:
        """Say how far the queue's promises to answer are kept, and the objective: 83/80 %."""
        kept = [row for row in frame.table["promises"] if row["queue"] == queue]
        answer = [row for row in kept if row["promise"] in self._goals]
        met, breached = (sum(row[what] for row in answer) for what in ("met", "breached"))
        share = sla_met_share(met, breached)
        if share is None:
            return "-"
        objectives = [self._goals[row["promise"]] for row in answer]
        return f"{share * 100:.0f}/{min(objectives)} %"

    def _teams(self, frame: Frame, width: int) -> Table:
        table = _table("team", width)
        for name in ("idle", "offered", "handling", "wrap-up", "away", "occupancy"):
            _add_column(table, name)
        for row in frame.table["teams"][:_TEAM_ROWS_MAX]:
            mostly_away = row["away"] * 2 > row["signed_in"]
            table.add_row(
                row["team"],
                *(str(row[state]) for state in ("idle", "offered", "handling", "wrap_up", "away")),
                percent(row["occupancy"]),
                style="bold red" if mostly_away else "",
            )
        return table

    def _line(self, line: Line) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{clock(line.at_ms)} ", "dim")
        text.append(line.text, STYLES[line.rank])
        return text


def _table(first: str, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=min(width, _TABLE_WIDTH))
    table.add_column(first, no_wrap=True, ratio=1, min_width=10, header_style="bold underline")
    return table


def _add_column(table: Table, name: str) -> None:
    table.add_column(name, justify="right", no_wrap=True, header_style="bold underline")


class LiveFace:
    """Redraw a terminal in place; the screen before the demo comes back at its end."""

    def __init__(self, painter: Painter, console: Console) -> None:
        self._painter = painter
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._lines: list[Line] = []
        self._told: list[Line] = []
        self._frames = 0

    def __enter__(self) -> Self:
        """Take the terminal over."""
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        self._live.__exit__(kind, error, trace)

    def show(self, frame: Frame) -> None:
        """Draw a frame; every second one brings a line, by turns a grave and a usual one."""
        width, height = self._console.size
        self._told += frame.lines
        self._frames += 1
        if self._frames % (_TURN // 2) == 0 and self._told:
            grave = self._frames % _TURN == 0
            chosen = choose(self._told)
            usual = [line for line in chosen if line.rank is Rank.USUAL]
            line = usual[-1] if usual and not grave else max(chosen, key=lambda one: one.rank)
            self._lines = [*self._lines, line][-height:]
            self._told = []
        picture = self._painter.picture(frame, self._lines, width, height)
        self._live.update(picture, refresh=True)


class PlainFace:
    """Print what happened as lines that only grow."""

    def __init__(self, painter: Painter, console: Console) -> None:
        self._painter = painter
        self._console = console
        self._next_ms = 0
        self._act = ""
        self._states: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin; nothing to take over."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; nothing to give back."""

    def show(self, frame: Frame) -> None:
        """Print a picture each minute and at each turn, between them what matters."""
        states = {row["queue"]: state_of(row) for row in frame.table["queues"]}
        turned = [
            f"{queue} turns {state}"
            for queue, state in states.items()
            if "LATE" in (state, self._states.get(queue)) and state != self._states.get(queue)
        ]
        self._states = states
        if frame.act != self._act or frame.elapsed_ms >= self._next_ms:
            self._act = frame.act
            self._next_ms = frame.elapsed_ms - frame.elapsed_ms % _PLAIN_EVERY_MS + _PLAIN_EVERY_MS
            usual = [line for line in frame.lines if line.rank < Rank.ALARM]
            self._console.print()
            self._console.print(self._painter.picture(frame, usual, self._console.width, 0))
        for text in turned:
            self._console.print(Text(f"{clock(frame.at_ms)} {text}", "bold"))
        alarms = [line for line in frame.lines if line.rank >= Rank.WARNING]
        for line in alarms[:2]:
            self._console.print(Text(f"{clock(line.at_ms)} {line.text}", STYLES[line.rank]))


class JsonFace:
    """Print one JSON object a frame."""

    def __enter__(self) -> Self:
        """Begin; nothing to take over."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; nothing to give back."""

    def show(self, frame: Frame) -> None:
        """Print a frame."""
        print_json(
            {
                "kind": "tick",
                "at": format_instant(frame.at_ms),
                "act": frame.act,
                "table": frame.table,
                "lines": [
                    {"at": format_instant(line.at_ms), "rank": line.rank.name.lower(),
                     "text": line.text}
                    for line in frame.lines
                ],
                "untold": frame.untold,
            }
        )  # fmt: skip


def print_json(body: dict[str, Any]) -> None:
    """Print one object on one line, at once."""
    sys.stdout.write(json.dumps(body, separators=(",", ":")) + "\n")
    sys.stdout.flush()
