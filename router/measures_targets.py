"""Set targets beside scores: what a measure should reach, for whom, and whether it did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from router.measures_scores import By, Score


@dataclass(frozen=True, kw_only=True)
class Target:
    """Say what a measure of a score should be: at least or at most this, one of the two.

    Ratios from 0 to 1, durations in milliseconds, as in the score. With `by` and `subject` it
    holds for that queue, team, tier ... alone, and goes before one that holds for all.
    """

    measure: str
    at_least: float | None = None
    at_most: float | None = None
    by: By | None = None
    subject: str = ""

    def met_by(self, score: Score) -> bool | None:
        """Say whether a score reaches the target; None where it has no number."""
        value = getattr(score, self.measure)
        if value is None:
            return None
        if self.at_least is not None:
            return bool(value >= self.at_least)
        return bool(self.at_most is not None and value <= self.at_most)


def targets_for(score: Score, by: By, targets: Iterable[Target]) -> dict[str, Target]:
    """Return the target of each measure of a score; the later of two equals holds."""
    found: dict[str, Target] = {}
    for target in targets:
        own = target.by is by and target.subject == score.subject
        of_team = target.by is By.TEAM and by is By.AGENT and target.subject == score.team
        if target.by is not None and not own and not of_team:
            continue
        before = found.get(target.measure)
        if before is None or before.by is None or target.by is not None:
            found[target.measure] = target
    return found
