"""Scorecards: the same numbers as naive books, days in their zone, targets, the command."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.findings import ConfigError
from configs.loader import load_center
from configs.scorecard_files import read_prices, read_shifts, read_targets
from router.center import Calendar, Center, OpeningTable, Team
from router.decisions import (
    AssignContact,
    CloseContact,
    Decision,
    DeflectContact,
    EndAssignment,
    EnqueueContact,
    Exit,
    LinkContact,
    OpenContact,
    OverflowContact,
    Reason,
)
from router.events import (
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    CallbackFailed,
    CenterChanged,
    ContactArrived,
    ContactEnded,
    ContactResolved,
    Event,
    NoteAdded,
    OfferAccepted,
    OfferConnected,
    Stamped,
    SurveyAnswered,
)
from router.journal import Entry, JournalWriter
from router.measures import Measures
from router.measures_cards import Days
from router.measures_scores import By, Period, Prices, Score, scores
from router.measures_shifts import Shift, ShiftPlan
from router.measures_targets import Target, targets_for
from router.measures_views import queue_rows
from router.measures_waits import Staff
from simulation.day import judge_seed, simulate_day
from simulation.options import for_center
from switchroom import build
from tests.naive_measures import Numbers, measure
from tests.test_measures import center

ROOT = Path(__file__).parent.parent
LATE_EVENING_MS = 1_767_625_200_000  # 2026-01-05 23:00 in Shanghai

# What a score shows as it is, by the name of the naive books.
PLAIN = (
    "arrivals", "answered", "short_abandoned", "abandoned", "deflected", "overflowed", "expired",
    "offers", "offers_declined", "offers_expired", "offers_withdrawn", "assignments", "handled",
    "resolved", "transferred", "reopened", "first_contacts", "repeated", "surveys",
    "survey_answers", "self_served", "follow_ups", "complaints", "sla_met", "sla_breached",
    "notes", "callbacks_failed", "redialled", "blocked_before", "deflection_failed",
)  # fmt: skip
RATIOS = {
    "average_speed_of_answer_ms": ("answered_wait_ms", "answered"),
    "average_accept_ms": ("accept_ms", "assignments"),
    "average_gross_wait_ms": ("gross_wait_ms", "assignments"),
    "average_net_wait_ms": ("net_wait_ms", "assignments"),
    "average_first_reply_ms": ("first_reply_ms", "first_replies"),
    "average_talk_ms": ("talk_ms", "handled"),
    "average_hold_ms": ("hold_ms", "handled"),
    "average_wrap_up_ms": ("wrap_up_ms", "handled"),
    "offers_per_assignment": ("offers", "assignments"),
    "satisfaction": ("top_answers", "survey_answers"),
    "satisfaction_mean": ("score_sum", "survey_answers"),
    "occupancy": ("busy_ms", "signed_in_ms"),
}


def played(seed: int) -> tuple[list[Entry], Measures]:
    journal: list[Entry] = []
    judge_seed(seed, listeners=(journal.append,))
    measures = Measures()
    for entry in journal:
        measures.fold(entry.stamped, entry.decisions)
    return journal, measures


def shown(score: Score) -> dict[str, object]:
    return {name: getattr(score, name) for name in (*PLAIN, *RATIOS)}


def naive(numbers: Numbers) -> dict[str, object]:
    found: dict[str, object] = {name: numbers[name] for name in PLAIN}
    for name, (part, whole) in RATIOS.items():
        found[name] = numbers[part] / numbers[whole] if numbers[whole] else None
    return found


@pytest.mark.parametrize("seed", range(1, 9))
def test_scores_are_what_naive_books_say(seed: int) -> None:
    journal, measures = played(seed)
    books = measure(journal)
    for by, told in ((By.QUEUE, books.queues), (By.AGENT, books.agents)):
        found = {score.subject: shown(score) for score in scores(measures, by, Period.ALL)}
        expected = {name: naive(numbers) for name, numbers in told.items()}
        for name in sorted({*found, *expected}):
            nothing = naive(Counter())
            assert found.get(name, nothing) == expected.get(name, nothing), name


# --- days, zones, plans -----------------------------------------------------------------


def shanghai(version: int = 1, teams: dict[str, Team] | None = None) -> Center:
    hours: dict[str, tuple[str, ...]] = {"daily": ("00:00-24:00",)}
    office = Calendar(zone="Asia/Shanghai", hours=hours, years=(2026,), table=OpeningTable())
    plain = center()
    return replace(plain, version=version, teams=teams or plain.teams, calendars={"office": office})


class Story:
    """Write a journal by hand, in seconds of a Shanghai night: 0 is 2026-01-05 23:00 there."""

    def __init__(self, measures: Measures | None = None) -> None:
        self.measures = Measures() if measures is None else measures
        self.seq = 0
        self(0, CenterChanged(center=shanghai()))

    def __call__(self, after_s: int, event: Event, *decisions: Decision) -> None:
        self.seq += 1
        at_ms = LATE_EVENING_MS + 1000 * after_s
        self.measures.fold(Stamped(self.seq, at_ms, event), decisions)

    def serve(self, after_s: int, contact_id: str, *, agent: str = "a-1", wait_s: int = 10) -> None:
        """Let a customer come, wait, be served for a minute and go."""
        customer = contact_id.partition(":")[0]
        self(
            after_s,
            ContactArrived(contact_id, "phone", "bill", customer=customer),
            EnqueueContact(contact_id, "billing", Reason.ARRIVED),
        )
        self(
            after_s + wait_s,
            OfferAccepted(1, contact_id, agent),
            AssignContact(1, contact_id, agent, Reason.ACCEPTED),
        )
        self(
            after_s + wait_s + 60,
            ContactResolved(contact_id),
            EndAssignment(contact_id, agent, Reason.RESOLVED),
            CloseContact(contact_id, Exit.HANDLED, Reason.RESOLVED),
        )

    def scores(
        self, by: By, period: Period = Period.DAY, prices: Prices | None = None
    ) -> dict[tuple[str, str], Score]:
        found = scores(self.measures, by, period, prices)
        return {(score.period, score.subject): score for score in found}


def test_a_day_ends_at_midnight_where_the_centre_is() -> None:
    story = Story()
    story(0, AgentSignedIn("a-1"))
    story.serve(3_500, "k1:1")
    story.serve(3_700, "k2:1")
    story(5_400, AgentSignedOut("a-1"))
    teams = story.scores(By.TEAM)
    first, second = teams["2026-01-05", "care"], teams["2026-01-06", "care"]
    # A contact stands under the day on which it came, time under the day on which it passed.
    assert (first.answered, second.answered) == (1, 1)
    assert (first.signed_in_ms, second.signed_in_ms) == (3_600_000, 1_800_000)
    assert first.occupancy == 60 / 3_600
    assert list(story.scores(By.QUEUE)) == [("2026-01-05", "billing"), ("2026-01-06", "billing")]
    month = story.scores(By.TEAM, Period.MONTH)["2026-01", "care"]
    assert (month.answered, month.signed_in_ms) == (2, 5_400_000)


def test_a_day_that_loses_an_hour_is_an_hour_shorter() -> None:
    days = Days("Europe/Berlin")
    day = days.at(int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()) * 1000)
    assert (day.name, day.to_ms - day.from_ms) == ("2026-03-29", 23 * 3_600_000)


def test_a_part_of_a_day_has_a_card_of_its_own() -> None:
    story = Story(Measures(days=Days(slot_ms=1_800_000)))
    story(0, AgentSignedIn("a-1"))
    story.serve(100, "k1:1")
    story.serve(1_790, "k2:1")
    story(2_700, AgentSignedOut("a-1"))
    parts = story.scores(By.TEAM, Period.INTERVAL)
    first, second = parts["2026-01-05 23:00", "care"], parts["2026-01-05 23:30", "care"]
    # The second came at 23:29:50 and was answered at 23:30:00.
    assert (first.answered, second.answered) == (2, 0)
    assert (first.signed_in_ms, second.signed_in_ms) == (1_800_000, 900_000)
    day = story.scores(By.TEAM)["2026-01-05", "care"]
    assert (day.answered, day.signed_in_ms) == (2, 2_700_000)


def test_old_days_go() -> None:
    days = Days("UTC", days_max=3)
    for number in range(10):
        days.at(86_400_000 * number)
    assert list(days.known) == ["1970-01-08", "1970-01-09", "1970-01-10"]


def test_who_comes_again_within_the_window_was_not_helped_at_first() -> None:
    story = Story()
    story.serve(0, "k1:1")
    story.serve(600, "k2:1")
    story.serve(1_200, "k1:2", agent="a-2")
    whole = story.scores(By.QUEUE)["2026-01-05", "billing"]
    assert (whole.first_contacts, whole.repeated) == (3, 1)
    assert whole.first_contact_resolution == 2 / 3
    agents = story.scores(By.AGENT)
    assert agents["2026-01-05", "a-1"].first_contact_resolution == 1 / 2
    assert agents["2026-01-05", "a-2"].first_contact_resolution == 1.0


def test_who_comes_again_later_is_a_new_matter() -> None:
    story = Story(Measures(repeat_window_ms=500_000))
    story.serve(0, "k1:1")
    story.serve(571, "k1:2")
    assert story.scores(By.QUEUE)["2026-01-05", "billing"].repeated == 0
    story.serve(1_141, "k1:3")
    assert story.scores(By.QUEUE)["2026-01-05", "billing"].repeated == 1
    assert len(story.measures.first_contacts) <= 2


def test_satisfaction_and_surveys_stand_with_the_agent_who_served() -> None:
    story = Story()
    for number, score in enumerate((5, 4, 3, 1)):
        story.serve(number * 100, f"k{number}:1")
        story(number * 100 + 80, SurveyAnswered(f"k{number}:1", score, resolved=score > 1))
    agent = story.scores(By.AGENT)["2026-01-05", "a-1"]
    assert (agent.satisfaction, agent.satisfaction_mean) == (0.5, 13 / 4)
    assert (agent.survey_answers, agent.said_unresolved) == (4, 1)


def test_deflection_calls_that_failed_returns_and_notes_are_counted() -> None:
    story = Story()
    bot = ContactArrived("k1:1", "phone", "bill", customer="k1", bot="b")
    story(0, bot)
    story(50, ContactEnded("k1:1"), CloseContact("k1:1", Exit.DEFLECTED, Reason.SELF_SERVED))
    story(
        60,
        ContactArrived("k2:1", "phone", "bill", customer="k2"),
        DeflectContact("k2:1", Reason.QUEUE_FULL),
        CloseContact("k2:1", Exit.DEFLECTED, Reason.QUEUE_FULL),
    )
    story.serve(100, "k3:1")
    whole = story.scores(By.QUEUE)["2026-01-05", "billing"]
    assert (whole.deflected, whole.self_served, whole.answered) == (2, 1, 1)
    assert (whole.deflection_share, whole.self_service_share) == (2 / 3, 1 / 3)
    for number, reason in enumerate(
        (Reason.DEFLECTION_FAILED, Reason.REDIALLED, Reason.BLOCKED_BEFORE, Reason.REDIALLED)
    ):
        again = f"k2:{number + 2}"
        story(
            200 + number,
            ContactArrived(again, "phone", "bill", customer="k2"),
            LinkContact(again, "k2:1", reason, 2),
            EnqueueContact(again, "billing", Reason.ARRIVED),
        )
    story(300, OfferAccepted(9, "k2:2", "a-2"), AssignContact(9, "k2:2", "a-2", Reason.ACCEPTED))
    story(310, NoteAdded("k2:2", "a-2", "looked_up"))
    story(320, CallbackFailed("k2:2"), EndAssignment("k2:2", "a-2", Reason.NO_ANSWER))
    whole = story.scores(By.QUEUE)["2026-01-05", "billing"]
    assert (whole.deflection_failed, whole.redialled, whole.blocked_before) == (1, 2, 1)
    agent = story.scores(By.AGENT)["2026-01-05", "a-2"]
    for score in (whole, agent):
        assert (score.notes, score.callbacks_failed) == (1, 1)


def test_adherence_compares_with_the_plan_and_utilisation_with_what_is_paid() -> None:
    def shift(from_s: int, to_s: int, *, works: bool = True, paid: bool = True) -> Shift:
        start_ms, end_ms = LATE_EVENING_MS + 1000 * from_s, LATE_EVENING_MS + 1000 * to_s
        return Shift("a-1", start_ms, end_ms, works, paid)

    plan = ShiftPlan([shift(0, 1_000), shift(1_000, 1_200, works=False), shift(1_200, 2_000)])
    story = Story(Measures(plan=plan))
    story(100, AgentSignedIn("a-1"))  # 100 s late
    story.serve(200, "k1:1")
    story(1_050, AgentPresenceChanged("a-1", "break"))  # 50 s late
    story(1_300, AgentPresenceChanged("a-1", "available"))  # 100 s late
    story(2_000, AgentSignedOut("a-1"))
    agent = story.scores(By.AGENT)["2026-01-05", "a-1"]
    assert agent.adherence == (2_000 - 100 - 50 - 100) / 2_000
    assert agent.utilisation == 60 / 2_000
    assert (agent.paid_ms, agent.signed_in_ms) == (2_000_000, 1_900_000)


def test_who_is_planned_and_never_comes_has_a_score_of_nothing() -> None:
    plan = ShiftPlan([Shift("a-2", LATE_EVENING_MS, LATE_EVENING_MS + 600_000)])
    story = Story(Measures(plan=plan))
    story.serve(700, "k1:1")
    agent = story.scores(By.AGENT)["2026-01-05", "a-2"]
    assert (agent.adherence, agent.paid_ms, agent.team) == (0.0, 600_000, "care")


def test_two_shifts_at_once_are_no_plan() -> None:
    with pytest.raises(ValueError, match="two shifts of a-1 overlap"):
        ShiftPlan([Shift("a-1", 0, 10), Shift("a-1", 9, 20)])


def test_cost_is_that_of_the_hours_and_the_contacts() -> None:
    prices = Prices(per_hour={"own": 36.0}, per_contact={"own": 0.5}, fixed_per_day=100.0)
    story = Story()
    teams = {"care": Team(cost_group="own"), "back": Team()}
    story(0, CenterChanged(center=shanghai(2, teams)))
    story(0, AgentSignedIn("a-1"))
    story.serve(100, "k1:1")
    story.serve(200, "k2:1")
    story(1_000, AgentSignedOut("a-1"))
    team = story.scores(By.TEAM, Period.ALL, prices)["all", "care"]
    assert team.cost == pytest.approx(36.0 * 1_000 / 3_600 + 2 * 0.5)
    assert team.cost_per_contact == pytest.approx(5.5)
    whole = story.scores(By.CENTER, Period.ALL, prices)["all", "test"]
    assert whole.cost == pytest.approx(111.0)
    assert whole.cost_per_resolved_contact == pytest.approx(55.5)
    assert story.scores(By.QUEUE, Period.ALL, prices)["all", "billing"].cost is None


# --- predicted waits ---------------------------------------------------------------------


def test_a_wait_is_predicted_from_those_who_came_in_a_like_state() -> None:
    story = Story()
    story(0, AgentSignedIn("a-1"))
    for number, wait_s in enumerate((10, 20, 30)):
        story.serve(500 * number, f"k{number}:1", wait_s=wait_s)
    assert story.measures.waits.now("billing") == 20_000
    story.serve(2_000, "k4:1", wait_s=50)
    score = story.scores(By.QUEUE)["2026-01-05", "billing"]
    # The first three had nothing to go by; the fourth was told 20 s and waited 50.
    assert (score.predictions, score.mean_prediction_error_ms) == (1, -30_000)
    assert (score.mean_absolute_prediction_error_ms, score.predicted_within_30_s) == (30_000, 1.0)
    row = next(row for row in queue_rows(story.measures) if row.queue == "billing")
    assert row.predicted_wait_ms == (10_000 + 20_000 + 30_000 + 50_000) // 4
    assert row.predicted_wait_by_channel_ms == {"phone": row.predicted_wait_ms}
    # With nobody idle it is another state, of which nothing is known yet.
    story(2_500, AgentPresenceChanged("a-1", "break"))
    assert story.measures.waits.now("billing") is None


def test_only_idle_agents_who_meet_the_need_count() -> None:
    staff = Staff()
    senior, junior = staff.profile("care", {"billing": 7}), staff.profile("care", {"billing": 2})
    assert staff.profile("care", {"billing": 7}) == senior
    need = (("care",), (("billing", 5),))
    staff.change(junior, 1)
    assert staff.idle_able(need) == 0
    for _ in range(3):
        staff.change(senior, 1)
    assert staff.idle_able(need) == 2
    assert staff.idle_able((("back",), ())) == 0
    for _ in range(3):
        staff.change(senior, -1)
    assert staff.idle == {junior: 1}


@pytest.fixture(scope="module")
def sample_day() -> tuple[list[Entry], Measures]:
    """Play three hours of the sample centre."""
    sample = load_center(ROOT / "configs" / "sample").center
    journal: list[Entry] = []
    simulate_day(
        sample, for_center(sample, 3, length_ms=3 * 3_600_000), listeners=(journal.append,)
    )
    measures = Measures()
    for entry in journal:
        measures.fold(entry.stamped, entry.decisions)
    return journal, measures


def test_predictions_beat_the_mean_of_the_day_so_far(
    sample_day: tuple[list[Entry], Measures],
) -> None:
    journal, measures = sample_day
    for channel in ("phone", "chat"):
        scored = {score.subject: score for score in scores(measures, By.CHANNEL, Period.ALL)}
        naive_ms = mean_error_of_the_mean(journal, channel)
        off_ms = scored[channel].mean_absolute_prediction_error_ms
        assert off_ms is not None
        assert off_ms < 0.95 * naive_ms


def mean_error_of_the_mean(journal: list[Entry], channel: str) -> float:
    """Predict each wait as the mean wait of its queue and channel so far; return the error."""
    errors: list[float] = []
    seen: dict[tuple[str, str], list[int]] = {}
    told: dict[str, float] = {}
    began: dict[str, tuple[tuple[str, str], int]] = {}
    channels: dict[str, str] = {}
    for entry in journal:
        event, at_ms = entry.stamped.event, entry.stamped.at_ms
        if isinstance(event, ContactArrived):
            channels[event.contact_id] = event.channel
        for order in entry.decisions:
            if isinstance(order, OpenContact):
                channels[order.contact_id] = order.channel
            if isinstance(order, EnqueueContact):
                key = (order.queue, channels[order.contact_id])
                began[order.contact_id] = (key, at_ms)
                past = seen.get(key, [])
                if len(past) >= 3:
                    told[order.contact_id] = sum(past) / len(past)
            elif isinstance(order, OverflowContact | CloseContact):
                began.pop(order.contact_id, None)
        contact_id = getattr(event, "contact_id", "")
        connects = isinstance(event, OfferConnected) or (
            isinstance(event, OfferAccepted) and channels.get(contact_id) != "phone"
        )
        if connects and contact_id in began:
            key, from_ms = began.pop(contact_id)
            seen.setdefault(key, []).append(at_ms - from_ms)
            if contact_id in told and key[1] == channel:
                errors.append(abs(told.pop(contact_id) - (at_ms - from_ms)))
    return sum(errors) / len(errors)


# --- targets -----------------------------------------------------------------------------


def test_a_target_for_one_goes_before_one_for_all() -> None:
    story = Story()
    story.serve(0, "k1:1", wait_s=30)
    score = story.scores(By.QUEUE)["2026-01-05", "billing"]
    general = Target(measure="average_speed_of_answer_ms", at_most=20_000)
    own = Target(
        measure="average_speed_of_answer_ms", at_most=60_000, by=By.QUEUE, subject="billing"
    )
    other = replace(own, subject="tech", at_most=1)
    assert general.met_by(score) is False
    for order in itertools.permutations((general, own, other)):
        assert targets_for(score, By.QUEUE, order) == {own.measure: own}
    assert targets_for(score, By.CATEGORY, (general, own)) == {own.measure: general}


def test_a_target_without_a_number_is_neither_met_nor_missed() -> None:
    story = Story()
    story.serve(0, "k1:1")
    score = story.scores(By.QUEUE)["2026-01-05", "billing"]
    assert Target(measure="satisfaction", at_least=0.9).met_by(score) is None


def test_the_sample_files_can_be_read() -> None:
    folder = ROOT / "configs" / "scorecard"
    targets = read_targets(folder / "targets.yaml")
    assert Target(measure="first_contact_resolution", at_least=0.8) in targets
    strict = Target(measure="satisfaction", at_least=0.85, by=By.TIER, subject="strict")
    assert strict in targets
    groups = {
        team.cost_group for team in load_center(ROOT / "configs/sample").center.teams.values()
    }
    assert set(read_prices(folder / "costs.yaml").per_hour) == groups


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("goals: []", "goals: is not known here"),
        ("targets: 3", "needs `targets:` with a list"),
        ("targets: [{measure: satisfacton, at_least: 90%}]", 'did you mean "satisfaction"'),
        ("targets: [{measure: satisfaction}]", "needs at_least or at_most"),
        ("targets: [{measure: satisfaction, at_least: much}]", "needs a number, a share"),
        ("targets: [{measure: satisfaction, at_least: 1, team: a, tier: b}]", "one of them"),
    ],
)
def test_what_is_wrong_with_targets_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        read_targets(path)
    assert f"{path}:1:" in str(caught.value)


def test_a_shift_plan_is_read_from_csv_with_local_times(tmp_path: Path) -> None:
    path = tmp_path / "shifts.csv"
    path.write_text(
        "ATTENDEE,DTSTART,DTEND,SUMMARY,paid\n"
        "a-1,20260105T230000,20260105T233000,work,\n"
        "a-1,2026-01-05T15:30:00Z,2026-01-05 23:40,break,no\n",
        encoding="utf-8",
    )
    plan = read_shifts(path, "Asia/Shanghai")
    found = plan.planned("a-1", LATE_EVENING_MS, LATE_EVENING_MS + 3_600_000)
    assert found == (1_800_000, 600_000, 1_800_000)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("agent_id,start,end\n", "has no column activity"),
        ("agent_id,start,end,activity\na,noon,2026-01-05T12:00,work\n", '"noon" is no instant'),
        ("agent_id,start,end,activity\na,2026-01-05,2026-01-04,work\n", "ends before it begins"),
    ],
)
def test_what_is_wrong_with_a_shift_plan_is_told(tmp_path: Path, rows: str, told: str) -> None:
    path = tmp_path / "shifts.csv"
    path.write_text(rows, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_shifts(path, "UTC")


# --- the command ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def journal_file(
    sample_day: tuple[list[Entry], Measures], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("scorecard") / "day.jsonl"
    writer = JournalWriter("harbour-care", "test")
    journal, _ = sample_day
    path.write_bytes(writer.record(journal) + b"\n")
    return path


def run(*words: str) -> str:
    outcome = CliRunner().invoke(build(), ["scorecard", *words])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


TARGETS = str(ROOT / "configs" / "scorecard" / "targets.yaml")
COSTS = str(ROOT / "configs" / "scorecard" / "costs.yaml")


@pytest.mark.parametrize("by", [by.value for by in By])
def test_tables_fit_a_terminal(journal_file: Path, by: str) -> None:
    text = run(str(journal_file), "--by", by, "--targets", TARGETS, "--costs", COSTS)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "2026-01-05" in text
    assert ">80%" in text
    assert "complaint_acknowledged" in text
    assert ("wait to expect" in text) is (by == "queue")


def test_json_says_what_the_table_says(journal_file: Path) -> None:
    document = json.loads(
        run(str(journal_file), "--by", "queue", "--json", "--targets", TARGETS, "--period", "all")
    )
    assert document["zone"] == "Asia/Shanghai"
    assert document["repeat_window_ms"] == 7 * 86_400_000
    rows = {row["subject"]: row for row in document["scores"]}
    told = rows["care"]["targets"]["service_level"]
    assert told["at_least"] == 0.8
    assert told["met"] is (rows["care"]["service_level"] >= 0.8)
    queues = {row["queue"]: row for row in document["queues"]}
    assert queues["care"]["predicted_wait_ms"] > 0


def test_csv_has_a_column_a_measure(journal_file: Path) -> None:
    rows = list(csv.DictReader(run(str(journal_file), "--by", "agent", "--csv").splitlines()))
    agent = next(row for row in rows if row["subject"] == "care-zh-001")
    assert agent["team"] == "care"
    assert int(agent["handled"]) > 0
    assert agent["adherence"] == ""


def test_a_store_scores_like_its_journal(journal_file: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    cli = CliRunner()
    exported = cli.invoke(
        build(), ["journal", "export", str(journal_file), "--as", "events", "-o", str(events)]
    )
    assert exported.exit_code == 0, exported.output
    store = tmp_path / "day.db"
    words = ["run", "--config", str(ROOT / "configs/sample"), "--store", str(store)]
    ran = cli.invoke(build(), [*words, "--input", str(events), "--as-fast-as-possible"])
    assert ran.exit_code == 0, ran.output
    found, expected = (
        json.loads(run(str(path), "--by", "agent", "--json"))["scores"]
        for path in (store, journal_file)
    )
    assert found == expected


def test_intervals_by_the_local_clock(journal_file: Path) -> None:
    text = run(str(journal_file), "--by", "queue", "--period", "interval", "--interval", "30m")
    heads = [line.split("  ")[0] for line in text.splitlines() if line.startswith("2026-")]
    assert heads == [
        f"2026-01-05 {hour}:{minute}" for hour in (17, 18, 19) for minute in ("00", "30")
    ]
    refused = CliRunner().invoke(
        build(), ["scorecard", str(journal_file), "--period", "interval", "--interval", "7m"]
    )
    assert refused.exit_code == 2


def test_a_zone_nobody_knows_is_refused(journal_file: Path) -> None:
    outcome = CliRunner().invoke(build(), ["scorecard", str(journal_file), "--zone", "Mars/Base"])
    assert outcome.exit_code == 2
