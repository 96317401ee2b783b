"""Play a conformance case: what happens goes in, what the clocks say comes out.

Nothing here decides anything; the words of the cases are put into the router's words and back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from configs.durations import parse_duration
from configs.opening_hours import compile_calendars
from router import decisions as d
from router import events as e
from router.center import (
    Agent,
    CalendarDefinition,
    Category,
    Center,
    Channel,
    ClockKind,
    DayException,
    Holidays,
    Limits,
    OfferRules,
    Promise,
    PromiseAction,
    Queue,
    ReopenMode,
    Signal,
    Team,
)
from router.checks import check_center
from router.router import Router
from router.sequencer import Sequencer

HERE: Final = Path(__file__).parent
START: Final = "2026-01-05T09:00:00Z"
CONTACT: Final = "c-1"
_SETS: Final = ("start", "stop", "pause", "resume", "reset")

Line = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One case: its file, its name, the sentences it shows, and its text as written."""

    file: str
    name: str
    shows: tuple[str, ...]
    text: dict[str, Any]

    @property
    def expected(self) -> list[Line]:
        """Return what the clocks must say."""
        return list(self.text["clocks"])


def read_cases() -> list[Case]:
    """Return the cases of all files, in order."""
    cases = []
    for path in sorted(HERE.glob("*.yaml")):
        for text in yaml.safe_load(path.read_text(encoding="utf-8")):
            shows = tuple(str(sentence) for sentence in text["shows"])
            cases.append(Case(path.name, text["case"], shows, text))
    return cases


def instant_of(text: str) -> int:
    """Return the milliseconds of an RFC 3339 instant."""
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def milliseconds(value: str | int) -> int:
    """Return the milliseconds of `0`, `90s`, or `1h30m`."""
    return 0 if value == 0 else parse_duration(str(value))


class Play:
    """A centre with one agent, one contact, and the promises of a case."""

    def __init__(self, case: Case) -> None:
        self.text = case.text
        self.start_ms = instant_of(case.text.get("start", START))
        self.center = self._center(1, case.text["promises"])
        faults = [found for found in check_center(self.center) if not found.warning]
        assert not faults, faults
        self.sequencer = Sequencer(Router())
        self.said: list[Line] = []
        self._tell(e.CenterChanged(self.center), self.start_ms)
        if self.text.get("staffed", True):
            self._tell(e.AgentSignedIn("agent"), self.start_ms)

    # --- the centre -------------------------------------------------------------------

    def _center(self, version: int, promises: dict[str, Any]) -> Center:
        definitions = {
            name: CalendarDefinition(
                zone=made["zone"],
                hours={days: tuple(hours) for days, hours in made["hours"].items()},
                years=tuple(made["years"]),
                holidays=Holidays(**made.get("holidays", {})),
                exceptions=tuple(
                    DayException(**{**day, "date": str(day["date"]),
                                    "hours": tuple(day.get("hours", ()))})
                    for day in made.get("exceptions", ())
                ),
            )
            for name, made in self.text.get("calendars", {}).items()
        }  # fmt: skip
        calendars, faults = compile_calendars(definitions, HERE)
        assert not [found for found in faults if not found.warning], faults
        return Center(
            name="conformance",
            version=version,
            channels={
                "email": Channel(units=10, auto_accept=True),
                "phone": Channel(units=10, auto_accept=True),
            },
            skills=(),
            queues={"line": Queue()},
            categories={
                "question": Category(queue="line"),
                "fault": Category(queue="line", priority=8),
            },
            teams={"team": Team()},
            agents={"agent": Agent(team="team")},
            tiers=("gold",),
            promises={name: _promise(made) for name, made in promises.items()},
            calendars=calendars,
            offers=OfferRules(),
            limits=Limits(duplicate_window_ms=40 * 86_400_000, contact_life_ms=400 * 86_400_000),
        )

    # --- what happens -----------------------------------------------------------------

    def at_ms(self, value: str | int) -> int:
        """Return an instant: an offset from the start, or RFC 3339."""
        text = str(value)
        return instant_of(text) if "T" in text else self.start_ms + milliseconds(value)

    def run(self) -> list[Line]:
        """Let everything happen; return what the clocks said, in order."""
        for line in self.text["events"]:
            self._tell(self._event(line), self.at_ms(line["at"]))
        until_ms = self.at_ms(self.text.get("until", self.text["events"][-1]["at"]))
        for entry in self.sequencer.advance(until_ms + 1):
            self._note(entry.stamped.at_ms, entry.decisions)
        return self.said

    def _tell(self, event: e.Event, at_ms: int) -> None:
        for entry in self.sequencer.accept(event, at_ms):
            self._note(entry.stamped.at_ms, entry.decisions)

    def _event(self, line: dict[str, Any]) -> e.Event:
        word = line["event"]
        facts = {key: value for key, value in line.items() if key not in ("at", "event")}
        match word:
            case "arrived":
                category = facts.pop("category", "question")
                return e.ContactArrived(CONTACT, facts.pop("channel", "email"), category, **facts)
            case "agent_ready":
                return e.AgentSignedIn("agent")
            case "updated":
                return e.ContactUpdated(CONTACT, **facts)
            case "transferred":
                return e.ContactTransferred(CONTACT, category=facts["category"])
            case "agent_replied":
                return e.AgentReplied(CONTACT, automatic=facts.get("automatic", False))
            case "callback_requested":
                return e.CallbackRequested(CONTACT, self.at_ms(facts["due"]))
            case "configuration":
                self.center = self._center(self.center.version + 1, facts["promises"])
                return e.CenterChanged(self.center, rebase=facts.get("rebase", False))
            case _:
                return _PLAIN[word](CONTACT)

    # --- what the clocks say ------------------------------------------------------------

    def _note(self, at_ms: int, decisions: tuple[d.Decision, ...]) -> None:
        for decision in decisions:
            line = self._line(decision)
            if line:
                self.said.append({"at": self.show(at_ms), **line})

    def show(self, at_ms: int) -> str:
        """Write an instant as the case does: RFC 3339 if it has calendars, else an offset."""
        if self.text.get("calendars"):
            moment = datetime.fromtimestamp(at_ms / 1000, UTC)
            text = moment.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
            return text.replace("+00:00", "Z")
        return show_duration(at_ms - self.start_ms)

    def _line(self, decision: d.Decision) -> Line:
        match decision:
            case d.StartSla() | d.ResumeSla():
                says = "started" if isinstance(decision, d.StartSla) else "resumed"
                return self._clock(decision, says, deadline=self.show(decision.deadline_ms))
            case d.PauseSla():
                return self._clock(decision, "paused")
            case d.WarnSla():
                return self._clock(decision, "warned", percent=decision.percent)
            case d.BreachSla():
                return self._clock(decision, "breached", deadline=self.show(decision.deadline_ms))
            case d.MeetSla():
                return self._clock(decision, "met", elapsed=show_duration(decision.elapsed_ms))
            case d.StopSla():
                canceled = decision.reason is d.Reason.CLOCK_CANCELED
                late = {"late": show_duration(decision.late_ms)} if decision.late_ms else {}
                return self._clock(decision, "canceled" if canceled else "stopped", **late)
            case d.RebaseSla():
                facts = {
                    "from": self.show(decision.old_deadline_ms),
                    "deadline": self.show(decision.deadline_ms),
                }
                if decision.from_policy:
                    facts["before"] = decision.from_policy
                return self._clock(decision, "moved", **facts)
            case d.EscalateContact():
                return {"clock": decision.policy, "says": "called", "to": decision.to}
            case _:
                return {}

    def _clock(self, decision: Any, says: str, **facts: object) -> Line:  # noqa: ANN401
        cycle = {"cycle": decision.cycle} if decision.cycle > 1 else {}
        return {"clock": decision.policy, "says": says, **cycle, **facts}


_PLAIN: Final[dict[str, Callable[[str], e.Event]]] = {
    "customer_replied": e.CustomerReplied,
    "customer_awaited": e.CustomerAwaited,
    "customer_wait_ended": e.CustomerWaitEnded,
    "held": e.ContactHeld,
    "resumed": e.ContactResumed,
    "resolved": e.ContactResolved,
    "ended": e.ContactEnded,
    "abandoned": e.ContactAbandoned,
    "reopened": e.ContactReopened,
    "complaint_raised": e.ComplaintRaised,
}


def _promise(made: dict[str, Any]) -> Promise:
    """Read a promise in the words of the configuration."""
    fields: dict[str, Any] = {"kind": ClockKind(made["kind"])}
    for name, value in made.items():
        if name in ("target", "escalate_every"):
            fields[f"{name}_ms"] = milliseconds(value)
        elif name in _SETS:
            fields[name] = tuple(Signal(word) for word in value)
        elif name in ("on_warning", "on_breach"):
            fields[name] = PromiseAction(**value)
        elif name == "reopen":
            fields[name] = ReopenMode(value)
        elif name != "kind":
            fields[name] = tuple(value) if isinstance(value, list) else value
    return Promise(**fields)


def show_duration(duration_ms: int) -> str:
    """Write a duration as `1h30m`, `0`."""
    sign, rest, parts = ("-", -duration_ms, []) if duration_ms < 0 else ("", duration_ms, [])
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts) if parts else "0"


def in_order(lines: list[Line]) -> list[Line]:
    """Put lines of one instant into the order of their clocks; each clock keeps its own order."""
    instants: dict[str, int] = {}
    for line in lines:
        instants.setdefault(str(line["at"]), len(instants))
    return sorted(lines, key=lambda line: (instants[str(line["at"])], line["clock"]))


def as_written(lines: list[Line]) -> list[Line]:
    """Return lines with every value as text, as a comparison needs them."""
    return [{key: str(value) for key, value in line.items()} for line in in_order(lines)]
