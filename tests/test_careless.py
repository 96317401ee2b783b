"""A careless user gives each command the wrong file: it says which, and what to give instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_commands import ROOT, TINY, Cli

# Each command with the place of the file; `{}` is what is given by mistake.
COMMANDS = {
    "contacts": "contacts {}",
    "scorecard": "scorecard {}",
    "check": "check {}",
    "check --against": f"check {TINY} --against {{}}",
    "adapt": f"adapt {{}} --from zendesk --center x --mapping {ROOT}/configs/adapters/zendesk.yaml",
    "rules": "rules {}",
    "rehearse": "rehearse {}",
    "import": "import {}",
    "fit": "fit {}",
    "budget": "budget {} --from 2026-01 --months 1",
    "plan": "plan {}",
    "compare": "compare {} sample",
    "what-if": "what-if {}",
    "journal digest": "journal digest {}",
}
REMEDY = ("; ", "give ", "needs ", "expected", "make one")
MISTAKES = ("not-there", "folder", "empty", "letter.txt", "bytes")


@pytest.fixture
def careless(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Cli:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam,\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00\x01")
    return Cli(monkeypatch, capfd, tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_wrong_file_is_named_with_a_remedy(careless: Cli, command: str) -> None:
    for mistake in MISTAKES:
        if (command, mistake) == ("adapt", "empty"):
            continue  # the export of a quiet hour is no mistake
        told = careless(*COMMANDS[command].format(mistake).split())
        where = f"{command} {mistake}: {told.err}"
        assert told.code in {1, 2}, where
        assert mistake in told.err, where
        assert "Traceback" not in told.err, where
        assert any(word in told.err for word in REMEDY), where
        assert "Errno" not in told.err, where
