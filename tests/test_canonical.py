"""The form of a configuration in a journal: later settings at their default leave no trace."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import msgspec
import pytest

from router.canonical import encode_center, journal_form
from router.center import LATER, Center, Queue
from router.events import CenterChanged, ContactEnded, Stamped
from tests.builders import desk


@dataclass(frozen=True, kw_only=True)
class LaterQueue(Queue):
    """A queue with two settings that came later."""

    mood: str = field(default="calm", metadata={LATER: "0.2"})
    moods: dict[str, int] = field(default_factory=dict, metadata={LATER: "0.2"})


def with_queue(center: Center, **settings: object) -> Center:
    name, queue = next(iter(center.queues.items()))
    values = {item.name: getattr(queue, item.name) for item in fields(queue)}
    later = LaterQueue(**(values | settings))
    return replace(center, queues={**center.queues, name: later})


def test_a_later_setting_at_its_default_leaves_no_trace() -> None:
    center = desk()
    assert encode_center(with_queue(center)) == encode_center(center)


@pytest.mark.parametrize("settings", [{"mood": "grim"}, {"moods": {"calm": 1}}])
def test_a_later_setting_that_is_used_is_kept(settings: dict[str, object]) -> None:
    center = desk()
    written = encode_center(with_queue(center, **settings))
    assert written != encode_center(center)
    assert msgspec.json.encode(next(iter(settings.values()))) in written


def test_settings_of_the_first_version_are_always_written() -> None:
    center = desk()
    assert {"ring_size", "length_max"} <= set(
        next(iter(msgspec.json.decode(encode_center(center))["queues"].values()))
    )


def test_the_journal_reads_back_what_was_written() -> None:
    center = desk()
    event = CenterChanged(center, move_to={"a": "b"}, rebase=True)
    stamped = Stamped(1, 2, event, "id", 3)
    written = msgspec.json.encode(journal_form(stamped))
    assert msgspec.json.decode(written, type=Stamped) == stamped
    later = {item.name for item in fields(Queue) if LATER in item.metadata}
    assert later, "some settings came later"
    queues = msgspec.json.decode(written)["event"]["center"]["queues"]
    assert not later & set(next(iter(queues.values())))
    other = Stamped(2, 2, ContactEnded("c"))
    assert journal_form(other) is other
