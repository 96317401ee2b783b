"""Set the tests' stage: which core must run, how many seeds, how hypothesis behaves."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from router.build_info import COMPILED

# The same examples in every run, and no time limit an example could trip over on a busy machine:
# a failure here fails everywhere. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("steady")

EXPECT_COMPILED = "SWITCHROOM_EXPECT_COMPILED"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of seeds for tests that ask for `simulation_seed`."""
    group = parser.getgroup("switchroom")
    group.addoption("--seeds", type=int, default=12, help="how many seeds to simulate")
    group.addoption("--first-seed", type=int, default=1, help="the first of them")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `simulation_seed` once per seed, marked `seeds`."""
    if "simulation_seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("first_seed")
        count = metafunc.config.getoption("seeds")
        metafunc.parametrize(
            "simulation_seed",
            [pytest.param(seed, marks=pytest.mark.seeds) for seed in range(first, first + count)],
        )


def pytest_report_header() -> str:
    """Say which core the tests run on."""
    return f"core: {'compiled' if COMPILED else 'pure Python'}"


def pytest_sessionstart() -> None:
    """Stop when the compiled core was asked for and the pure one answered."""
    if os.environ.get(EXPECT_COMPILED) == "1" and not COMPILED:
        pytest.exit(f"{EXPECT_COMPILED}=1, but the core that was imported is pure Python", 3)
