"""Write the whole state down and bring it back; every screenplay of `Playbook` does it as well."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import events as e
from router.center import AgentPolicy, Category, ClockKind, OfferRules, Queue, Step
from router.decisions import NoteDuplicate, OfferContact, Reason, RelaxContact, RequeueContact
from router.events import Stamped, TimeAdvanced
from router.router import Router
from router.snapshot import SnapshotError
from tests.builders import (
    HOUR,
    MINUTE,
    SECOND,
    accept,
    arrive,
    changed,
    decline,
    desk,
    end,
    promise,
    sign_in,
    with_skills,
)
from tests.playbook import START_MS, Playbook, at, ms


def busy_floor() -> Playbook:
    """Return a floor on which everything is going on that a snapshot has to carry."""
    stage = desk(
        "abcde",
        queues={
            "q": Queue(agent_policy=AgentPolicy.RING_PROGRESSIVELY, ring_size=3),
            "q2": Queue(agent_policy=AgentPolicy.WEIGHTED_SHARE, weights={"a": 3}),
        },
        categories={
            "c": Category(queue="q", wrap_up_ms=HOUR, preferred_wait_ms=HOUR, survey_every=2),
            "d": Category(queue="q2", steps=(Step(after_ms=MINUTE, overflow_to="q"),)),
        },
        promises={
            "p": promise(ClockKind.ANSWER, MINUTE, warnings=(50,)),
            "r": promise(ClockKind.RESOLUTION, HOUR),
        },
        offers=OfferRules(heartbeat_timeout_ms=HOUR),
    )
    play = Playbook(stage)
    for name in "abc":
        play >> at(0, sign_in(name, 1), event_id=f"in-{name}")
    play >> arrive("wrapping", customer="x") >> accept(1, "wrapping") >> end("wrapping")
    play >> arrive("ringing") >> at(5 * SECOND) >> arrive("chat", "chat", "d")
    play >> sign_in("d") >> sign_in("e", presence="break")
    play >> at(6 * SECOND, arrive("kept", preferred_agent="e"))
    (
        play
        >> arrive("mail", "email", "d")
        >> arrive("later")
        >> e.CallbackRequested("later", ms(HOUR))
    )
    play >> end("never-came") >> e.AgentLost("c")
    return play


def test_a_busy_floor_comes_back_and_goes_on_the_same() -> None:
    """Let time run to its end on both sides of a restore."""
    play = busy_floor()
    body = play.router.snapshot()
    first, second = Router.restore(body), Router.restore(body)
    for _ in range(60):
        due_ms = first.next_deadline()
        assert second.next_deadline() == due_ms
        if due_ms is None:
            break
        stamped = Stamped(first.seq + 1, due_ms, TimeAdvanced())
        assert first.handle(stamped) == second.handle(stamped)
        assert first.snapshot() == second.snapshot()
        second = Router.restore(second.snapshot())
    assert first.snapshot() == second.snapshot()
    assert play.router.snapshot() == body, "taking a snapshot changes nothing"


def test_an_empty_router_comes_back() -> None:
    body = Router().snapshot()
    router = Router.restore(body)
    assert router.snapshot() == body
    assert (router.seq, router.next_deadline()) == (0, None)


def test_what_was_seen_is_remembered() -> None:
    play = busy_floor()
    router = Router.restore(play.router.snapshot())
    assert (router.seq, router.now_ms) == (play.router.seq, play.now_ms)
    stamped = Stamped(router.seq + 1, play.now_ms, sign_in("a", 1), event_id="in-a")
    assert router.handle(stamped) == (NoteDuplicate(Reason.DUPLICATE, ""),)


def test_a_waiting_contact_keeps_its_place_and_its_tries() -> None:
    play = Playbook(desk(offers=OfferRules(per_agent_max=1, backoff_declined_ms=0)))
    play >> sign_in("a") >> arrive("1") >> at(1, arrive("2")) >> decline(1, "1")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1", "2"]
    play.router = Router.restore(play.router.snapshot())
    play >> end("2") << [x for x in play.decisions if not isinstance(x, OfferContact)]
    assert [x.contact_id for x in play.of(OfferContact)] == ["1", "2"]


def test_a_drained_queue_comes_back() -> None:
    both = desk(queues={"q": Queue(), "q2": Queue(wait_max_ms=HOUR)})
    play = Playbook(both) >> arrive("1", queue="q2") >> changed(desk(), drain=("q2",))
    assert RequeueContact("1", "q2", Reason.CENTER_CHANGED, 5) in play.decisions
    play >> sign_in("a") >> decline(1, "1") >> at(HOUR)
    assert play.router.floor.queues["q2"].spec.wait_max_ms == HOUR


def test_a_removed_agent_at_work_comes_back() -> None:
    stage = desk("ab")
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> changed(stage, agents={"b": stage.agents["b"]}) >> sign_in("b") >> arrive("2")
    play >> end("1")
    assert "a" not in play.router.floor.agents


def test_ended_contacts_bring_no_profile_back() -> None:
    play = Playbook(desk()) >> arrive("1") >> end("1") >> changed(desk())
    play >> sign_in("a")


def test_a_reopened_contact_is_remembered_once() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> end("1")
    play >> at(1, e.ContactReopened("1")) >> accept(2, "1") >> at(2, end("1"))
    play >> e.SurveyAnswered("1", 5) >> e.SurveyAnswered("1", 5)
    play << NoteDuplicate(Reason.DUPLICATE, "1")


@pytest.mark.parametrize("priorities", [(3, 7), (7, 3)])
def test_steps_are_skipped_in_order_of_age_also_after_a_restore(
    priorities: tuple[int, int],
) -> None:
    """The order must not lie in which line was opened first: a snapshot does not know that."""
    center = desk(
        {"high": with_skills(s=9), "low": with_skills(s=1)},
        skills=("s",),
        category=Category(queue="q", needs={"s": 9}, steps=(Step(after_ms=HOUR, lower={"s": 1}),)),
    )
    play = Playbook(center) >> sign_in("high", presence="break") >> sign_in("low")
    play >> arrive("0", priority=priorities[1]) >> at(1, arrive("1", priority=priorities[0]))
    play >> at(2, arrive("2", priority=priorities[1])) >> end("0")
    play >> at(3, e.AgentSignedOut("high"))
    assert [x.contact_id for x in play.of(RelaxContact)] == ["1", "2"]


# --- damage ---------------------------------------------------------------------------------------

GOOD = busy_floor().router.snapshot()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"nonsense",
        b"switchroom-snapshot 1\n{}",
        b"switchroom-snapshot x y\n{}",
        b"switchroom-snapshot 1 " + b"0" * 64 + b"\n{}",
        b"switchroom-snapshot 1 \xff\xfe\n{}",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + b" ",
        GOOD.replace(b"switchroom", b"Switchroom", 1),
    ],
)
def test_damaged_snapshots_are_refused(body: bytes) -> None:
    with pytest.raises(SnapshotError):
        Router.restore(body)


def test_a_later_version_is_refused_by_name() -> None:
    head, _, payload = GOOD.partition(b"\n")
    word, _, checksum = head.split(b" ")
    with pytest.raises(SnapshotError, match="99"):
        Router.restore(b" ".join((word, b"99", checksum)) + b"\n" + payload)


def test_a_snapshot_of_another_shape_is_refused_although_its_checksum_holds() -> None:
    payload = b'{"seq":"seven"}'
    checksum = hashlib.blake2b(payload, digest_size=32).hexdigest().encode()
    version = GOOD.split(b" ")[1]
    with pytest.raises(SnapshotError):
        Router.restore(b"switchroom-snapshot " + version + b" " + checksum + b"\n" + payload)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_flipped_byte_anywhere_is_noticed(place: int, flip: int) -> None:
    body = bytearray(GOOD)
    body[place] ^= flip
    with pytest.raises(SnapshotError):
        Router.restore(bytes(body))


def test_snapshots_do_not_depend_on_when_they_were_taken_before() -> None:
    """A router restored after each event writes, at the end, what an undisturbed one writes."""
    events = [sign_in("a"), arrive("1"), accept(1, "1"), arrive("2"), end("1"), accept(2, "2")]
    plain, restored = Router(), Router()
    for number, event in enumerate([e.CenterChanged(desk("ab")), *events]):
        stamped = Stamped(plain.seq + 1, START_MS + number, event)
        assert plain.handle(stamped) == restored.handle(stamped)
        restored = Router.restore(restored.snapshot())
    assert plain.snapshot() == restored.snapshot()
