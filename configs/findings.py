"""Say what was found in the files: one line each, as `file:line:column: path: message`."""

from __future__ import annotations

from dataclasses import dataclass

from configs.yaml_reader import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning at its place; `path` is as the file writes it ("" for a whole file)."""

    place: Place
    path: str
    message: str
    suggestion: str = ""
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        path = f"{self.path}: " if self.path else ""
        remedy = f'; did you mean "{self.suggestion}"?' if self.suggestion else ""
        return f"{self.place}: {kind}{path}{self.message}{remedy}"

    def order(self) -> tuple[str, int, int, str]:
        """Return the key that sorts findings by place."""
        return (self.place.file, self.place.line, self.place.column, self.message)


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings by place, each line once (a group's mistake is that of all its agents)."""
    return tuple(sorted(set(findings), key=Finding.order))


class ConfigError(Exception):
    """A configuration that cannot be used; its text lists every error at once."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = in_order([found for found in findings if not found.warning])
        assert self.findings, "a configuration is refused for a reason"
        super().__init__("\n".join([*map(str, self.findings), self.summary()]))

    def summary(self) -> str:
        """Return the last line: how many errors, and that nothing was loaded."""
        count = len(self.findings)
        return f"{count} error{'s' if count > 1 else ''}; nothing loaded"
