"""Say which rights each part of a deployment needs on a cluster, and print them as commands.

The worker reads its inputs, keeps its journal and writes what it says; it makes, deletes and
alters nothing and has no right on the cluster. Who may write the inputs decides over contacts, so
only adapters may; who may write the operator's topic decides over whole centres.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from streams.topics import TopicNames, dead_letters_of


class Role(StrEnum):
    """Who asks for rights."""

    WORKER = "worker"
    ADAPTER = "adapter"
    OPERATOR = "operator"
    READER = "reader"


class Right(Struct, frozen=True):
    """Operations on resources of one kind; `prefixed`: on all whose names begin so."""

    resource: str
    names: tuple[str, ...]
    operations: tuple[str, ...]
    prefixed: bool = False


_READ: Final = ("Read",)
_WRITE: Final = ("Write",)


def rights_of(role: Role, names: TopicNames, *, http_events: bool = False) -> tuple[Right, ...]:
    """Return what a role needs; `http_events`: the worker takes events over HTTP, too."""
    deployment = (f"{names.prefix}.",)
    letters = tuple(dead_letters_of(topic) for topic in names.inputs)
    match role:
        case Role.WORKER:
            return (
                Right("topic", names.inputs, ("Read", "Write") if http_events else _READ),
                Right("topic", (names.journal,), ("Read", "Write")),
                Right("topic", (names.decisions, *letters), _WRITE),
                Right("group", deployment, _READ, prefixed=True),
                Right("transactional-id", deployment, ("Write", "Describe"), prefixed=True),
            )
        case Role.ADAPTER:
            return (
                Right("topic", (names.contacts, names.agents), _WRITE),
                Right("topic", (names.decisions,), _READ),
            )
        case Role.OPERATOR:
            return (Right("topic", (names.control,), _WRITE),)
        case Role.READER:
            return (Right("topic", (names.journal, names.decisions), _READ),)


def acl_commands(
    rights: tuple[Right, ...], address: str, principal: str, admin_file: str = "admin.properties"
) -> list[str]:
    """Return one `kafka-acls.sh` command a right."""
    commands = []
    for right in rights:
        resources = " ".join(f"--{right.resource} {name}" for name in right.names)
        operations = " ".join(f"--operation {operation}" for operation in right.operations)
        prefixed = " --resource-pattern-type prefixed" if right.prefixed else ""
        commands.append(
            f"kafka-acls.sh --bootstrap-server {address} --command-config {admin_file} --add "
            f"--allow-principal {principal} {operations} {resources}{prefixed}"
        )
    return commands
