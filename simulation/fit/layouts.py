"""Say how planning files of several makers are laid out: a row in a table each.

A layout translates a maker's columns into ours (`simulation.fit.kinds`). Names are compared
without case, blanks and signs, so that `Interval Start (UTC)` is `intervalstartutc`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_not_a_letter = re.compile(r"[^a-z0-9#]+")


class Format(StrEnum):
    """What `switchroom import --format` knows."""

    OURS = "ours"
    GENESYS = "genesys"
    CONNECT = "connect"
    IEX = "iex"
    ELEVEO = "eleveo"


class RepeatedHour(StrEnum):
    """Say which pass of an hour that the clock repeats is meant where a file does not mark it."""

    ASK = "ask"
    IN_ORDER = "in-order"
    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Describe one maker's files.

    `columns` maps our name to theirs (any of them). `minutes` is the length of an interval where
    no column says it. `utc` says that times without an offset are UTC; else they are local.
    `filled` says that closed hours are written as rows of zeros. `apart` are columns by which one
    interval of a queue is split into several rows.
    """

    columns: dict[str, tuple[str, ...]]
    minutes: int = 0
    utc: bool = False
    filled: bool = False
    apart: tuple[str, ...] = ()
    channels: dict[str, str] = field(default_factory=dict)


# How makers call our channels; ours pass as they are.
_CHANNELS: Final = {
    "voice": "phone",
    "call": "phone",
    "telephony": "phone",
    "message": "social",
    "messaging": "social",
    "mail": "email",
    "e-mail": "email",
}

LAYOUTS: Final[dict[Format, Layout]] = {
    # Ours, and what the same things are often called; `import` tells what it took for what.
    Format.OURS: Layout(
        columns={
            "interval_start": ("Interval start", "Start of interval"),
            "date": ("Date", "Day"),
            "period": ("Period", "Time", "Time of day", "Interval", "Start time"),
            "queue": ("Queue", "Queue name", "Skill group"),
            "channel": ("Channel", "Media type"),
            "offered": ("Offered", "Calls offered", "Contacts offered"),
            "handled": ("Handled", "Answered", "Calls handled", "Contacts handled"),
            "abandoned": ("Abandoned", "Abandons", "Calls abandoned", "Contacts abandoned"),
            "aht_seconds": ("AHT", "AHT (s)", "Average handle time", "Average handling time"),
        }
    ),
    Format.GENESYS: Layout(
        columns={
            "interval_start": ("Interval Start UTC Date",),
            "queue": ("Queue",),
            "channel": ("Media Type",),
            "offered": ("Offered",),
            "handled": ("Interactions Handled",),
            "handle_seconds": ("Total Handle Time (Seconds)", "Total Handle Time"),
        },
        minutes=15,
        utc=True,
        apart=("Skill Set", "Language"),
    ),
    Format.CONNECT: Layout(
        columns={
            "interval_start": ("TimeStamp", "Interval Start", "StartInterval"),
            "queue": ("QueueName",),
            "channel": ("ChannelType", "Channel"),
            "offered": ("IncomingContactVolume", "ContactVolume", "Volume", "Contacts queued"),
            "handled": ("ContactsHandled", "HandledContacts", "Contacts handled"),
            "abandoned": ("ContactsAbandoned", "Contacts abandoned"),
            "aht_seconds": ("AverageHandleTime", "AHT", "Average handle time"),
            "interval_minutes": ("IntervalMinutes",),
        },
        minutes=15,
        utc=True,
    ),
    Format.IEX: Layout(
        columns={
            "date": ("date",),
            "period": ("period",),
            "timezone": ("TZ",),
            "queue": ("queue", "queueName", "ctName", "ctID", "queueID"),
            "offered": ("contactsReceived", "actContactsReceived", "contactsOffered"),
            "handled": ("contactsHandled", "actContactsHandled"),
            "abandoned": ("abandons", "actAbandons", "contactsAbandoned"),
            "aht_seconds": ("aht", "actAHT"),
            "service_level": ("slPct", "actSLPct", "serviceLevel"),
        },
        minutes=15,
    ),
    Format.ELEVEO: Layout(
        columns={
            "interval_start": ("Interval start", "Start", "Date", "DateTime", "Timestamp"),
            "queue": ("Queue name", "Queue", "ACD queue name"),
            "offered": ("Offered", "Contacts", "Calls", "Number of contacts", "Volume"),
            "aht_seconds": ("AHT", "Average handling time"),
        },
        minutes=15,
        utc=True,
        filled=True,
    ),
}


def bare(name: str) -> str:
    """Return a column's name as it is compared."""
    return _not_a_letter.sub("", name.lower())


def channel_of(text: str) -> str:
    """Return our name of a channel."""
    lowered = text.strip().lower()
    return _CHANNELS.get(lowered, lowered)
