"""Plant mistakes in promises and opening hours; each is found at its place, with what to do.

The other lists of planted mistakes are beside what they are about; here they are counted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.loader import load_center
from tests import test_calendar_config, test_checks
from tests.planted import errors_of
from tests.test_calendar_config import CALENDAR, write

BACK = "    wait_max: 20m\n    when_late: deflect\n"
CLOSES = f"{BACK}    calendar: office\n    when_closed: wait\n"
CHAIN = "    escalation: [lead, manager]\n"

MISTAKES = [
    ("when_closed_word", BACK, f"{BACK}    calendar: office\n    when_closed: ^^sleep\n",
     'queues.back.when_closed: no such word: "sleep"; did you mean "serve"?'),
    ("at_closing_word", BACK, f"{CLOSES}    at_closing: ^^kepe\n",
     'queues.back.at_closing: no such word: "kepe"; did you mean "keep"?'),
    ("wait_clock_word", BACK, f"{CLOSES}    wait_clock: ^^open\n",
     'queues.back.wait_clock: no such word: "open"; one of plain, open_hours'),
    ("closes_without_calendar", BACK, f"{BACK}    when_closed: ^^wait\n",
     "queues.back.when_closed: a queue that is always open never closes; name its calendar, "
     "or remove it"),
    ("closing_without_calendar", BACK, f"{BACK}    at_closing: ^^expire\n",
     "queues.back.at_closing: a queue that is always open never closes; name its calendar, "
     "or remove it"),
    ("clock_without_calendar", BACK, f"{BACK}    wait_clock: ^^open_hours\n",
     "queues.back.wait_clock: a queue that is always open never closes; name its calendar, "
     "or remove it"),
    ("closing_though_served", BACK, f"{BACK}    calendar: office\n    at_closing: ^^expire\n",
     "queues.back.at_closing: the queue serves while it is closed; say when_closed: wait, "
     "or remove it"),
    ("closed_overflow_nowhere", BACK,
     f"{BACK}    calendar: office\n    when_closed: ^^overflow\n",
     "queues.back.when_closed: overflow needs a queue to go to; add overflow_to"),
    ("closing_overflow_nowhere", BACK, f"{CLOSES}    at_closing: ^^overflow\n",
     "queues.back.at_closing: overflow needs a queue to go to; add overflow_to"),
    ("closed_ring", BACK,
     f"{BACK}    calendar: office\n    when_closed: overflow\n    overflow_to: front\n",
     "queues.front.overflow_to: contacts would overflow in a ring: front -> back -> front; "
     "break it at one of them"),
    ("both_closed", "    overflow_to: back\n",
     "    overflow_to: ^^back\n    calendar: office\n    when_closed: overflow\n",
     'queues.front.overflow_to: queue "back" closes by the same calendar; overflow to one that '
     "is open then"),
    ("closes_by_no_calendar", BACK, f"{BACK}    calendar: ^^offcie\n    when_closed: wait\n",
     'queues.back.calendar: no calendar "offcie"; did you mean "office"?'),
    ("chain_of_nobody", f"    on_breach: {{escalate: true}}\n{CHAIN}",
     "    escalate_every: ^^15m\n",
     "promises.answer.escalate_every: nobody to call; name the chain in escalation, or remove it"),
    ("chain_too_slow", CHAIN, f"{CHAIN}    escalate_every: ^^-5m\n",
     "promises.answer.escalate_every: -5m is out of range; must be at least 0s"),
    ("chain_in_days", CHAIN, f"{CHAIN}    escalate_every: ^^1d\n",
     'promises.answer.escalate_every: "1d": a day may be 24 hours or a working day; '
     "write 24h for plain time"),
    ("priority_none", CHAIN, f"{CHAIN}    priorities: [^^10]\n",
     "promises.answer.priorities[0]: 10 is no priority; they go from 0 to 9"),
    ("priority_twice", CHAIN, f"{CHAIN}    priorities: [7, ^^7]\n",
     "promises.answer.priorities[1]: 7 stands here twice; remove one"),
    ("priority_word", CHAIN, f"{CHAIN}    priorities: [^^urgent]\n",
     'promises.answer.priorities[0]: needs a whole number, found the text "urgent"'),
    ("reopen_word", CHAIN, f"{CHAIN}    reopen: ^^new_cylce\n",
     'promises.answer.reopen: no such word: "new_cylce"; did you mean "new_cycle"?'),
    ("kind_word", "  answer:\n    kind: answer\n", "  answer:\n    kind: ^^complaint_anwser\n",
     'promises.answer.kind: no such word: "complaint_anwser"; did you mean "complaint_answer"?'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_found_at_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    changes = [(old, new)]
    if '"back" closes' in said:
        changes.append((BACK, CLOSES))
    place = write(tmp_path, CALENDAR, *changes)
    found = errors_of(tmp_path)
    assert len(found) == 1, found
    if "^^" in new:
        assert found[0].startswith(f"{place}: {said}"), found
    else:
        assert found[0].endswith(said), found


def test_a_chain_with_one_link_is_warned_of(tmp_path: Path) -> None:
    place = write(
        tmp_path, CALENDAR, (CHAIN, "    escalation: [lead]\n    escalate_every: ^^15m\n")
    )
    assert [str(found) for found in load_center(tmp_path).problems] == [
        f"{place}: warning: promises.answer.escalate_every: never happens: the chain has one link; "
        "name who is called next, or remove it"
    ]


def test_the_new_settings_are_read_as_they_are_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        CALENDAR,
        (BACK, f"{CLOSES}    at_closing: serve\n    wait_clock: open_hours\n"),
        (CHAIN, f"{CHAIN}    escalate_every: 15m\n    priorities: [7, 8]\n"),
    )
    center = load_center(tmp_path).center
    assert center.queues["back"].when_closed.value == "wait"
    assert center.promises["answer"].escalate_every_ms == 900_000
    assert center.promises["answer"].priorities == (7, 8)


def test_there_are_many_planted_mistakes() -> None:
    names = [
        *(row[0] for row in MISTAKES),
        *(row[0] for row in test_checks.MISTAKES),
        *(row[0] for row in test_checks.WARNINGS),
        *(row[0] for row in test_calendar_config.MISTAKES),
    ]
    assert len(names) >= 130
