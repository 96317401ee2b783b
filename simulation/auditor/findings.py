"""Say what is wrong with a journal, in words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """Name one broken rule: the invariant ("I5"), the entry's seq, and what was seen."""

    rule: str
    seq: int
    text: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.rule} at seq {self.seq}: {self.text}"


class Findings:
    """Collect the violations of the entry under examination."""

    def __init__(self) -> None:
        self.seq = 0
        self.found: list[Violation] = []

    def report(self, rule: str, text: str) -> None:
        """Add a violation of `rule` at the present entry."""
        self.found.append(Violation(rule, self.seq, text))

    def take(self) -> list[Violation]:
        """Return what was collected since the last call."""
        found, self.found = self.found, []
        return found
