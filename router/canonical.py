"""Write a configuration in the form in which journals and hashes keep it.

A journal is replayed for ever, and the configuration stands in it whole. So a setting that came
later (`router.center.LATER`) is left out where it has its default: a centre that does not use it
has the same bytes and the same hash as before there was such a setting.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

import msgspec
from msgspec import structs

from router.center import LATER, Center
from router.events import CenterChanged, Stamped

_encoder = msgspec.json.Encoder()


def encode_center(center: Center) -> bytes:
    """Return the configuration as JSON: fields and entries in their order."""
    return _encoder.encode(form_of(center))


def journal_form(stamped: Stamped) -> Stamped:
    """Return the stamp as it is to be encoded; only `CenterChanged` has a form of its own."""
    event = stamped.event
    if type(event) is not CenterChanged:
        return stamped
    written: dict[str, Any] = {
        "type": "center_changed",
        "center": msgspec.Raw(encode_center(event.center)),
    }
    for name, default in (("move_to", {}), ("drain", ()), ("rebase", False)):
        if getattr(event, name) != default:
            written[name] = getattr(event, name)
    # An encoder takes what it is given: these bytes are those of the event.
    return structs.replace(stamped, event=written)


def form_of(value: Any) -> Any:  # noqa: ANN401 - any value that a configuration is made of
    """Return a configuration, or a part of one, as plain values: what is written of it.

    msgspec by itself would write what an instance holds, and one that was read holds no defaults:
    the same configuration would have two forms.
    """
    if is_dataclass(value):
        return {
            item.name: form_of(given)
            for item in fields(value)
            if not (
                (given := getattr(value, item.name)) == _default(item) and LATER in item.metadata
            )
        }
    if isinstance(value, dict):
        return {key: form_of(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [form_of(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _default(item: Field[Any]) -> object:
    return item.default if item.default_factory is MISSING else item.default_factory()
