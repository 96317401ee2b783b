"""The programs of Prometheus and Alertmanager, found or loudly missed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

import pytest


def find_tool(*names: str) -> str:
    """Return a program's path by the first of its names; in CI its lack is a failure."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    lacking = f"{names[0]} is not installed: run `bash requirements/system.sh`"
    if os.environ.get("CI") == "true":
        pytest.fail(lacking)
    pytest.skip(lacking)


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [find_tool(name), *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def must_run(name: str, arguments: Sequence[str]) -> str:
    """Run a program that must succeed; return what it said."""
    done = run_tool(name, *arguments)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
