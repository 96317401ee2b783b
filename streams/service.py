"""Take the five steps for one centre, without any I/O: this is where they are in one place.

1. *receive*: `hear` takes what the codec read, `step_over` a place that holds nothing.
2. *stamp*: the sequencer gives seq and time, due deadlines first.
3. *decide*: the router's `handle`, called by the sequencer.
4. *carry out*: `close_unit` makes one journal record of everything since the last; the caller
   makes it durable and says so with `committed`. Until then nobody may act on it.
5. *observe*: the caller's sinks and views read the committed unit.

The service never waits and reads no clock: instants are given to it.
"""

from __future__ import annotations

from router.center import Center
from router.checks import config_hash
from router.decisions import NoteDuplicate, RefuseEvent
from router.events import CenterChanged, EngineActivated, Source
from router.journal import Entry, JournalWriter
from router.sequencer import Sequencer
from streams import ENGINE_VERSION
from streams.codec import Codec, Heard
from streams.ports import CommitUnit, Received
from streams.recovery import Refold


class CenterMismatchError(Exception):
    """The configuration given is not for this store: says what, where and what to do."""


class Service:
    """Hold the router of one centre and everything since the last commit."""

    def __init__(
        self,
        state: Refold,
        configured: CenterChanged,
        writer_epoch: int,
    ) -> None:
        center = configured.center
        if state.shard not in ("", center.name):
            raise CenterMismatchError(
                f"the store belongs to centre {state.shard!r}, the configuration describes "
                f"{center.name!r}; give this centre a --store of its own"
            )
        state.shard = center.name
        self.state = state
        self.router = state.router
        self.codec = Codec.of(state.center or center)
        self.committed_seq = state.seq
        self.configured = configured
        self._sequencer = Sequencer(state.router)
        self._writer = JournalWriter(
            center.name, ENGINE_VERSION, writer_epoch, state.seq, state.prev_hash, state.digest
        )
        self._entries: list[Entry] = []
        self._gaps: list[Source] = []
        self._chains: dict[str, str] = {}
        self._previous_id = state.previous_id
        self._center_version = state.center_version

    # --- the beginning ------------------------------------------------------------

    @property
    def writer_epoch(self) -> int:
        """Return the epoch that this worker writes under."""
        return self._writer.writer_epoch

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever journaled."""
        return self.state.seq == 0 and not self._entries

    def begin(self, now_ms: int) -> None:
        """Journal what is new about us: our version, the configuration. Nothing if nothing is.

        Raises `CenterMismatchError` when the configuration changed but not its version, or when
        its version went back.
        """
        state = self.state
        if not self.fresh and state.engine_version != ENGINE_VERSION:
            self._take(self._sequencer.accept(EngineActivated(ENGINE_VERSION), now_ms))
        if self.is_new(self.configured):
            entry = self.hear(Heard(self.configured), now_ms, None)
            self.check_taken(entry, self.configured.center)

    def is_new(self, configured: CenterChanged) -> bool:
        """Tell whether a configuration is not the one in force; raises `CenterMismatchError`."""
        known, center = self.state.center, configured.center
        if center.name != self.state.shard:
            raise CenterMismatchError(
                f"the configuration describes {center.name!r}, this is {self.state.shard!r}; a "
                "centre keeps its name"
            )
        if known is None:
            return True
        if config_hash(known) == config_hash(center):
            return False
        if center.version <= known.version:
            raise CenterMismatchError(
                f"the configuration of {known.name} changed, but says version "
                f"{center.version}; the journal has version {known.version}: set `version` "
                f"to {known.version + 1} or more"
            )
        return True

    @staticmethod
    def check_taken(entry: Entry, center: Center) -> None:
        """Raise `CenterMismatchError` if the router refused a configuration."""
        if (refusal := refusal_of(entry)) is not None:
            raise CenterMismatchError(
                f"version {center.version} of {center.name} is refused: {refusal.reason.value}; "
                "`switchroom check` says what a configuration lacks; a queue in use goes only "
                "with --drain QUEUE or --move-to QUEUE=OTHER"
            )

    # --- steps 1 to 3 -------------------------------------------------------------

    def hear(self, heard: Heard, at_ms: int, received: Received | None) -> Entry:
        """Stamp and decide one event; returns its entry, not yet committed."""
        entries = self._sequencer.accept(
            heard.event,
            at_ms,
            event_id=heard.event_id,
            occurred_ms=heard.occurred_ms,
            source=None if received is None else self._advance_position(received),
        )
        self._take(entries)
        return entries[-1]

    def believe(self, heard: Heard, at_ms: int) -> Heard:
        """Return what was heard, without its instant if only its producer's clock makes it old."""
        if self.state.center is None or not heard.occurred_ms:
            return heard
        window_ms = self.state.center.limits.duplicate_window_ms
        told_ms = self.state.producers.judge(heard.event_id, heard.occurred_ms, at_ms, window_ms)
        return heard if told_ms else Heard(heard.event, heard.event_id)

    def step_over(self, received: Received) -> None:
        """Pass a place in the input that holds no event."""
        self._gaps.append(self._advance_position(received))

    def tick(self, now_ms: int, entries_max: int = 500) -> bool:
        """Let in what is due before `now_ms`; False when `entries_max` left some for later."""
        while (due_ms := self.router.next_deadline()) is not None and due_ms < now_ms:
            if len(self._entries) >= entries_max:
                return False
            self._take(self._sequencer.advance(due_ms + 1))
        return True

    def next_offset(self, topic: str, partition: int = 0) -> int:
        """Return the position in an input from which to read on."""
        return self.state.inputs_up_to.get(f"{topic}/{partition}", 0)

    def _advance_position(self, received: Received) -> Source:
        place = f"{received.topic}/{received.partition}"
        self.state.inputs_up_to[place] = received.offset + 1
        if received.chain:
            self._chains[received.topic] = received.chain
        return Source(received.topic, received.partition, received.offset)

    def _take(self, entries: list[Entry]) -> None:
        self._entries += entries
        state, before = self.state, self.state.center
        for entry in entries:
            state.note(entry)
        if state.center is not None and state.center is not before:
            # At once, not at the commit: where units end must not change what is read.
            self.codec.attributes = frozenset(state.center.attributes)

    # --- step 4 -------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Return how many entries wait for their commit."""
        return len(self._entries)

    def recent(self, start: int) -> tuple[Entry, ...]:
        """Return the entries that wait for their commit, from the `start`-th on."""
        return tuple(self._entries[start:])

    def close_unit(self) -> CommitUnit | None:
        """Make one record of all entries since the last; None if there are none."""
        if not self._entries:
            return None
        state, entries = self.state, self._entries
        # The digest inside the state is the writer's: it moves on here.
        body = self._writer.record(entries, dict(state.inputs_up_to), tuple(self._gaps))
        state.seq, state.prev_hash = self._writer.seq, self._writer.prev_hash
        state.engine_version = ENGINE_VERSION
        unit = CommitUnit(
            body=body,
            entries=tuple(entries),
            seq_from=entries[0].stamped.seq,
            seq_to=state.seq,
            at_ms=entries[-1].stamped.at_ms,
            writer_epoch=self._writer.writer_epoch,
            previous_id=self._previous_id,
            center_version=self._center_version,
            inputs_up_to=dict(state.inputs_up_to),
            input_hashes=self._chains,
        )
        self._entries, self._gaps, self._chains = [], [], {}
        self._previous_id, self._center_version = state.previous_id, state.center_version
        return unit

    def committed(self, unit: CommitUnit) -> None:
        """Note that a unit is durable: from now on it may be acted upon."""
        self.committed_seq = unit.seq_to


def newest(configured: CenterChanged, state: Refold) -> CenterChanged:
    """Return our configuration, or that of the journal if it has gone beyond ours meanwhile."""
    if state.center is not None and state.center.version > configured.center.version:
        return CenterChanged(state.center)
    return configured


def refusal_of(entry: Entry) -> RefuseEvent | None:
    """Return the decision not to follow an event, if that was the answer."""
    for decision in entry.decisions:
        if isinstance(decision, RefuseEvent):
            return decision
    return None


def is_duplicate(entry: Entry) -> bool:
    """Tell whether an event told nothing new."""
    return any(isinstance(decision, NoteDuplicate) for decision in entry.decisions)
