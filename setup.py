"""Build switchroom; with SWITCHROOM_COMPILE=1, compile the hot modules with mypyc.

Compiled are the core and what a planner's day goes through at every contact.

Everything else about the distribution stands in pyproject.toml. Pure Python is the default
and the reference. `SWITCHROOM_COMPILE=1 pip install .` compiles the same files to C; without a
working C compiler the install falls back to pure Python and says so. A development install
(`pip install --editable`) is never compiled: a compiled module left beside a source that was
edited since would hide the edit. `make compiled` builds in a copy and in its own environment.

A compiled build leaves a `compiled.json` in each package: the hash of the sources it was made
from and of each binary. `router.build_info` reads it back.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from fnmatch import fnmatch
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
CORE = ROOT / "router"
WORLD = ROOT / "simulation"

# Compiled is what stands between event and decision: plain classes and functions. Left out are
# the words, the configuration and what stores them (msgspec structs and dataclasses, which msgspec
# and pydantic must be able to fill), the tables (enums, read as data), and what is not hot.
INTERPRETED_MODULES = (
    "__init__.py",
    "agents.py",
    "build_info.py",
    "canonical.py",
    "center*.py",
    "checks.py",
    "contacts.py",
    "decisions.py",
    "events.py",
    "explain*.py",
    "journal*.py",
    "measures*.py",
    "offers.py",
    "problems.py",
    "ranges.py",
    "reach.py",
    "rivals.py",
    "snapshot*.py",
)
# Of the simulator, what a planner's day goes through at every contact. Not its figures, which
# travel between processes.
WORLD_MODULES = (
    "clockwork.py",
    "plan/counting.py",
    "plan/crews.py",
    "plan/customers.py",
    "plan/day.py",
    "plan/desks.py",
    "plan/dialer.py",
    "plan/draws.py",
    "plan/late.py",
    "plan/phases.py",
    "plan/prepared.py",
    "randomness.py",
    "whatif/onward.py",
    "whatif/onward_lots.py",
)
MYPY = "mypy==2.4.1"
# Whose types the compiled modules need, in the ranges of pyproject.toml.
TYPED = ("msgspec>=0.22,<0.23", "numpy>=2.4,<2.5", "simpy>=4.1.2,<5")


class RecordedBuildExt(build_ext):
    """Build the extensions, then write down what they were built from."""

    def run(self) -> None:
        """Build; leave no record when not one module could be compiled."""
        super().run()
        built = Path(self.build_lib)
        suffix = self.get_ext_filename("x")[1:]
        binaries = sorted(built.rglob(f"*{suffix}"))
        if not binaries:
            self.warn("no module was compiled (is there a C compiler?): this build is pure Python")
            return
        # By path: importing the package needs the libraries, which a build may not have.
        build_info = runpy.run_path(str(CORE / "build_info.py"))
        for package, sources in ((CORE, None), (WORLD, WORLD_MODULES)):
            place = built / package.name
            record = {
                "source_hash": build_info["hash_sources"](package, sources),
                "sources": sources,
                "binaries": {
                    os.path.relpath(path, place): build_info["hash_file"](path)
                    for path in binaries
                    # What all modules share lies above them, and is the core's.
                    if path.is_relative_to(place) or (path.parent == built and package == CORE)
                },
            }
            (place / build_info["RECORD_NAME"]).write_text(json.dumps(record, indent=1) + "\n")


def find_modules() -> list[str]:
    """Return the paths of the modules to compile, relative to this file, sorted."""
    found = [
        path
        for path in sorted(CORE.rglob("*.py"))
        if not any(fnmatch(path.name, pattern) for pattern in INTERPRETED_MODULES)
    ]
    assert found, "the core has modules to compile"
    found += [WORLD / name for name in WORLD_MODULES]
    return [str(path.relative_to(ROOT)) for path in found]


def describe_compiled_build() -> dict[str, object]:
    """Return the arguments of `setup` that a compiled build adds."""
    if os.environ.get("SWITCHROOM_COMPILE") != "1":
        return {}
    if "editable_wheel" in sys.argv or "develop" in sys.argv:
        raise SystemExit(
            "setup.py: SWITCHROOM_COMPILE=1 with an editable install: compiled modules beside the "
            "sources would hide later edits. Unset it, or use `make compiled`."
        )
    described: dict[str, object] = {"setup_requires": [MYPY, *TYPED]}
    if {"egg_info", "dist_info"} & set(sys.argv):
        return described  # the front end only asks; mypyc may not be installed yet
    from mypyc.build import mypycify

    extensions = mypycify(
        ["--strict", "--config-file", "pyproject.toml", *find_modules()],
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "3"),
        multi_file=False,
    )
    for extension in extensions:
        extension.optional = True
    described["ext_modules"] = extensions
    described["cmdclass"] = {"build_ext": RecordedBuildExt}
    return described


if __name__ == "__main__":
    setup(**describe_compiled_build())
