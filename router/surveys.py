"""Choose the contacts whose customers are asked how it was.

The share is exact: with `survey_percent` p the k-th contact is asked when k p / 100 passes a whole
number (Bresenham's rule), so of any hundred in a row p are asked, spread evenly, and no lot is
drawn. Customers who were asked lately are passed over and do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import whys
from router.decisions import RequestSurvey

if TYPE_CHECKING:
    from router.floor import Floor
    from router.records import Contact, Ending


def ask(floor: Floor, contact: Contact, ending: Ending) -> None:
    """Ask the customer of a contact that was handled, if it is its turn; its category has one."""
    category = contact.profile.category
    every, percent = category.survey_every, category.survey_percent
    if not contact.profile.channel.spec.survey:
        return
    assert floor.center is not None, "a centre comes before contacts"
    cool_down_ms = floor.center.surveys.cool_down_ms
    customer = contact.customer
    if cool_down_ms and customer:
        asked_ms = floor.asked_customers.get(customer)
        if asked_ms is not None and floor.now_ms < asked_ms + cool_down_ms:
            return
    name = contact.profile.category_name
    count = floor.surveyed.get(name, 0) + 1
    floor.surveyed[name] = count
    if every:
        if count % every:
            return
    elif count * percent // 100 == (count - 1) * percent // 100:
        return
    ending.asked = True
    floor.out.append(RequestSurvey(contact.contact_id, whys.SURVEY_DUE))
    if cool_down_ms and customer:
        floor.asked_customers.pop(customer, None)
        floor.asked_customers[customer] = floor.now_ms
        if len(floor.asked_customers) > floor.center.limits.event_ids:
            del floor.asked_customers[next(iter(floor.asked_customers))]
