"""Keep things in the order of an integer key: O(log n) steps to add, remove and find.

A list of short sorted chunks. It serves what a linked list cannot: places in the middle of a
line, and agents ranked by a number that changes. Keys may be equal; then the tie number decides.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_CHUNK_MAX: Final = 256


class Ordered(Generic[T]):
    """Hold items by (key, tie), lowest first; each pair at most once."""

    __slots__ = ("chunks", "items", "size")

    def __init__(self) -> None:
        self.chunks: list[list[tuple[int, int]]] = []
        self.items: dict[tuple[int, int], T] = {}
        self.size = 0

    def add(self, key: int, tie: int, item: T) -> None:
        """Add an item."""
        mark = (key, tie)
        assert mark not in self.items, "each place is taken once"
        self.items[mark] = item
        self.size += 1
        if not self.chunks:
            self.chunks.append([mark])
            return
        number = min(self._chunk_of(mark), len(self.chunks) - 1)
        chunk = self.chunks[number]
        insort(chunk, mark)
        if len(chunk) > _CHUNK_MAX:
            half = len(chunk) // 2
            self.chunks.insert(number + 1, chunk[half:])
            del chunk[half:]

    def remove(self, key: int, tie: int) -> None:
        """Remove an item that is there."""
        mark = (key, tie)
        del self.items[mark]
        self.size -= 1
        number = self._chunk_of(mark)
        chunk = self.chunks[number]
        del chunk[bisect_left(chunk, mark)]
        if not chunk:
            del self.chunks[number]

    def _chunk_of(self, mark: tuple[int, int]) -> int:
        low, high = 0, len(self.chunks)
        while low < high:
            middle = (low + high) // 2
            if self.chunks[middle][-1] < mark:
                low = middle + 1
            else:
                high = middle
        return low

    def first(self) -> T | None:
        """Return the item with the lowest key."""
        return self.items[self.chunks[0][0]] if self.chunks else None

    def after(self, key: int, tie: int) -> T | None:
        """Return the first item behind (key, tie)."""
        mark = (key, tie)
        number = self._chunk_of(mark)
        while number < len(self.chunks):
            chunk = self.chunks[number]
            position = bisect_left(chunk, mark)
            if position < len(chunk) and chunk[position] == mark:
                position += 1
            if position < len(chunk):
                return self.items[chunk[position]]
            number += 1
        return None

    def at(self, position: int) -> T:
        """Return the item at a position, 0 being the lowest."""
        for chunk in self.chunks:
            if position < len(chunk):
                return self.items[chunk[position]]
            position -= len(chunk)
        raise IndexError(position)

    def __iter__(self) -> Iterator[T]:
        """Yield the items, lowest first."""
        for chunk in self.chunks:
            for mark in chunk:
                yield self.items[mark]

    def __len__(self) -> int:
        """Count the items."""
        return self.size
