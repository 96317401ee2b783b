"""Show what a store tells: queues, agents, one contact, the stream of decisions.

Everything is read from committed journal records, never from the router, so a view can be slow
or wrong without touching a decision. Views live in one thread of their own; `Views.ask` runs a
question there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from router.journal import decode_record
from router.measures import Measures
from router.measures_views import as_table, queue_rows, team_rows
from streams.board import frame
from streams.board_clocks import BoardFold
from streams.embedded import EmbeddedStore
from streams.stories import tell_story
from streams.writing import DecisionWriter

Answer = TypeVar("Answer")


class PublishedDecision(Struct, frozen=True, gc=False):
    """One decision as it goes out; (seq, index) is its place, `body` its CloudEvent."""

    seq: int
    index: int
    event_id: str
    type: str
    body: bytes


def read_decisions(
    store: EmbeddedStore, after: tuple[int, int], decisions_max: int
) -> tuple[list[PublishedDecision], tuple[int, int]]:
    """Return the next decisions after the place `after`, and the place reached.

    The place moves on over entries without decisions too. At most `decisions_max` decisions,
    but for those of the last entry, which are never torn apart.
    """
    found: list[PublishedDecision] = []
    # The entry of the place itself may have more decisions: its record is read again.
    for stored in store.records(after[0] - 1):
        record = decode_record(stored.body)
        writer = DecisionWriter(record.shard, stored.previous_id, stored.center_version)
        for entry in record.entries:
            seq = entry.stamped.seq
            written = writer.write(entry, record.engine_version)
            for index, (event_id, kind, body) in enumerate(written):
                if (seq, index) > after:
                    found.append(PublishedDecision(seq, index, event_id, kind, body))
            after = max(after, (seq, max(len(written) - 1, 0)))
            if len(found) >= decisions_max:
                return found, after
    return found, after


class Views:
    """Answer questions about one store, each from what is committed by then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="views")
        self._opened: EmbeddedStore | None = None
        self._measures = Measures()
        self._board = BoardFold()
        self._stale = False

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        """Run a question in the views' thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    async def close(self) -> None:
        """Close the store and end the thread."""
        await self.ask(self._close)
        self._thread.shutdown()

    def forget(self) -> None:
        """Begin anew with the next question: another store lies at the path. Any thread may ask."""
        self._stale = True

    def queues(self, now_ms: int | None) -> dict[str, object]:
        """Return a row for each queue; durations in ms, ratios from 0 to 1."""
        measures = self._catch_up()
        at_ms = max(now_ms or 0, measures.now_ms)
        return {
            "at_ms": at_ms,
            "seq": measures.seq,
            "open_contacts": measures.open_contacts,
            "queues": [asdict(row) for row in queue_rows(measures, at_ms)],
        }

    def agents(self, now_ms: int | None) -> dict[str, object]:
        """Return a row for each team and each agent of the configuration."""
        measures = self._catch_up()
        at_ms = max(now_ms or 0, measures.now_ms)
        center = measures.center
        rows = []
        for agent_id, agent in sorted(center.agents.items()) if center is not None else ():
            state = measures.agents.state_of(agent_id)
            rows.append(
                {
                    "agent_id": agent_id,
                    "team": agent.team,
                    "state": "signed_out" if state is None else state.value,
                }
            )
        return {
            "at_ms": at_ms,
            "seq": measures.seq,
            "teams": [asdict(row) for row in team_rows(measures, at_ms)],
            "agents": rows,
        }

    def measures(self, now_ms: int | None) -> dict[str, object]:
        """Return queues, promises, teams and counts of decisions."""
        measures = self._catch_up()
        return as_table(measures, max(now_ms or 0, measures.now_ms))

    def board(self, now_ms: int | None) -> dict[str, object]:
        """Return a frame of the board."""
        measures = self._catch_up()
        return frame(measures, self._board, max(now_ms or 0, measures.now_ms))

    def contact(self, contact_id: str) -> str | None:
        """Return the story of one contact, None if no entry names it."""
        return tell_story(self._store(), contact_id)

    def decisions(
        self, after: tuple[int, int], decisions_max: int = 500
    ) -> tuple[list[PublishedDecision], tuple[int, int]]:
        """Return the decisions after a place, and the place reached."""
        return read_decisions(self._store(), after, decisions_max)

    def _store(self) -> EmbeddedStore:
        if self._stale:
            self._close()
            self._opened, self._stale = None, False
            self._measures, self._board = Measures(), BoardFold()
        if self._opened is None:
            self._opened = EmbeddedStore.read_only(self._path)
        return self._opened

    def _catch_up(self) -> Measures:
        store = self._store()
        for stored in store.records(self._measures.seq):
            for entry in decode_record(stored.body).entries:
                self._measures.fold(entry.stamped, entry.decisions)
                self._board.fold(entry)
        return self._measures

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
