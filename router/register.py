"""Register contacts: who came when about what, who served him, what was done, how he liked it.

Folded from the journal like everything else. A row is a contact's whole life: a reopened one goes
on in its row, a follow-up or a complaint has a row of its own that names where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from router import decisions as d
from router import events as e
from router.journal import Entry


class Row(Struct):
    """One contact; instants and durations in ms, 0 where it did not come to that.

    `wait_ms` runs from the arrival to the first assignment, `handle_ms` sums all time with agents
    (wrap-up included). `score` is the survey's, 0 if none was answered; `exit` is "" while the
    contact is open.
    """

    contact_id: str
    arrived_ms: int
    channel: str = ""
    category: str = ""
    customer: str = ""
    tier: str = ""
    origin_id: str = ""
    bot: str = ""
    agent_id: str = ""
    assigned_ms: int = 0
    wait_ms: int = 0
    net_wait_ms: int = 0
    handle_ms: int = 0
    closed_ms: int = 0
    exit: str = ""
    reason: str = ""
    resolution_code: str = ""
    transfers: int = 0
    reopened: int = 0
    calls: int = 0
    attempt: int = 1
    notes: int = 0
    complained: bool = False
    complaint_id: str = ""
    surveyed: bool = False
    score: int = 0
    resolved: bool = False
    follow_up_id: str = ""


class Register:
    """Keep a row for each contact that was taken in, in the order of arrival."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.former: list[Row] = []
        self._since_ms: dict[str, int] = {}

    def fold(self, entry: Entry) -> None:
        """Register one entry; what was not followed registers nothing."""
        decisions, now_ms = entry.decisions, entry.stamped.at_ms
        if len(decisions) == 1 and isinstance(decisions[0], d.RefuseEvent | d.NoteDuplicate):
            return
        self._hear(entry.stamped.event, now_ms)
        for decision in decisions:
            self._see(decision, now_ms)

    def _new(self, row: Row) -> None:
        """Begin a row; an id that is used again after a while belongs to another contact."""
        before = self.rows.pop(row.contact_id, None)
        if before is not None:
            self.former.append(before)
        self.rows[row.contact_id] = row

    def _hear(self, event: e.Event, now_ms: int) -> None:
        if isinstance(event, e.ContactArrived):
            self._new(
                Row(
                    event.contact_id,
                    now_ms,
                    event.channel,
                    event.category,
                    event.customer,
                    event.tier,
                    event.origin_id,
                    event.bot,
                )
            )
            return
        row = self.rows.get(getattr(event, "contact_id", ""))
        if row is None:
            return
        match event:
            case e.ContactUpdated():
                row.category = event.category or row.category
                row.tier = row.tier if event.tier is None else event.tier
            case e.ContactHandedOver():
                row.category = event.category or row.category
            case e.ContactTransferred():
                row.transfers += 1
                row.category = event.category or row.category
            case e.ContactResolved():
                row.resolution_code = event.resolution_code or row.resolution_code
            case e.ComplaintRaised():
                row.complained = True
            case e.NoteAdded():
                row.notes += 1
            case e.SurveyAnswered():
                row.score, row.resolved = event.score, event.resolved
            case _:
                pass

    def _see(self, decision: d.Decision, now_ms: int) -> None:
        if isinstance(decision, d.OpenContact):
            told = (decision.channel, decision.category, decision.customer, decision.tier)
            self._new(Row(decision.contact_id, now_ms, *told, decision.origin_id))
            origin = self.rows.get(decision.origin_id)
            if origin is not None and decision.reason is d.Reason.COMPLAINT_RAISED:
                origin.complaint_id = decision.contact_id
            return
        row = self.rows.get(getattr(decision, "contact_id", ""))
        if row is None:
            return
        match decision:
            case d.AssignContact():
                row.agent_id = decision.agent_id
                self._since_ms[row.contact_id] = now_ms
                if not row.assigned_ms:
                    row.assigned_ms = now_ms
                    row.wait_ms, row.net_wait_ms = decision.wait_ms, decision.net_wait_ms
            case d.EndAssignment():
                row.handle_ms += now_ms - self._since_ms.pop(row.contact_id, now_ms)
            case d.DialCallback():
                row.calls += 1
            case d.LinkContact():
                row.origin_id, row.attempt = decision.origin_id, decision.attempt
            case d.RequestSurvey():
                row.surveyed = True
            case d.RequestFollowUp():
                row.follow_up_id = decision.follow_up_id
            case d.CloseContact():
                row.closed_ms = now_ms
                row.exit, row.reason = decision.exit.value, decision.reason.value
            case d.EnqueueContact() if row.exit:
                # It lives again.
                row.reopened += 1
                row.closed_ms, row.exit, row.reason = 0, "", ""
            case _:
                pass


def register(entries: Iterable[Entry], *, with_open: bool = False) -> list[Row]:
    """Return the rows of a journal in the order of arrival, closed contacts only unless said."""
    book = Register()
    for entry in entries:
        book.fold(entry)
    rows = [*book.former, *book.rows.values()]
    rows.sort(key=_arrival)
    return [row for row in rows if row.exit or with_open]


def _arrival(row: Row) -> int:
    return row.arrived_ms
