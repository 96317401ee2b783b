"""Tell the story of one contact from a store, folding no more of the journal than it takes.

The fold begins at the newest good snapshot from before the contact was first named, and ends when
the contact has ended and nothing names it any more. Without such a snapshot it begins at the start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import msgspec

from router.contacts import ContactState
from router.explain import explain
from router.journal import Entry, JournalError, decode_record
from router.router import Router
from router.snapshot import SnapshotError
from streams.embedded import EmbeddedStore
from streams.recovery import restore

log: Final = logging.getLogger("switchroom.stories")


def tell_story(store: EmbeddedStore, contact_id: str, at_seq: int | None = None) -> str | None:
    """Return the story of a contact, up to `at_seq` if given; None if no entry names it."""
    named = [
        (record.seq_from, record.seq_to) for record in store.records(containing=f'"{contact_id}"')
    ]
    if not named:
        return None
    router = router_before(store, named[0][0])
    entries = _entries(store, router, contact_id, named[-1][1], at_seq)
    return explain(entries, contact_id, router)


def router_before(store: EmbeddedStore, seq: int) -> Router:
    """Return a router that knows the journal up to some entry before `seq`, the nearer the better.

    A snapshot that is damaged, of another version or not of this journal is passed over.
    """
    for snapshot in store.snapshots(before_seq=seq):
        try:
            return restore(snapshot, store.find(snapshot.seq)).router
        except (SnapshotError, JournalError, msgspec.MsgspecError) as error:
            log.warning("snapshot at seq %d is passed over: %s", snapshot.seq, error)
    return Router()


def _entries(
    store: EmbeddedStore, router: Router, contact_id: str, last_named: int, at_seq: int | None
) -> Iterator[Entry]:
    """Yield what comes after the router's state, as long as there may be something to tell.

    Whoever takes an entry feeds it to the router before he takes the next.
    """
    for stored in store.records(router.seq):
        for entry in decode_record(stored.body).entries:
            if at_seq is not None and entry.stamped.seq > at_seq:
                return
            yield entry
        if stored.seq_to >= last_named:
            contact = router.floor.contacts.get(contact_id)
            if contact is None or contact.state == ContactState.ENDED:
                return
