"""Kill the worker in the middle of a day, again and again, and compare what is left.

`python -m tests.kill_soak --kills 50` feeds a day from a file to `switchroom run`, sends SIGKILL
at random moments, starts it again, and after every kill verifies the journal. When the day is
done, its digest must be that of the undisturbed run, every line must have been answered exactly
once, and a replay must decide the same. Then the next day begins, until the kills are used up.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from configs.loader import load_center
from router.center import Center
from router.decisions import AssignContact, Decision, OfferContact, StartWrapUp
from router.events import (
    AgentHeartbeat,
    AgentSignedIn,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    Event,
    OfferAccepted,
    OfferConnected,
    WrapUpEnded,
)
from router.journal import decode_record, verify_records
from router.router import Router
from router.sequencer import Sequencer
from simulation.auditor import RecordAuditor
from streams.embedded import EmbeddedStore
from streams.recovery import Refold
from streams.writing import encode_event, encode_watermark

ROOT: Final = Path(__file__).parent.parent
DAY_START_MS: Final = 1_772_438_400_000
FINISH_S: Final = 120.0


class World:
    """Let customers call and agents answer, as plainly as will do to fill a day."""

    def __init__(self, center: Center, seed: int, gap_ms: float) -> None:
        self.center = center
        self.draw = random.Random(seed)
        self.gap_ms = gap_ms
        self.contacts = 0
        self._number = 0
        self._coming: list[tuple[int, int, Event | None]] = []
        self.beat_ms = center.offers.heartbeat_timeout_ms * 3 // 4
        for place, agent_id in enumerate(center.agents):
            self._plan(DAY_START_MS + place, AgentSignedIn(agent_id))
            if self.beat_ms:
                self._plan(DAY_START_MS + self.beat_ms + place, AgentHeartbeat(agent_id))
        self._plan(DAY_START_MS + 1000, None)

    def _plan(self, at_ms: int, event: Event | None) -> None:
        self._number += 1
        heapq.heappush(self._coming, (at_ms, self._number, event))

    def next(self) -> tuple[int, Event]:
        """Return what happens next; None in the list means that somebody calls."""
        at_ms, _, event = heapq.heappop(self._coming)
        if isinstance(event, AgentHeartbeat):
            self._plan(at_ms + self.beat_ms, event)
        if event is not None:
            return at_ms, event
        draw, center = self.draw, self.center
        self.contacts += 1
        contact_id = f"c-{self.contacts}"
        self._plan(at_ms + 1 + int(draw.expovariate(1 / self.gap_ms)), None)
        self._plan(at_ms + draw.randrange(60_000, 240_000), ContactAbandoned(contact_id))
        channel, category = draw.choice(list(center.channels)), draw.choice(list(center.categories))
        return at_ms, ContactArrived(contact_id, channel, category)

    def obey(self, at_ms: int, decision: Decision) -> None:
        """Plan what a decision makes people do."""
        draw = self.draw
        if isinstance(decision, OfferContact) and draw.random() < 0.9:
            event: Event = OfferAccepted(decision.offer_id, decision.contact_id, decision.agent_id)
            self._plan(at_ms + draw.randrange(1000, 6000), event)
        elif isinstance(decision, AssignContact):
            event = OfferConnected(decision.offer_id, decision.contact_id, decision.agent_id)
            self._plan(at_ms + draw.randrange(500, 1500), event)
            self._plan(at_ms + draw.randrange(60_000, 300_000), ContactEnded(decision.contact_id))
        elif isinstance(decision, StartWrapUp):
            event = WrapUpEnded(decision.contact_id, decision.agent_id)
            self._plan(at_ms + draw.randrange(5000, 20_000), event)


def make_day(center: Center, lines: int, seed: int, gap_ms: float = 3000) -> list[bytes]:
    """Return a day of CloudEvents, a line each, and a watermark behind them."""
    world, sequencer = World(center, seed, gap_ms), Sequencer(Router())
    day: list[bytes] = []
    sequencer.accept(CenterChanged(center), DAY_START_MS)
    at_ms = DAY_START_MS
    while len(day) < lines:
        at_ms, event = world.next()
        entries = sequencer.accept(event, at_ms)
        body = encode_event(entries[-1].stamped, center.name)
        assert body is not None, "the world speaks only what may come in"
        day.append(body)
        for entry in entries:
            for decision in entry.decisions:
                world.obey(at_ms, decision)
    day.append(encode_watermark(at_ms + 60_000, center.name))
    return day


def command(config: Path, store: Path, *options: str) -> list[str]:
    """Return the command line of the worker."""
    run = ["run", "--config", str(config), "--store", str(store)]
    return [sys.executable, "-m", "switchroom", *run, *options]


def bodies_in(store_path: Path) -> list[bytes]:
    """Return the journal's records; none if the worker died before it made the store."""
    if not store_path.exists() or not store_path.stat().st_size:
        return []
    store = EmbeddedStore.read_only(store_path)
    try:
        return [stored.body for stored in store.records()]
    finally:
        store.close()


def last_seq(store_path: Path) -> int:
    """Verify the journal and return its last seq."""
    seq = 0
    for record in verify_records(bodies_in(store_path)):
        seq = record.seq_to
    return seq


def check_finished(store_path: Path, lines: int) -> str:
    """Hold a finished day against the auditor and a replay; return its digest."""
    bodies = bodies_in(store_path)
    auditor = RecordAuditor()
    found = [str(violation) for body in bodies for violation in auditor.check(body)]
    assert not found, found
    seen: Counter[int] = Counter()
    position = 0
    for body in bodies:
        record = decode_record(body)
        seen.update(entry.source.offset for entry in record.entries if entry.source is not None)
        seen.update(gap.offset for gap in record.gaps)
        position = next(iter(record.inputs_up_to.values()), position)
    assert set(seen) == set(range(position)), "an input was lost"
    assert set(seen.values()) == {1}, "an input was doubled"
    assert position >= lines - 1, "only the watermark may be left: it has no entry"
    again = Refold()
    again.feed_all(bodies)
    return again.digest.hexdigest()


@dataclass
class Soak:
    """Count what a soak did."""

    kills: int = 0
    kills_midway: int = 0
    days: int = 0
    starts: int = 0
    entries: int = 0
    kill_seqs: list[int] = field(default_factory=list)


def soak(
    config: Path,
    directory: Path,
    *,
    kills: int,
    lines: int,
    seed: int,
    delay_s: tuple[float, float],
    tell: Callable[[str], None],
) -> Soak:
    """Kill until `kills` are used up; raises AssertionError at the first thing wrong."""
    center = load_center(config).center
    input_path = directory / "day.ndjson"
    input_path.write_bytes(b"\n".join(make_day(center, lines, seed)) + b"\n")
    options = ["--input", str(input_path), "--as-fast-as-possible"]
    options += ["--unit-records", "50", "--snapshot-every", "700"]
    undisturbed = directory / "undisturbed.db"
    subprocess.run(
        command(config, undisturbed, *options), cwd=ROOT, check=True, capture_output=True
    )
    expected = check_finished(undisturbed, lines + 1)
    end_seq = last_seq(undisturbed)
    draw, done = random.Random(seed), Soak()
    while done.kills < kills:
        store = directory / f"day-{done.days}.db"
        _live_through(command(config, store, *options), store, done, kills, delay_s, draw, end_seq)
        assert check_finished(store, lines + 1) == expected, f"day {done.days} differs"
        done.days += 1
        done.entries += end_seq
        tell(
            f"day {done.days}: {done.kills} kills so far, {done.kills_midway} of them midway, "
            f"digest {expected[:16]} again"
        )
        store.unlink()
    return done


def _live_through(
    arguments: list[str],
    store: Path,
    done: Soak,
    kills: int,
    delay_s: tuple[float, float],
    draw: random.Random,
    end_seq: int,
) -> None:
    """Start, kill and verify until one process gets to the end of its day."""
    seq = 0
    while True:
        done.starts += 1
        with subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            patience_s = draw.uniform(*delay_s) if done.kills < kills else FINISH_S
            try:
                _, told = process.communicate(timeout=patience_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                assert done.kills < kills, "the worker did not finish in time"
            else:
                assert process.returncode == 0, told.decode()
                return
        done.kills += 1
        now_seq = last_seq(store)
        assert now_seq >= seq, "the journal became shorter"
        seq = now_seq
        done.kills_midway += 0 < seq < end_seq
        done.kill_seqs.append(seq)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Run the soak from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "sample")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        done = soak(
            chosen.config,
            Path(directory),
            kills=chosen.kills,
            lines=chosen.lines,
            seed=chosen.seed,
            delay_s=(0.2, 2.2),
            tell=_tell,
        )
    facts = {
        "seed": chosen.seed,
        "kills": done.kills,
        "kills_midway": done.kills_midway,
        "days": done.days,
        "starts": done.starts,
        "entries_compared": done.entries,
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
