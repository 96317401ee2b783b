"""Draw lots in numbered streams.

One stream per (seed, replication, category, purpose, attempt), made by numpy's `SeedSequence`
with a `spawn_key` and PCG64. The variates of a stream are addressed by contact number: contact
17 of a category has the same patience whatever happened to contact 16, and a number that nobody
asks for is drawn all the same. Two runs that differ in a rule, in staffing or in volume therefore
meet the same customers (common random numbers; Law, Simulation Modeling and Analysis, ch. 11).

Streams are drawn in batches and kept as Python floats: a scalar draw from numpy costs ten times
as much.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulation.scenario import Law, LawKind

T = TypeVar("T")

_BATCH_FIRST: Final = 64
_BATCH_MAX: Final = 4096


def _key(name: str) -> int:
    """Return a number for a name, the same on every machine and under every hash seed."""
    return zlib.crc32(name.encode())


class _Uniforms:
    """The uniforms of one stream in [0, 1), drawn as far as somebody looked."""

    __slots__ = ("_batch", "_generator", "drawn")

    def __init__(self, sequence: np.random.SeedSequence) -> None:
        self._generator = np.random.Generator(np.random.PCG64(sequence))
        self._batch = _BATCH_FIRST
        self.drawn: list[float] = []

    def draw(self, size: int) -> list[float]:
        values: list[float] = self._generator.random(size).tolist()
        return values

    def reach(self, index: int) -> None:
        drawn = self.drawn
        while index >= len(drawn):
            drawn.extend(self.draw(self._batch))
            self._batch = min(2 * self._batch, _BATCH_MAX)


class _Exponentials(_Uniforms):
    """The exponentials of mean 1 of one stream."""

    __slots__ = ()

    def draw(self, size: int) -> list[float]:
        values: list[float] = self._generator.standard_exponential(size).tolist()
        return values


class _Normals(_Uniforms):
    """The standard normals of one stream."""

    __slots__ = ()

    def draw(self, size: int) -> list[float]:
        values: list[float] = self._generator.standard_normal(size).tolist()
        return values


class Streams:
    """Hold all streams of one replication of one seed."""

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = seed
        self.replication = replication
        self._uniforms: dict[tuple[str, str, int], _Uniforms] = {}
        self._exponentials: dict[tuple[str, str, int], _Exponentials] = {}
        self._normals: dict[tuple[str, str, int], _Normals] = {}

    def _sequence(
        self, law: int, category: str, purpose: str, attempt: int
    ) -> np.random.SeedSequence:
        spawn_key = (self.replication, law, _key(category), _key(purpose), attempt)
        return np.random.SeedSequence(entropy=self.seed, spawn_key=spawn_key)

    def uniform(self, category: str, purpose: str, number: int, attempt: int = 0) -> float:
        """Return the number in [0, 1) that belongs to this contact, purpose and attempt."""
        key = (category, purpose, attempt)
        stream = self._uniforms.get(key)
        if stream is None:
            stream = self._uniforms[key] = _Uniforms(self._sequence(0, *key))
        if number >= len(stream.drawn):
            stream.reach(number)
        return stream.drawn[number]

    def exponential(self, category: str, purpose: str, number: int, attempt: int = 0) -> float:
        """Return an exponential number of mean 1."""
        key = (category, purpose, attempt)
        stream = self._exponentials.get(key)
        if stream is None:
            stream = self._exponentials[key] = _Exponentials(self._sequence(1, *key))
        if number >= len(stream.drawn):
            stream.reach(number)
        return stream.drawn[number]

    def normal(self, category: str, purpose: str, number: int, attempt: int = 0) -> float:
        """Return a standard normal number."""
        key = (category, purpose, attempt)
        stream = self._normals.get(key)
        if stream is None:
            stream = self._normals[key] = _Normals(self._sequence(2, *key))
        if number >= len(stream.drawn):
            stream.reach(number)
        return stream.drawn[number]

    def uniforms(self, category: str, purpose: str, size: int) -> NDArray[np.float64]:
        """Return the numbers that `uniform` gives to contacts 0 to `size` - 1, all at once."""
        sequence = self._sequence(0, category, purpose, 0)
        return np.random.Generator(np.random.PCG64(sequence)).random(size)

    def exponentials(self, category: str, purpose: str, size: int) -> NDArray[np.float64]:
        """Return the numbers that `exponential` gives to contacts 0 to `size` - 1, all at once."""
        sequence = self._sequence(1, category, purpose, 0)
        return np.random.Generator(np.random.PCG64(sequence)).standard_exponential(size)

    def duration_ms(
        self, law: Law, category: str, purpose: str, number: int, attempt: int = 0
    ) -> int:
        """Return a duration of the law in whole milliseconds, at least 1.

        Lognormal: sigma^2 = ln(1 + cv^2), mu = ln(mean) - sigma^2 / 2. Weibull with shape
        1 / cv: scale * E^cv with E exponential, scale = mean / Gamma(1 + cv); its coefficient of
        variation is `cv` at 1 and close to it nearby.
        """
        if law.kind is LawKind.CONSTANT:
            return max(1, law.mean_ms)
        if law.kind is LawKind.LOGNORMAL:
            variance = math.log1p(law.cv * law.cv)
            normal = self.normal(category, purpose, number, attempt)
            value = law.mean_ms * math.exp(math.sqrt(variance) * normal - variance / 2)
        else:
            value = self.exponential(category, purpose, number, attempt)
            if law.kind is LawKind.WEIBULL:
                value = value**law.cv / math.gamma(1 + law.cv)
            value *= law.mean_ms
        return max(1, round(value))

    def lots(self, purpose: str) -> Lots:
        """Open a stream of lots for one purpose, to be drawn one after the other."""
        return Lots(self, purpose)


class Lots:
    """Draw lots in sequence from one stream: for options and faults, where nothing is paired."""

    def __init__(self, streams: Streams, purpose: str) -> None:
        self._streams = streams
        self._purpose = purpose
        self._count = 0

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        number, self._count = self._count, self._count + 1
        return self._streams.uniform("", self._purpose, number)

    def chance(self, share: float) -> bool:
        """Return True in this share of the cases."""
        return self.uniform() < share

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, of: Sequence[T]) -> T:
        """Return one element; `of` is not empty."""
        return of[int(self.uniform() * len(of))]

    def some(self, of: Sequence[T], low: int, high: int) -> list[T]:
        """Return from low to high different elements, in their old order."""
        size = min(self.between(low, high), len(of))
        left = list(range(len(of)))
        while len(left) > size:
            del left[int(self.uniform() * len(left))]
        return [of[index] for index in left]

    def gap_ms(self, mean_ms: int) -> int:
        """Return an exponential duration in whole milliseconds, at least 1."""
        return max(1, round(-math.log1p(-self.uniform()) * mean_ms))
