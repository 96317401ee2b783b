"""Find the hours in which customers are called back: open by the rules and by the queue."""

from __future__ import annotations

from typing import Final

from router.calendars import OpeningHours
from router.center import ALWAYS, CallbackRules
from router.deadlines import NEVER

# Two calendars may never be open together; then a call comes when the last answer says.
_ROUNDS_MAX: Final = 1_000
_ANY_TIME: Final = CallbackRules()


class CallWindows:
    """The hours for callbacks, by the calendar of the queue.

    Without rules for callbacks one that is due in a queue's hours is called whenever it is taken.
    """

    __slots__ = ("calendar", "hours", "is_bound")

    def __init__(
        self, rules: CallbackRules = _ANY_TIME, hours: dict[str, OpeningHours] | None = None
    ) -> None:
        self.calendar = rules.calendar
        self.is_bound = rules != _ANY_TIME
        self.hours = hours or {}

    def next_ms(self, calendar: str, at_ms: int) -> int:
        """Return the first instant at or after `at_ms` at which a customer may be called."""
        every = self._every(calendar)
        for _ in range(_ROUNDS_MAX):
            opens_ms = max((each.next_opening_ms(at_ms) for each in every), default=at_ms)
            if opens_ms == at_ms:
                break
            at_ms = opens_ms
        return at_ms

    def closing_ms(self, calendar: str, at_ms: int) -> int:
        """Return when calling ends: at once if it is over, `NEVER` if it does not end."""
        if not self.is_bound:
            return NEVER
        every = self._every(calendar)
        if any(not each.is_open(at_ms) for each in every):
            return at_ms
        closings = [each.next_closing_ms(at_ms) for each in every]
        return min((at for at in closings if at is not None), default=NEVER)

    def _every(self, calendar: str) -> list[OpeningHours]:
        # A queue that drains may have a calendar that is no longer configured.
        names = (calendar, self.calendar)
        return [self.hours[name] for name in names if name != ALWAYS and name in self.hours]
