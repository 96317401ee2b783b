"""Define every measure by its formula, once, over plain counts.

Each function takes whole numbers and returns a ratio between 0 and 1, or None where there is
nothing to divide by: an empty queue has no service level, not a good or a bad one. These are
the only places where a measure becomes a float; `router.measures` keeps integers only. Report,
board and metrics call these functions and no other.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class ServiceCounts(NamedTuple):
    """Count decided contacts of a line: all that a service level needs.

    `abandoned` and `abandoned_in_time` include the short ones. `expired` contacts were sent away
    by the wait limit. Deflected, overflowed and called-back contacts are decided elsewhere and
    stand in no service level of the line that they left.
    """

    answered: int
    answered_in_time: int
    abandoned: int = 0
    abandoned_in_time: int = 0
    short_abandoned: int = 0
    expired: int = 0

    @property
    def offered(self) -> int:
        """Return the contacts that were this line's to answer: answered, abandoned, expired."""
        return self.answered + self.abandoned + self.expired


def ratio(part: int, whole: int) -> float | None:
    """Return part over whole, None when the whole is nothing."""
    return part / whole if whole > 0 else None


def answered_and_abandoned_in_time_over_offered(counts: ServiceCounts) -> float | None:
    """Count an abandonment within the threshold as a success (ICMI's example: 83.0 %)."""
    return ratio(counts.answered_in_time + counts.abandoned_in_time, counts.offered)


def answered_in_time_over_answered(counts: ServiceCounts) -> float | None:
    """Look at answered contacts only (ICMI's example: 86.0 %)."""
    return ratio(counts.answered_in_time, counts.answered)


def answered_in_time_over_answered_and_abandoned(counts: ServiceCounts) -> float | None:
    """Count every abandonment as a failure (ICMI's example: 81.1 %)."""
    return ratio(counts.answered_in_time, counts.answered + counts.abandoned)


def answered_in_time_over_answered_and_late_abandoned(counts: ServiceCounts) -> float | None:
    """Count abandonments after the threshold as failures, forget the others (82.7 %)."""
    late = counts.abandoned - counts.abandoned_in_time
    return ratio(counts.answered_in_time, counts.answered + late)


def answered_in_time_and_short_abandoned_over_offered(counts: ServiceCounts) -> float | None:
    """Count only a short abandonment as a success (ICMI's example: 82.1 %)."""
    return ratio(counts.answered_in_time + counts.short_abandoned, counts.offered)


def answered_in_time_over_offered_less_short(counts: ServiceCounts) -> float | None:
    """Forget short abandonments, count the rest (81.9 %). The default of this product."""
    return ratio(counts.answered_in_time, counts.offered - counts.short_abandoned)


SERVICE_LEVELS: Final = {
    function.__name__: function
    for function in (
        answered_and_abandoned_in_time_over_offered,
        answered_in_time_over_answered,
        answered_in_time_over_answered_and_abandoned,
        answered_in_time_over_answered_and_late_abandoned,
        answered_in_time_and_short_abandoned_over_offered,
        answered_in_time_over_offered_less_short,
    )
}
service_level = answered_in_time_over_offered_less_short
TOP_SCORE: Final = 4  # of 5: the two best answers
SERVICE_LEVEL_DEFINITION: Final = "answered in time over offered less short abandons"


def average_speed_of_answer_ms(answered_wait_ms: int, answered: int) -> float | None:
    """Return the mean wait of answered contacts, in milliseconds."""
    return ratio(answered_wait_ms, answered)


def deflection_share(deflected: int, offered: int) -> float | None:
    """Return the share of the contacts decided that were sent to, or served in, another way."""
    return ratio(deflected, deflected + offered)


def self_service_share(self_served: int, deflected: int, offered: int) -> float | None:
    """Return the share of those decided whom a bot served to their end (some of the deflected)."""
    return ratio(self_served, deflected + offered)


def abandonment(counts: ServiceCounts) -> float | None:
    """Return all abandoned contacts over offered ones."""
    return ratio(counts.abandoned, counts.offered)


def abandonment_without_short(counts: ServiceCounts) -> float | None:
    """Return abandoned over offered contacts, the short abandonments left out of both."""
    short = counts.short_abandoned
    return ratio(counts.abandoned - short, counts.offered - short)


def sla_met_share(met: int, breached: int) -> float | None:
    """Return met over met and breached clocks; canceled ones count in neither."""
    return ratio(met, met + breached)


def offers_per_assignment(offers: int, assignments: int) -> float | None:
    """Return how many offers an assignment took; 1 is the best, it may exceed 1."""
    return ratio(offers, assignments)


def average_handle_time_ms(
    talk_ms: int, hold_ms: int, wrap_up_ms: int, handled: int
) -> float | None:
    """Return the mean of talk, hold and wrap-up time together, in milliseconds."""
    return ratio(talk_ms + hold_ms + wrap_up_ms, handled)


def occupancy_over_signed_in(busy_ms: int, signed_in_ms: int) -> float | None:
    """Return the share of signed-in time in which an agent handled or wrapped up.

    An agent with three chats is busy once. Ringing (an offer held out) is not busy time.
    """
    return ratio(busy_ms, signed_in_ms)


def utilisation_over_paid(busy_ms: int, paid_ms: int) -> float | None:
    """Return the share of paid time, breaks and training included, in which an agent was busy.

    It may exceed 1 where somebody works longer than he is paid for.
    """
    return ratio(busy_ms, paid_ms)


def adherence_to_plan(
    worked_as_planned_ms: int, worked_in_breaks_ms: int, work_ms: int, away_ms: int
) -> float | None:
    """Return the share of planned time in which an agent did as planned.

    That is: took work or was busy while at work by the plan, did not while away by it. What he
    does outside his shifts counts in neither.
    """
    return ratio(worked_as_planned_ms + away_ms - worked_in_breaks_ms, work_ms + away_ms)


def first_contact_resolution(first_contacts: int, repeated: int) -> float | None:
    """Return the share of handled contacts after which the customer did not come again.

    Again: about the same category, within the window. Contacts without a customer count in
    neither.
    """
    return ratio(first_contacts - repeated, first_contacts)


def satisfaction_top_two_of_five(top_answers: int, answers: int) -> float | None:
    """Return the share of survey answers that are a 4 or a 5."""
    return ratio(top_answers, answers)


def satisfaction_mean(score_sum: int, answers: int) -> float | None:
    """Return the mean score of survey answers, from 1 to 5."""
    return ratio(score_sum, answers)


def survey_answer_share(answers: int, surveys: int) -> float | None:
    """Return answers over surveys asked for; it may exceed 1, since others may answer, too."""
    return ratio(answers, surveys)


def average_talk_ms(talk_ms: int, handled: int) -> float | None:
    """Return the mean time in talk (or writing) per handled contact, in milliseconds."""
    return ratio(talk_ms, handled)


def average_hold_ms(hold_ms: int, handled: int) -> float | None:
    """Return the mean time on hold per handled contact, in milliseconds."""
    return ratio(hold_ms, handled)


def average_wrap_up_ms(wrap_up_ms: int, handled: int) -> float | None:
    """Return the mean wrap-up time per handled contact, in milliseconds."""
    return ratio(wrap_up_ms, handled)


def average_accept_ms(accept_ms: int, assignments: int) -> float | None:
    """Return the mean time from an offer to its acceptance, in milliseconds."""
    return ratio(accept_ms, assignments)


def average_first_reply_ms(first_reply_ms: int, first_replies: int) -> float | None:
    """Return the mean time from arrival to an agent's first reply, in milliseconds.

    Automatic replies do not count; a contact that got no reply counts in neither.
    """
    return ratio(first_reply_ms, first_replies)


def average_gross_wait_ms(gross_wait_ms: int, assignments: int) -> float | None:
    """Return the mean time from arrival to an assignment, in milliseconds."""
    return ratio(gross_wait_ms, assignments)


def average_net_wait_ms(net_wait_ms: int, assignments: int) -> float | None:
    """Return the part of the gross wait that was spent in line or on offer, in milliseconds."""
    return ratio(net_wait_ms, assignments)


def transfer_share(transferred: int, assignments: int) -> float | None:
    """Return transfers over assignments."""
    return ratio(transferred, assignments)


def cost_per_contact(cost: float, handled: int) -> float | None:
    """Return what was paid over handled contacts, in the currency of the prices."""
    return cost / handled if handled > 0 else None


def cost_per_resolved_contact(cost: float, resolved: int) -> float | None:
    """Return what was paid over contacts said to be resolved, in the currency of the prices."""
    return cost / resolved if resolved > 0 else None


def mean_prediction_error_ms(error_ms: int, predictions: int) -> float | None:
    """Return predicted less actual wait, the mean, in milliseconds: above 0 is too long."""
    return ratio(error_ms, predictions)


def mean_absolute_prediction_error_ms(off_ms: int, predictions: int) -> float | None:
    """Return by how much predicted waits were off, too long or too short, in milliseconds."""
    return ratio(off_ms, predictions)


def predicted_within_30_s(close: int, predictions: int) -> float | None:
    """Return the share of predicted waits that were off by at most 30 s."""
    return ratio(close, predictions)
