"""Judge journal records, as bytes: I1, I28, I29, I31 and the state hash.

Uses nothing but the standard library: the chain (BLAKE2b-256 over the bytes of the record before)
and the state hash (BLAKE2b-256 over `[hash so far, stamped, decisions]` in compact JSON, entry by
entry) are computed anew from what is written.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from simulation.auditor.findings import Findings

if TYPE_CHECKING:
    from simulation.auditor.findings import Violation

_GENESIS: Final = "0" * 64


class RecordAuditor:
    """Check the records of one shard, in their order, one at a time."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.number = 0
        self.seq = 0
        self.prev_hash = _GENESIS
        self.state_hash = _GENESIS
        self.epoch = 0
        self.next_offsets: dict[str, int] = {}

    def check(self, body: bytes) -> list[Violation]:
        """Judge one record (without its line's end); return the violations found."""
        self.number += 1
        self.findings.seq = self.seq + 1
        try:
            record = json.loads(body)
            self._check_chain(record)
            sources = self._check_entries(record)
            self._check_offsets(record, sources)
        except (ValueError, KeyError, TypeError) as error:
            name = type(error).__name__
            self.findings.report("I31", f"record {self.number} is no record: {name}: {error}")
            return self.findings.take()
        self.prev_hash = blake2b(body, digest_size=32).hexdigest()
        return self.findings.take()

    def _check_chain(self, record: dict[str, Any]) -> None:
        report, where = self.findings.report, f"record {self.number}"
        if record["seq_from"] != self.seq + 1:
            report("I31", f"{where} begins at seq {record['seq_from']}, next is {self.seq + 1}")
        if record["prev_hash"] != self.prev_hash:
            report("I31", f"{where} does not name the record before it: hash chain broken")
        if record["writer_epoch"] < self.epoch:
            report("I28", f"{where}: writer epoch {record['writer_epoch']} after {self.epoch}")
        self.epoch = max(self.epoch, record["writer_epoch"])

    def _check_entries(self, record: dict[str, Any]) -> list[tuple[str, int]]:
        report, where = self.findings.report, f"record {self.number}"
        seq, sources = record["seq_from"] - 1, []
        for entry in record["entries"]:
            seq += 1
            stamped = entry["stamped"]
            if stamped["seq"] != seq:
                report("I31", f"{where}: entry has seq {stamped['seq']}, next is {seq}")
            text = json.dumps(
                [self.state_hash, stamped, entry["decisions"]],
                ensure_ascii=False,
                separators=(",", ":"),
            )
            self.state_hash = blake2b(text.encode(), digest_size=32).hexdigest()
            if entry.get("source"):
                topic, partition, offset = entry["source"]
                sources.append((f"{topic}/{partition}", offset))
        if record["seq_to"] != seq:
            report("I31", f"{where} says it ends at seq {record['seq_to']}, its entries at {seq}")
        if record["state_hash"] != self.state_hash:
            report("I31", f"{where}: state hash is not that of the entries")
            self.state_hash = record["state_hash"]
        self.seq = record["seq_to"]
        return sources

    def _check_offsets(self, record: dict[str, Any], sources: list[tuple[str, int]]) -> None:
        """Check that each input offset is an event's source or a gap, once, up to the mark."""
        report, where = self.findings.report, f"record {self.number}"
        gaps = [
            (f"{topic}/{partition}", offset) for topic, partition, offset in record.get("gaps", ())
        ]
        taken: dict[str, list[int]] = {}
        for name, offset in (*sources, *gaps):
            taken.setdefault(name, []).append(offset)
        marks: dict[str, int] = record.get("inputs_up_to", {})
        for name in dict.fromkeys((*taken, *marks)):
            offsets = sorted(taken.get(name, []))
            begin = self.next_offsets.get(name, offsets[0] if offsets else marks.get(name, 0))
            mark = marks.get(name, begin)
            if mark < begin:
                report("I29", f"{where}: {name} goes back from {begin} to {mark}")
            if offsets != list(range(begin, begin + len(offsets))):
                report("I1", f"{where}: {name} took offsets {offsets[:8]}, next was {begin}")
            if name in marks and mark != begin + len(offsets):
                text = f"{name} stands at {mark}, taken and gaps reach {begin + len(offsets)}"
                report("I29", f"{where}: {text}")
            self.next_offsets[name] = max(begin, mark)
