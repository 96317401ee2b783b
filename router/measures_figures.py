"""Apply the formulas to a card: each function gives a part of a score, by the score's names."""

from __future__ import annotations

from typing import Any

from router import measures_formulas as formulas
from router.measures_cards import Card
from router.measures_lines import QueueExit


def waits_of(card: Card) -> dict[str, Any]:
    """Return what became of visits to lines, and how long they took."""
    counts, service = card.counts, card.counts.service_counts()
    return {
        "arrivals": counts.arrivals,
        "answered": service.answered,
        "abandoned": counts.exits[QueueExit.ABANDONED],
        "short_abandoned": counts.exits[QueueExit.SHORT_ABANDONED],
        "deflected": counts.exits[QueueExit.DEFLECTED],
        "self_served": card.self_served,
        "deflection_share": formulas.deflection_share(
            counts.exits[QueueExit.DEFLECTED], service.offered
        ),
        "self_service_share": formulas.self_service_share(
            card.self_served, counts.exits[QueueExit.DEFLECTED], service.offered
        ),
        "overflowed": counts.exits[QueueExit.OVERFLOWED],
        "callbacks": counts.exits[QueueExit.CALLBACK],
        "expired": counts.exits[QueueExit.EXPIRED],
        "service_level": formulas.service_level(service),
        "average_speed_of_answer_ms": formulas.average_speed_of_answer_ms(
            counts.answered_wait_ms, service.answered
        ),
        "wait_p50_ms": card.waits.percentile_ms(50),
        "wait_p90_ms": card.waits.percentile_ms(90),
        "wait_p95_ms": card.waits.percentile_ms(95),
        "wait_max_ms": card.waits.max_ms,
        "average_gross_wait_ms": formulas.average_gross_wait_ms(
            card.gross_wait_ms, card.assignments
        ),
        "average_net_wait_ms": formulas.average_net_wait_ms(card.net_wait_ms, card.assignments),
        "abandonment": formulas.abandonment(service),
        "abandonment_without_short": formulas.abandonment_without_short(service),
    }


def work_of(card: Card) -> dict[str, Any]:
    """Return what agents did: offers, assignments, handling."""
    return {
        "offers": card.offers,
        "offers_declined": card.offers_declined,
        "offers_expired": card.offers_expired,
        "offers_withdrawn": card.offers_withdrawn,
        "assignments": card.assignments,
        "offers_per_assignment": formulas.offers_per_assignment(card.offers, card.assignments),
        "average_accept_ms": formulas.average_accept_ms(card.accept_ms, card.assignments),
        "average_first_reply_ms": formulas.average_first_reply_ms(
            card.first_reply_ms, card.first_replies
        ),
        "handled": card.handled,
        "average_handle_time_ms": formulas.average_handle_time_ms(
            card.talk_ms, card.hold_ms, card.wrap_up_ms, card.handled
        ),
        "average_talk_ms": formulas.average_talk_ms(card.talk_ms, card.handled),
        "average_hold_ms": formulas.average_hold_ms(card.hold_ms, card.handled),
        "average_wrap_up_ms": formulas.average_wrap_up_ms(card.wrap_up_ms, card.handled),
        "resolved": card.resolved,
        "transferred": card.transferred,
        "transfer_share": formulas.transfer_share(card.transferred, card.assignments),
        "reopened": card.reopened,
    }


def afterwards_of(card: Card) -> dict[str, Any]:
    """Return what followed: repeats, surveys, complaints."""
    return {
        "first_contacts": card.first_contacts,
        "repeated": card.repeated,
        "first_contact_resolution": formulas.first_contact_resolution(
            card.first_contacts, card.repeated
        ),
        "surveys": card.surveys,
        "survey_answers": card.survey_answers,
        "survey_answer_share": formulas.survey_answer_share(card.survey_answers, card.surveys),
        "satisfaction": formulas.satisfaction_top_two_of_five(
            card.top_answers, card.survey_answers
        ),
        "satisfaction_mean": formulas.satisfaction_mean(card.score_sum, card.survey_answers),
        "said_unresolved": card.said_unresolved,
        "follow_ups": card.follow_ups,
        "complaints": card.complaints,
        "notes": card.notes,
        "callbacks_offered": card.callbacks_offered,
        "callbacks_dialled": card.callbacks_dialled,
        "callbacks_failed": card.callbacks_failed,
        "redialled": card.redialled,
        "blocked_before": card.blocked_before,
        "deflection_failed": card.deflection_failed,
    }
