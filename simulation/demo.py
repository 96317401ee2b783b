"""Show a contact centre coming alive: `switchroom demo`.

A real worker is started beside the show and fed over its public intake, in small steps of
virtual time: the world plays up to an instant, its events and a watermark go out in one batch,
and the decisions that come back are heard before the next step. The steps are the same whatever
the machine's speed, so one seed gives one journal and one picture; the wall only paces them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console

import configs
from configs.burn_rates import plan_alerts
from configs.burn_watch import BurnWatch
from configs.loader import load_center
from router.center import Center, ClockKind
from router.decisions import AssignContact, Decision
from router.events import AgentSignedIn, AgentSignedOut, ContactAbandoned, ContactEnded, Event
from simulation.demo_day import START_MS, Stage, demo_options, stage_for
from simulation.demo_end import USUAL_SECONDS, USUAL_SPEED, Notes, finish, keep_last
from simulation.demo_guest import Guest
from simulation.demo_screen import Face, Frame, JsonFace, LiveFace, Painter, PlainFace
from simulation.demo_teller import Line, Rank, Teller, choose
from simulation.demo_wire import encode_event
from simulation.demo_worker import Worker, WorkerError
from simulation.driver import WorldEnvironment
from simulation.randomness import Streams
from simulation.stage import Phase
from simulation.world import World

STEP_MS: Final = 500
FRAME_STEPS: Final = 10
INTERRUPTED: Final = 130
_SCALED_MS: Final = 5 * 1_350_000


class Show:
    """Play the morning against a worker, step by step."""

    def __init__(
        self,
        center: Center,
        stage: Stage,
        seed: int,
        worker: Worker | Guest,
        start_ms: int = START_MS,
        prefix: str = "",
    ) -> None:
        self._start_ms = start_ms
        self.stage = stage
        self.notes = Notes(
            queue=stage.queue,
            agents_away=len(stage.away),
            seed=seed,
            length_ms=stage.length_ms,
        )
        self._worker = worker
        self._center = center
        self._teller = Teller(center)
        # The rules' own arithmetic, its windows as much shorter as the show is than their hours.
        scale = max(round(_SCALED_MS / stage.length_ms), 1)
        self._alerts = BurnWatch(plan_alerts(center).burns, scale)
        self._env = WorldEnvironment(start_ms)
        self._batch: list[dict[str, Any]] = []
        self._sent = 0
        self._signed_in: set[str] = set()
        options = demo_options(center, stage, seed, start_ms, prefix)
        self._world = World(self._env, center, options, Streams(seed), self._emit)
        self._world.start()

    def _emit(self, event: Event) -> None:
        """Put an event of the world into the next batch."""
        self._sent += 1
        if isinstance(event, AgentSignedIn):
            self._signed_in.add(event.agent_id)
        at_ms = self._env.now_ms
        self._teller.sent(event, at_ms)
        self._batch.append(encode_event(event, at_ms, self._sent))

    def step(self, until_ms: int) -> list[Line]:
        """Play up to an instant, hand the events in, hear the decisions, tell them."""
        self._env.run(until=until_ms)
        batch, self._batch = self._batch, []
        answer = self._worker.post(batch, until_ms)
        lines = []
        for at_ms, decisions in answer.entries:
            for decision in decisions:
                self._note(decision)
                line = self._teller.tell(decision, at_ms)
                if line is not None:
                    lines.append(line)
            self._world.observe(decisions, min(at_ms, until_ms))
        return lines

    def leave(self) -> None:
        """Let the customers go and the agents sign out, so that nothing stays behind."""
        for contact in self._world.open_contacts:
            if contact.phase in (Phase.SERVED, Phase.AWAITED):
                self._emit(ContactEnded(contact.id))
            elif contact.phase in (Phase.WAITING, Phase.CONNECTING):
                self._emit(ContactAbandoned(contact.id))
        self.step(self._env.now_ms)
        for agent_id in sorted(self._signed_in):
            self._emit(AgentSignedOut(agent_id))
        self._worker.post(self._batch, self._env.now_ms)

    def _note(self, decision: Decision) -> None:
        """Keep count, and keep the assignment that waited longest in the incident's queue."""
        notes = self.notes
        notes.decisions += 1
        if isinstance(decision, AssignContact):
            queue = self._teller.queue_of(decision.contact_id)
            if queue == notes.queue and decision.wait_ms > notes.longest_ms:
                notes.longest_ms, notes.longest_id = decision.wait_ms, decision.contact_id

    def frames(self, pace: Callable[[int], None]) -> Iterator[Frame]:
        """Yield a frame every few steps until the show is over."""
        gathered: list[Line] = []
        for number in range(1, self.stage.length_ms // STEP_MS + 1):
            elapsed_ms = number * STEP_MS
            gathered += self.step(self._start_ms + elapsed_ms)
            if number % FRAME_STEPS == 0:
                yield self._frame(elapsed_ms, gathered)
                gathered = []
            pace(elapsed_ms)

    def _frame(self, elapsed_ms: int, gathered: list[Line]) -> Frame:
        at_ms = self._start_ms + elapsed_ms
        table = self._worker.measures()
        for row in table["queues"]:
            oldest_ms = row["oldest_arrival_ms"]
            row["longest_wait_now_ms"] = 0 if oldest_ms is None else max(at_ms - oldest_ms, 0)
            if row["queue"] == self.stage.queue:
                self._watch(row, at_ms)
        table["at_ms"] = at_ms
        gathered += self._page(table, at_ms)
        told = choose(gathered)
        return Frame(
            at_ms=at_ms,
            elapsed_ms=elapsed_ms,
            act=self.stage.act(elapsed_ms),
            table=table,
            lines=told,
            untold=len(gathered) - len(told),
        )

    def _page(self, table: dict[str, Any], at_ms: int) -> list[Line]:
        """Tell which alerts on broken promises began or ended."""
        outcomes = {
            (row["queue"], row["promise"]): (row["met"], row["breached"])
            for row in table["promises"]
        }
        lines = []
        for call in self._alerts.look(at_ms, outcomes):
            burn, notes = call.burn, self.notes
            what = f"{burn.pair.alert} {burn.queue}"
            if call.over:
                lines.append(Line(at_ms, Rank.PAGE, f"over {what}: {burn.sla} is kept again"))
                continue
            notes.paged_at_ms = notes.paged_at_ms or at_ms
            text = f"PAGE {what}: {call.ratio:.0%} of {burn.sla} broken"
            lines.append(Line(at_ms, Rank.PAGE, text))
        return lines

    def _watch(self, row: dict[str, Any], at_ms: int) -> None:
        """Note when the incident's queue turned late and when it was well again."""
        notes, elapsed_ms = self.notes, at_ms - self._start_ms
        late = row["longest_wait_now_ms"] > row["service_level_ms"]
        notes.oldest_max_ms = max(notes.oldest_max_ms, row["longest_wait_now_ms"])
        if late and elapsed_ms >= self.stage.incident_ms:
            notes.late_at_ms = notes.late_at_ms or at_ms
        elif notes.late_at_ms and elapsed_ms >= self.stage.recovery_ms:
            notes.recovered_at_ms = notes.recovered_at_ms or at_ms


def goals_of(center: Center) -> dict[str, int]:
    """Return the promises to answer, with the share of them that should be kept, in percent."""
    return {
        name: promise.objective_percent
        for name, promise in center.promises.items()
        if promise.kind is ClockKind.ANSWER
    }


class Pacer:
    """Wait for the wall, so that virtual time passes `speed` times as fast; 0 waits for nobody."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()

    def __call__(self, elapsed_ms: int) -> None:
        """Wait until this much of the show may have passed."""
        if self._speed > 0:
            due = self._began + elapsed_ms / 1_000 / self._speed
            time.sleep(max(due - time.monotonic(), 0.0))


@contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Let a polite kill or a closed terminal end the show as Ctrl-C does, with all put away."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def store_folder(*, keep: bool) -> Iterator[Path]:
    """Make a folder for the worker's store; it goes at the end unless it shall be kept."""
    folder = Path(tempfile.mkdtemp(prefix="switchroom-demo-"))
    try:
        yield folder
    finally:
        if keep:
            sys.stderr.write(f"kept: {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def choose_face(painter: Painter, *, as_json: bool) -> Face:
    """Choose how to show: objects, a living screen, or lines that only grow."""
    if as_json:
        return JsonFace()
    console = Console(highlight=False, soft_wrap=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveFace(painter, console)
    return PlainFace(painter, Console(highlight=False, width=_plain_width()))


def _plain_width() -> int:
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) >= 40 else 80


def run_demo(
    *,
    seconds: float = USUAL_SECONDS,
    seed: int = 1,
    speed: float = USUAL_SPEED,
    keep: bool = False,
    as_json: bool = False,
    url: str = "",
) -> int:
    """Play the demo and return the exit code: 0 shown, 1 failed, 130 interrupted.

    `seconds` is the length on the wall, `speed` how many virtual seconds pass in one of them;
    at speed 0 nothing is paced and the show is as long as at the usual speed. With `url` it is
    played at the worker there, at the wall's own pace.
    """
    try:
        if url:
            with ended_like_interrupted():
                return _play_at(url, seconds, seed, as_json=as_json)
        with ended_like_interrupted(), store_folder(keep=keep) as folder:
            return _play(folder, seconds, seed, speed, keep=keep, as_json=as_json)
    except KeyboardInterrupt:
        told = f"the worker at {url} goes on" if url else "the worker is stopped"
        sys.stderr.write(f"interrupted; {told}\n")
        return INTERRUPTED
    except WorkerError as error:
        sys.stderr.write(f"switchroom demo: {error}\n")
        return 1


def _play(
    folder: Path, seconds: float, seed: int, speed: float, *, keep: bool, as_json: bool
) -> int:
    config = Path(configs.__file__).parent / "sample"
    center = load_center(config).center
    length_ms = max(int(seconds * (speed or USUAL_SPEED) * 1_000), STEP_MS * FRAME_STEPS)
    stage = stage_for(center, length_ms)
    store = folder / "day.db"
    with Worker(config, store) as worker:
        pace = f"{speed:g}x" if speed else "unpaced"
        # At the address itself there is the board.
        title = f"{center.name} {pace} seed {seed}  {worker.address}/ /metrics  Ctrl-C ends"
        show = Show(center, stage, seed, worker)
        last: Frame | None = None
        with choose_face(Painter(title, goals_of(center)), as_json=as_json) as face:
            for frame in show.frames(Pacer(speed)):
                face.show(frame)
                last = frame
    assert last is not None, "a show has at least one frame"
    kept = None if keep else keep_last(folder)
    place = None if kept is None else kept / store.name
    finish(show.notes, last, store, keep=keep, as_json=as_json, kept=place)
    return 0


def _play_at(url: str, seconds: float, seed: int, *, as_json: bool) -> int:
    """Play the show at a worker that runs already; what it journals stays there."""
    center = load_center(Path(configs.__file__).parent / "sample").center
    stage = stage_for(center, max(int(seconds * 1_000), STEP_MS * FRAME_STEPS))
    start_ms = time.time_ns() // 1_000_000
    with Guest(url, center.name, start_ms) as guest:
        show = Show(center, stage, seed, guest, start_ms, f"{start_ms // 1_000 % 1_000_000}-")
        title = f"{center.name} seed {seed}  {guest.address}/ /metrics  Ctrl-C ends"
        try:
            with choose_face(Painter(title, goals_of(center)), as_json=as_json) as face:
                for frame in show.frames(Pacer(1.0)):
                    face.show(frame)
        finally:
            show.leave()
    sys.stderr.write(f"the show is over; the worker at {guest.address} goes on\n")
    return 0
