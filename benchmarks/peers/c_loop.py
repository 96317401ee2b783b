"""Run the model in C (`erlang_a.c`), compiled on first use with the machine's own compiler."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.customers import Customers, Model

_SOURCE = Path(__file__).with_name("erlang_a.c")


def compiler() -> str | None:
    """Return the path of a C compiler, or None when the machine has none."""
    return shutil.which("cc") or shutil.which("gcc")


@cache
def _library() -> ctypes.CDLL:
    """Compile the source into a directory of its own; raises `CalledProcessError` on failure."""
    found = compiler()
    assert found is not None, "asked only where a compiler exists"
    name = hashlib.blake2b(_SOURCE.read_bytes(), digest_size=8).hexdigest()
    directory = Path(tempfile.mkdtemp(prefix="switchroom-bench-"))
    target = directory / f"erlang_a_{name}.so"
    subprocess.run([found, "-O2", "-shared", "-fPIC", "-o", target, _SOURCE], check=True)
    library = ctypes.CDLL(str(target))
    shutil.rmtree(directory)
    return library


_columns: list[np.ndarray[Any, np.dtype[np.int64]]] = []


def prepare(customers: Customers) -> None:
    """Compile, and lay the customers out as C wants them, before the clock runs."""
    _library()
    _columns[:] = [
        np.array(column, dtype=np.int64)
        for column in (customers.arrivals_ms, customers.services_ms, customers.patiences_ms)
    ]


def run(model: Model, customers: Customers) -> bytearray:
    """Serve one queue of the customers that were prepared."""
    count = len(customers)
    assert [len(column) for column in _columns] == [count] * 3, "these customers were prepared"
    outcome = bytearray(count)
    pointers = [column.ctypes.data_as(ctypes.c_void_p) for column in _columns]
    target = (ctypes.c_ubyte * count).from_buffer(outcome)
    failed = _library().run(
        ctypes.c_int64(count), ctypes.c_int64(model.agents), *pointers, ctypes.byref(target)
    )
    if failed:
        raise MemoryError("the C loop found no memory for its customers")
    return outcome
