"""Write families of metrics as text: the Prometheus format 0.0.4 and OpenMetrics 1.0.0.

A family's lines differ from one reading to the next in their numbers only. So the text of each
line up to the number is made once, and a reading appends the numbers; a worker with hundreds of
queues is read in milliseconds, beside a router that shares its processor. The bytes are those
of the reference client (`prometheus_client`), labels sorted by name; the tests compare them.

Sources: prometheus.io/docs/instrumenting/exposition_formats (version 0.0.4);
the OpenMetrics specification, version 1.0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final, TypeAlias

from msgspec import Struct

TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EXEMPLAR_CHARACTERS_MAX: Final = 128
"""OpenMetrics bounds the labels of an exemplar, names and values together."""

_UNITS: Final = ("seconds", "ratio")
_EXPONENT_FROM: Final = 1_000_000

Number: TypeAlias = int | float


class Kind(Enum):
    """Say how a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """Name one metric: without the suffix `_total` that its lines have if it is a counter."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    told: str

    @property
    def unit(self) -> str:
        """Return the unit that the name ends in, "" for plain counts."""
        return next((unit for unit in _UNITS if self.name.endswith(f"_{unit}")), "")

    @property
    def line_name(self) -> str:
        """Return the name as a query writes it; a histogram's lines have further suffixes."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name

    def head(self, *, openmetrics: bool) -> str:
        """Return the lines that come before the family's own."""
        name = self.name if openmetrics else self.line_name
        told = self.told.replace("\\", r"\\").replace("\n", r"\n")
        if openmetrics:
            told = told.replace('"', r"\"")
        head = f"# HELP {name} {told}\n# TYPE {name} {self.kind.value}\n"
        return f"{head}# UNIT {name} {self.unit}\n" if openmetrics and self.unit else head


class Exemplar(Struct, frozen=True, gc=False):
    """Name one contact that a bucket counted: its id and its duration."""

    contact_id: str
    value_ms: int


class Family:
    """Hold the lines of one metric: their text, and how to read their numbers.

    `read` returns a number for each line, in the order of `prefixes`. A histogram has for each
    label set a line per bucket, cumulated, then the count, then the sum; `read_exemplars` tells
    the exemplars by the number of the line.
    """

    __slots__ = ("metric", "prefixes", "read", "read_exemplars")

    def __init__(
        self,
        metric: Metric,
        rows: Iterable[Sequence[str]],
        read: Callable[[], Sequence[Number]],
        edges: Sequence[Number] = (),
        read_exemplars: Callable[[], dict[int, Exemplar]] | None = None,
    ) -> None:
        self.metric = metric
        self.read = read
        self.read_exemplars = read_exemplars
        self.prefixes: list[str] = []
        for row in rows:
            pairs = tuple(zip(metric.labels, row, strict=True))
            if metric.kind is not Kind.HISTOGRAM:
                self.prefixes.append(_prefix(metric.line_name, pairs))
                continue
            for edge in (*edges, inf):
                self.prefixes.append(
                    _prefix(f"{metric.name}_bucket", (*pairs, ("le", write_number(edge))))
                )
            self.prefixes.append(_prefix(f"{metric.name}_count", pairs))
            self.prefixes.append(_prefix(f"{metric.name}_sum", pairs))


def _prefix(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    told = ",".join(f'{label}="{_escape(value)}"' for label, value in sorted(pairs))
    return f"{name}{{{told}}} " if told else f"{name} "


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def write_number(value: Number) -> str:
    """Write a number as Go does, which switches to exponents sooner than Python."""
    if value == inf:
        return "+Inf"
    text = repr(float(value))
    dot = text.find(".")
    if value >= _EXPONENT_FROM and dot > 0 and "e" not in text:
        mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
        return f"{mantissa}e+{dot - 1:02d}"
    return text


def write_lines(prefixes: Iterable[str], numbers: Iterable[Number]) -> list[str]:
    """Append each number to its line's text."""
    # Nearly all numbers are small counts, whose text is at hand.
    return [
        f"{prefix}{number}.0\n"
        if number.__class__ is int and number < _EXPONENT_FROM
        else f"{prefix}{write_number(number)}\n"
        for prefix, number in zip(prefixes, numbers, strict=True)
    ]


def write_exemplar(exemplar: Exemplar) -> str:
    """Write what stands behind a bucket's number, "" if the id is longer than is allowed."""
    contact_id = _escape(exemplar.contact_id)
    if len("contact_id") + len(exemplar.contact_id) > EXEMPLAR_CHARACTERS_MAX:
        return ""
    return f' # {{contact_id="{contact_id}"}} {write_number(exemplar.value_ms / 1000)}'


def render(families: Iterable[Family], *, openmetrics: bool, exemplars: bool = False) -> bytes:
    """Write one reading of all families; `exemplars` go into OpenMetrics only."""
    parts: list[str] = []
    for family in families:
        parts.append(family.metric.head(openmetrics=openmetrics))
        lines = write_lines(family.prefixes, family.read())
        if openmetrics and exemplars and family.read_exemplars is not None:
            for number, exemplar in family.read_exemplars().items():
                lines[number] = f"{lines[number][:-1]}{write_exemplar(exemplar)}\n"
        parts += lines
    if openmetrics:
        parts.append("# EOF\n")
    return "".join(parts).encode()


def wants_openmetrics(accept: str) -> bool:
    """Tell whether an Accept header asks for OpenMetrics 1.x before, or instead of, text."""
    best: dict[bool, float] = {True: 0.0, False: 0.0}
    for choice in accept.split(","):
        kind, *settings = (part.strip() for part in choice.split(";"))
        told = dict(pair.split("=", 1) for pair in settings if "=" in pair)
        openmetrics = kind == "application/openmetrics-text"
        if openmetrics and not told.get("version", "1").startswith(("0.0.1", "1")):
            continue
        if openmetrics or kind in {"text/plain", "text/*", "*/*"}:
            try:
                weight = float(told.get("q", "1"))
            except ValueError:
                weight = 0.0
            best[openmetrics] = max(best[openmetrics], weight)
    return best[True] > 0 and best[True] >= best[False]
