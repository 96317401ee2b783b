"""Remember where each value of a configuration was written."""

from __future__ import annotations

from typing import TypeAlias

from configs.yaml_reader import Entry, Item, Leaf, Mapping, Place, Sequence

Path: TypeAlias = tuple[str | int, ...]


class Origins:
    """Lead from a path in the centre to the place and the spelling in the files.

    `group_of` names the agent group that an agent came from; paths into such an agent lead to
    the group.
    """

    def __init__(self, root: Mapping, group_of: dict[str, str] | None = None) -> None:
        self.root = root
        self.group_of = group_of if group_of is not None else {}

    def written_path(self, path: Path) -> Path:
        """Return the path into the files: an agent of a group is found at the group."""
        is_agent = len(path) > 1 and path[0] == "agents"
        if is_agent and str(path[1]) in self.group_of:
            return ("agent_groups", self.group_of[str(path[1])], *path[2:])
        return path

    def origin(self, path: Path) -> Place | None:
        """Return where exactly this value stands; None when it is a default."""
        place, _, depth = self._walk(self.written_path(path), at_key=False)
        return place if depth == len(path) else None

    def place(self, path: Path, *, at_key: bool = False) -> Place:
        """Return where a value stands, or the nearest thing around it that is written."""
        return self._walk(self.written_path(path), at_key=at_key)[0]

    def spelling(self, path: Path) -> str:
        """Return a path as the files spell it: `queues.billing.steps[0].after`."""
        return self._walk(self.written_path(path), at_key=False)[1]

    def item(self, path: Path) -> Item | None:
        """Return what is written at a path; None when nothing is."""
        item: Item = self.root
        for name in self.written_path(path):
            if isinstance(item, Mapping) and name in item.entries:
                item = item.entries[str(name)].item
            elif isinstance(item, Sequence) and isinstance(name, int) and name < len(item.items):
                item = item.items[name]
            else:
                return None
        return item

    def _walk(self, path: Path, *, at_key: bool) -> tuple[Place, str, int]:
        """Follow a path as far as it is written: place, spelling of the whole, depth reached."""
        item: Item | None = self.root
        entry: Entry | None = None
        place, spelling, depth = self.root.place, "", 0
        for name in path:
            written = str(name)
            if isinstance(item, Mapping) and name in item.entries:
                entry = item.entries[str(name)]
                place, written, item = entry.place, entry.written, entry.item
                depth += 1
            elif isinstance(item, Sequence) and isinstance(name, int) and name < len(item.items):
                entry, item = None, item.items[name]
                place = item.place
                depth += 1
            else:
                item = None
            if isinstance(name, int):
                spelling += f"[{name}]"
            else:
                spelling += f".{written}" if spelling else written
        # A block begins below its key; the key is where the reader looks.
        if depth == len(path) and isinstance(item, Leaf) and not (at_key and entry is not None):
            place = item.place
        return place, spelling, depth
