"""Plant mistakes in what a configuration says of callbacks, surveys, follow-ups and complaints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planted import errors_of, loaded, plant

END = "limits:\n  open_contacts: 500\n"
FAULT = "    needs: {tech: 5}\n"

ERRORS = (
    ("calls_calendar", END, END + "callbacks: {calendar: ^^dya}\n",
     'callbacks.calendar: no calendar "dya"'),
    ("calls_spacing", END, END + "callbacks: {spacing: ^^0}\n",
     "callbacks.spacing: 0s is out of range; must be at least 1ms"),
    ("calls_attempts", END, END + "callbacks: {attempts_max: ^^-1}\n",
     "callbacks.attempts_max: -1 is out of range; must be at least 0"),
    ("calls_longer_than_life", END, END + "callbacks: {attempts_max: ^^9, spacing: 100h}\n",
     "callbacks.attempts_max: 9 calls 100h apart take longer than a contact lives (720h); "
     "call less often or sooner"),
    ("redial_window", END, END + "returns: {redial_window: ^^2h}\n",
     "returns.redial_window: 2h is longer than closed contacts are remembered (1h); "
     "raise limits.duplicate_window or shorten this"),
    ("survey_score", END, END + "surveys: {unhappy_score: ^^5}\n",
     "surveys.unhappy_score: 5 is out of range; must be at most 4"),
    ("survey_two_shares", FAULT, FAULT + "    survey_every: 2\n    survey_percent: ^^10\n",
     "categories.fault.survey_percent: survey_every says the share already; keep one of them"),
    ("survey_share", FAULT, FAULT + "    survey_percent: ^^101\n",
     "categories.fault.survey_percent: 101 is out of range; must be at most 100"),
    ("follow_up_category", FAULT,
     FAULT + "    survey_percent: 9\n    follow_up: {category: ^^invoise}\n",
     'categories.fault.follow_up.category: no category "invoise"; did you mean "invoice"?'),
    ("follow_up_channel", FAULT,
     FAULT + "    survey_percent: 9\n    follow_up: {category: invoice, channel: ^^fax}\n",
     'categories.fault.follow_up.channel: no channel "fax"'),
    ("follow_up_for_ever", FAULT,
     FAULT + "    survey_percent: 9\n    follow_up: {category: ^^fault}\n",
     "categories.fault.follow_up.category: a follow-up of this category would be surveyed and "
     "followed up for ever; give follow-ups a category of their own"),
    ("complaint_category", END, END + "complaints: {category: ^^complain}\n",
     'complaints.category: no category "complain"'),
    ("complaint_channel", END, END + "complaints: {category: fault, channel: ^^emial}\n",
     'complaints.channel: no channel "emial"; did you mean "email"?'),
    ("complaint_of_none", END, END + "complaints: {always: ^^true}\n",
     "complaints.always: a complaint needs a category to open; add category"),
    ("overload_nowhere", FAULT, FAULT + "    overload: ^^overflow\n",
     'categories.fault.overload: queue "back" overflows nowhere; add overflow_to to it'),
    ("overload_after_full", "length_max: 50", "length_max: 50\n    overload_length: ^^50",
     "queues.front.overload_length: the queue is full at 50 before this; lower it, or raise "
     "length_max"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_a_mistake_is_found_where_it_stands(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    path, place = plant(tmp_path, (old, new))
    assert errors_of(tmp_path) == [f"{path}:{place}: {message}"]


WARNINGS = (
    ("answers_of_nobody", END, END + "surveys: {cool_down: 24h}\n",
     "surveys.cool_down: no category asks for surveys; add survey_percent to one, or remove this"),
    ("answers_cut_short", FAULT + "teams", FAULT + "    survey_percent: 5\nteams",
     ""),
    ("follow_up_unasked", FAULT, FAULT + "    follow_up: {category: invoice}\n",
     "never happens without answers; add survey_percent"),
    ("nobody_shed", "length_max: 50", "length_max: 50\n    overload_length: 9",
     "no category of this queue is shed; say overload: in one"),
    ("same_agent_not_waited_for", FAULT,
     FAULT + "    survey_percent: 9\n    follow_up: {category: invoice, same_agent: true}\n",
     'category "invoice" waits for no preferred agent; give it preferred_wait'),
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS]
)
def test_a_doubtful_setting_is_warned_of(old: str, new: str, message: str, tmp_path: Path) -> None:
    problems = [str(problem) for problem in loaded(tmp_path, (old, new)).problems]
    if not message:
        assert problems == []
    else:
        assert len(problems) == 1
        assert message in problems[0]
