"""Count durations in buckets: fixed ones for export, fine ones for percentiles."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

# The edges of the exported wait histogram, milliseconds; the plan's targets are added.
WAIT_EDGES_MS: Final = (
    1_000, 2_500, 5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000,
    180_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000,
)  # fmt: skip
HANDLE_EDGES_MS: Final = (
    15_000, 30_000, 60_000, 120_000, 180_000, 300_000, 480_000, 600_000, 900_000, 1_200_000,
    1_800_000, 3_600_000,
)  # fmt: skip

_SUB_BITS: Final = 5


class FixedHistogram:
    """Count values at or below given edges; the last bucket takes all above.

    `latest` names of each bucket the contact counted last, with its value.
    """

    __slots__ = ("counts", "edges_ms", "latest", "sum_ms")

    def __init__(self, edges_ms: tuple[int, ...]) -> None:
        self.edges_ms = edges_ms
        self.counts = [0] * (len(edges_ms) + 1)
        self.sum_ms = 0
        self.latest: dict[int, tuple[str, int]] = {}

    def add(self, value_ms: int, contact_id: str = "") -> None:
        """Count one value, milliseconds, of a contact."""
        bucket = bisect_left(self.edges_ms, value_ms)
        self.counts[bucket] += 1
        self.sum_ms += value_ms
        if contact_id:
            self.latest[bucket] = contact_id, value_ms

    @property
    def count(self) -> int:
        """Return how many values were counted."""
        return sum(self.counts)

    def at_most(self, edge_ms: int) -> int:
        """Return how many values were at or below one of the edges, exactly.

        Raises ValueError for a duration that is no edge: between edges nothing is known.
        """
        return sum(self.counts[: self.edges_ms.index(edge_ms) + 1])


class FineHistogram:
    """Count values in buckets that are at most 1/32 of the value wide, for percentiles.

    Values below 64 ms are exact. Above, each doubling has 32 buckets, so that a percentile is
    at most 3.2 % too high and never too low. At most about 1,000 buckets ever exist.
    """

    __slots__ = ("buckets", "count", "max_ms")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.max_ms = 0

    def add(self, value_ms: int) -> None:
        """Count one value, milliseconds, not negative."""
        upper, buckets = value_ms, self.buckets
        if value_ms >> _SUB_BITS + 1:
            shift = value_ms.bit_length() - _SUB_BITS - 1
            upper = (((value_ms >> shift) + 1) << shift) - 1
        buckets[upper] = buckets[upper] + 1 if upper in buckets else 1
        self.count += 1
        self.max_ms = max(self.max_ms, value_ms)

    def merge(self, other: FineHistogram) -> None:
        """Add another histogram's values to these."""
        for upper, number in other.buckets.items():
            self.buckets[upper] = self.buckets.get(upper, 0) + number
        self.count += other.count
        self.max_ms = max(self.max_ms, other.max_ms)

    def percentile_ms(self, percent: int) -> int | None:
        """Return the smallest bucket's end that `percent` of the values do not exceed.

        Nearest rank (the ceil(n * percent / 100)-th smallest); None when nothing was counted.
        """
        if not self.count:
            return None
        rank = max(-(-self.count * percent // 100), 1)
        seen = 0
        for upper in sorted(self.buckets):
            seen += self.buckets[upper]
            if seen >= rank:
                return min(upper, self.max_ms)
        return self.max_ms
