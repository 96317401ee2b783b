"""Make the tables of a plan: by interval, by demand, by group."""

from __future__ import annotations

from simulation.plan.answers import Result
from simulation.report.document import Column, Form, Table
from simulation.report.wording import Words


def interval_table(words: Words, result: Result) -> Table:
    """Return the table of intervals."""
    columns = [
        Column(words("interval")),
        Column(words("arrivals"), Form.NUMBER, words("per_interval")),
        Column(words("required"), Form.NUMBER, words("agents")),
        Column(words("required_pooled"), Form.NUMBER, words("agents")),
        Column(words("staffed"), Form.NUMBER, words("agents")),
        Column(words("net"), Form.NUMBER, words("agents")),
        Column(words("service_level"), Form.SHARE, words("share_unit")),
        Column(words("low_end"), Form.SHARE, words("share_unit")),
        Column(words("high_end"), Form.SHARE, words("share_unit")),
        Column(words("wait_s"), Form.NUMBER, words("s")),
        Column(words("queue_length"), Form.NUMBER, words("per_interval")),
        Column(words("abandonment"), Form.SHARE, words("share_unit")),
        Column(words("occupancy"), Form.SHARE, words("share_unit")),
    ]
    if result.currency:
        columns.append(Column(words("pay"), Form.MONEY, result.currency))
    rows = tuple(
        (
            row.start,
            row.arrivals.value,
            row.required,
            row.required_pooled,
            row.staffed,
            row.net,
            row.service_level.value,
            row.service_level.low,
            row.service_level.high,
            row.wait_s.value,
            row.queue,
            row.abandonment.value,
            row.occupancy,
            *((row.cost,) if result.currency else ()),
        )
        for row in result.intervals
    )
    title = words("intervals_table")
    return Table(words("sheet_intervals"), title, tuple(columns), rows, drawn=(2, 3, 4, 5))


def demand_table(words: Words, result: Result) -> Table:
    """Return the table of demands."""
    share = words("share_unit")
    return Table(
        words("sheet_demands"),
        words("demands_table"),
        (
            Column(words("demand")),
            Column(words("queue")),
            Column(words("channel")),
            Column(words("within"), Form.WHOLE, words("s")),
            Column(words("arrivals"), Form.NUMBER, words("a_day")),
            Column(words("answered"), Form.NUMBER, words("a_day")),
            Column(words("service_level"), Form.SHARE, share),
            Column(words("low_end"), Form.SHARE, share),
            Column(words("high_end"), Form.SHARE, share),
            Column(words("wait_s"), Form.NUMBER, words("s")),
            Column(words("wait_p90"), Form.NUMBER, words("s")),
            Column(words("abandonment"), Form.SHARE, share),
            Column(words("handle"), Form.NUMBER, words("s")),
        ),
        tuple(
            (
                row.name,
                row.queue,
                words.name(row.channel),
                row.within_s,
                row.arrivals.value,
                row.answered,
                row.service_level.value,
                row.service_level.low,
                row.service_level.high,
                row.wait_s.value,
                row.wait_p90_s,
                row.abandonment.value,
                row.handle_s,
            )
            for row in result.demands
        ),
        open=True,
    )


def group_table(words: Words, result: Result) -> Table:
    """Return the table of groups."""
    share, hours = words("share_unit"), words("h_a_day")
    columns = [
        Column(words("group")),
        Column(words("agents_head"), Form.WHOLE),
        Column(words("paid"), Form.NUMBER, hours),
        Column(words("signed_in"), Form.NUMBER, hours),
        Column(words("away"), Form.NUMBER, hours),
        Column(words("after_shift"), Form.NUMBER, hours),
        Column(words("occupancy"), Form.SHARE, share),
        Column(words("utilisation"), Form.SHARE, share),
        Column(words("handled"), Form.NUMBER, words("a_day")),
    ]
    if result.currency:
        money = f"{result.currency} {words('a_day')}"
        columns.append(Column(words("cost"), Form.MONEY, money))
        columns.append(Column(words("idle_cost"), Form.MONEY, money))
    rows = tuple(
        (
            row.name,
            row.agents,
            row.paid_hours,
            row.signed_in_hours,
            row.away_hours,
            row.after_shift_hours,
            row.occupancy,
            row.utilisation,
            row.handled,
            *((row.cost, row.idle_cost) if result.currency else ()),
        )
        for row in result.groups
    )
    return Table(words("sheet_groups"), words("groups_table"), tuple(columns), rows, open=True)
