"""Keep the style: what the linters cannot say is said here, one test a rule.

ruff already asks for docstrings, refuses `print` outside the commands, and refuses clocks and
lots in the core; import-linter keeps the packages apart. If a rule is wrong, change the rule in
the same commit and say why; exceptions stand in the tables below with their reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from router import decisions, events

HERE = Path(__file__).parent
ROOT = HERE.parent
PACKAGES = ("router", "simulation", "streams", "configs")
CHECKED = (*PACKAGES, "benchmarks", "tests")

# Stop and look for the missing concept at these lengths.
MODULE_LINES_MAX = 450
TEST_LINES_MAX = 800  # a list of cases, read one at a time
FUNCTION_LINES_MAX = 70
LONG_MODULES = {
    "router/events.py": "a catalogue: one class a word, no logic; splitting it hides the whole",
    "router/decisions.py": "a catalogue, as events",
    "router/center.py": "a catalogue, as events",
}
LONG_FUNCTIONS: dict[str, str] = {}

NOTHING_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "types", "misc"}

# What the core may import: pure computation. Not here: all that waits, listens, reads a clock,
# draws a lot, or depends on the machine.
CORE_IMPORTS = {
    "__future__", "bisect", "collections", "dataclasses", "datetime", "difflib", "enum",
    "functools", "hashlib", "heapq", "importlib", "itertools", "json", "math", "msgspec",
    "operator", "pathlib", "re", "router", "typing", "zoneinfo",
}  # fmt: skip
AUDITOR_IMPORTS = {"router.events", "router.decisions", "router.center"}

# Nothing of theirs flows back into an order or a time.
FLOAT_MODULES = {
    "measures*.py": "shares and means are quotients",
    "problems.py": 'how alike two words must be for "did you mean"',
}

FORBIDDEN_TEXT = {
    r"\b(TODO|FIXME|XXX|HACK)\b": "finish it, or write what holds today",
    r"\breservations?\b": "we say offer",
    r"\bif (not )?(self\.)?(is_)?live\b": "two drivers, one core: the driver differs, not the code",
    r"(?<![\w.])/(home|root|work)/\w": "a path of one machine",
    r"\b[Ii]ssue #?\d": "say what was wrong, not where it was filed",
}
# Where another platform's word is what it says.
THEIR_WORDS = {r"\breservations?\b": ("ADAPTERS.md", "streams/adapters/*", "tests/adapters/*")}
TEXT_SUFFIXES = {
    ".css", ".html", ".ini", ".js", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
SKIPPED_FOLDERS = {"build", "dist", "out", "node_modules", "__pycache__", "shared"}


def find_files(*names: str, pattern: str = "*.py") -> list[Path]:
    """Return the files below these folders of the project, sorted."""
    return sorted(path for name in names for path in (ROOT / name).rglob(pattern))


def find_texts() -> list[Path]:
    """Return all text files of the project but this one, whose tables name what they refuse."""
    folders = [
        path
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in SKIPPED_FOLDERS
    ]
    files = [path for path in ROOT.iterdir() if path.is_file()]
    files += [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(
        path
        for path in files
        if (path.suffix in TEXT_SUFFIXES or path.name == "Makefile")
        and "__pycache__" not in path.parts
        and path != Path(__file__)
    )


def relative(path: Path) -> str:
    """Return a path as seen from the project's root."""
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def find_imports(tree: ast.AST, *, package: str = "") -> Iterator[str]:
    """Yield the dotted names of all modules a tree imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = f"{package}.{module}".strip(".")
            # `from router import events` imports a module, too.
            yield from (
                [f"{module}.{name.name}" for name in node.names] if module in PACKAGES else [module]
            )


# --- sizes and names ------------------------------------------------------------------------------


def test_modules_are_short() -> None:
    too_long = {
        relative(path): lines
        for path in find_files(*CHECKED)
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (TEST_LINES_MAX if path.is_relative_to(HERE) else MODULE_LINES_MAX)
        and relative(path) not in LONG_MODULES
    }
    assert too_long == {}, f"over {MODULE_LINES_MAX} lines: which concept is missing?"


def test_functions_are_short() -> None:
    too_long = {}
    for path in find_files(*CHECKED):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                name = f"{relative(path)}:{node.name}"
                if lines > FUNCTION_LINES_MAX and name not in LONG_FUNCTIONS:
                    too_long[name] = lines
    assert too_long == {}, f"over {FUNCTION_LINES_MAX} lines: which leaf is missing?"


def test_exceptions_are_still_needed() -> None:
    for name in LONG_MODULES:
        assert (ROOT / name).exists(), f"{name} is gone; so should be its exception"


def test_modules_are_named_for_what_they_hold() -> None:
    named = {relative(path) for path in find_files(*CHECKED) if path.stem in NOTHING_NAMES}
    assert named == set(), "a name that could head a chapter, please"


@pytest.mark.parametrize("package", [name for name in PACKAGES if (ROOT / name).is_dir()])
def test_a_package_opens_with_a_map(package: str) -> None:
    folder = ROOT / package
    told = set(re.findall(r"`([\w*]+)[/`]", ast.get_docstring(parse(folder / "__init__.py")) or ""))
    rooms = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    rooms |= {path.parent.name for path in folder.glob("*/__init__.py")}
    missing = {room for room in rooms if not any(fnmatch(room, name) for name in told)}
    assert missing == set(), f"{package}/__init__.py: its docstring does not name these"


@pytest.mark.parametrize("pattern", FORBIDDEN_TEXT)
def test_texts_are_free_of(pattern: str) -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()[:80]}"
        for path in find_texts()
        if not any(fnmatch(relative(path), theirs) for theirs in THEIR_WORDS.get(pattern, ()))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line)
    ]
    assert found == [], FORBIDDEN_TEXT[pattern]


def test_requirements_name_versions_and_hashes_and_no_place() -> None:
    files = find_files("requirements", pattern="*.txt")
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"://|^-", text, re.MULTILINE), relative(path)
        packages = re.split(r"(?<!\\)\n", text.strip())
        assert packages, relative(path)
        for package in packages:
            assert "==" in package, f"{relative(path)}: {package}"
            assert "--hash=sha256:" in package, f"{relative(path)}: {package}"


@pytest.mark.parametrize(
    ("world", "foreign"),
    [("live", {"numpy", "scipy", "simpy"}), ("plan", {"aiohttp", "aiokafka", "prometheus-client"})],
)
def test_no_world_carries_the_other_ones_libraries(world: str, foreign: set[str]) -> None:
    text = (ROOT / "requirements" / f"{world}.txt").read_text(encoding="utf-8")
    carried = set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
    assert "msgspec" in carried
    assert carried & foreign == set()


# --- imports --------------------------------------------------------------------------------------


def test_the_core_imports_pure_computation_only() -> None:
    found = {
        f"{relative(path)}: {name}"
        for path in find_files("router")
        for name in find_imports(parse(path), package="router")
        if name.partition(".")[0] not in CORE_IMPORTS
    }
    assert found == set(), "the core imports the standard library's pure part and msgspec"


def test_the_auditor_shares_no_code_with_the_core() -> None:
    judge = [*find_files("simulation", pattern="auditor*.py")]
    judge += find_files("simulation/auditor") if (ROOT / "simulation/auditor").is_dir() else []
    found = {
        f"{relative(path)}: {name}"
        for path in judge
        for name in find_imports(parse(path), package="simulation")
        if name.partition(".")[0] in PACKAGES
        and name not in AUDITOR_IMPORTS
        and not name.startswith("simulation.auditor")
    }
    assert found == set(), "a judge who asks the accused is no judge"


# --- the core: integers, and an order that does not depend on a hash ------------------------------


def find_floats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and kind of everything that makes or could make a float."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()):
                yield node.lineno, "a float literal"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division; integers want // and a stated rounding"
            case ast.Call(func=ast.Name(id="float")):
                yield node.lineno, "float()"
            case _:
                pass


def makes_set(node: ast.AST | None) -> bool:
    """Say whether an expression or annotation is plainly a set."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Name(id="set" | "frozenset"):
            return True
        case ast.Subscript(value=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Constant(value=str(text)):
            return text.startswith(("set[", "frozenset["))
        case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub()):
            return makes_set(left) or makes_set(right)
        case _:
            return False


def find_set_names(tree: ast.AST) -> set[str]:
    """Return what is given a set or annotated as one below a node, as it is written: `x`, `self.x`.

    A name in the body of a class counts as `self.x`, too.
    """
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value) if makes_set(value):
                names |= {ast.unparse(target) for target in targets}
            case ast.AnnAssign(target=target, annotation=note, value=value) if makes_set(
                note
            ) or makes_set(value):
                names.add(ast.unparse(target))
            case ast.arg(arg=name, annotation=note) if makes_set(note):
                names.add(name)
            case ast.ClassDef(body=body):
                for line in body:
                    if isinstance(line, ast.AnnAssign) and makes_set(line.annotation):
                        names.add(f"self.{ast.unparse(line.target)}")
            case _:
                pass
    return names


# These go through their argument in its own order. `sorted` and `len` do not; min and max of a
# set are the same in any order unless a key lets different members tie.
ORDERED_READERS = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed", "dict"}


def find_set_iterations(tree: ast.AST) -> list[int]:
    """Return the lines where the order of a set's members could be seen.

    A name counts as a set within the function that says so, an attribute in the whole module.
    """
    attributes = {name for name in find_set_names(tree) if "." in name}
    scopes: list[ast.AST] = [tree]
    scopes += [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    lines: set[int] = set()
    for scope in scopes:
        known = attributes | find_set_names(scope) if scope is not tree else attributes
        lines |= set(find_walks(scope, known))
    top = [node for node in getattr(tree, "body", []) if not isinstance(node, ast.FunctionDef)]
    at_top = ast.Module([node for node in top if not isinstance(node, ast.ClassDef)], [])
    return sorted(lines | set(find_walks(at_top, find_set_names(at_top))))


def find_walks(tree: ast.AST, names: set[str]) -> Iterator[int]:
    """Yield the lines below a node that go through a set, plainly written or one of `names`."""

    def is_set(node: ast.AST) -> bool:
        named = isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in names
        return named or makes_set(node)

    for node in ast.walk(tree):
        match node:
            case ast.For(iter=source) | ast.comprehension(iter=source) if is_set(source):
                yield source.lineno
            case ast.Starred(value=source) if is_set(source):
                yield node.lineno
            case ast.Call(func=ast.Name(id=reader), args=sources) if reader in ORDERED_READERS:
                yield from (node.lineno for source in sources if is_set(source))
            case ast.Call(func=ast.Name(id="min" | "max"), args=[source], keywords=keys) if keys:
                yield from ([node.lineno] if is_set(source) else [])
            case ast.Call(func=ast.Attribute(attr="join"), args=[source]) if is_set(source):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=source, attr="pop"), args=[]) if is_set(source):
                yield node.lineno
            case _:
                pass


def core_modules() -> list[Path]:
    """Return the modules of the core."""
    return find_files("router")


def test_the_core_counts_in_integers() -> None:
    found = [
        f"{relative(path)}:{line}: {kind}"
        for path in core_modules()
        if not any(fnmatch(path.name, pattern) for pattern in FLOAT_MODULES)
        for line, kind in find_floats(parse(path))
    ]
    assert found == []


def test_the_core_never_walks_over_a_set() -> None:
    found = [
        f"{relative(path)}:{line}"
        for path in core_modules()
        for line in find_set_iterations(parse(path))
    ]
    assert found == [], "a set's order depends on the hash seed: sort it, or use a dict"


def test_the_core_asks_for_no_hash_and_no_address() -> None:
    found = [
        f"{relative(path)}:{node.lineno}: {node.func.id}()"
        for path in core_modules()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"hash", "id"}
    ]
    assert found == [], "both differ from run to run"


@pytest.mark.parametrize("text", ["x = 1.5", "x = a / b", "x /= 2", "x = float(y)"])
def test_floats_are_found(text: str) -> None:
    assert list(find_floats(ast.parse(text)))


@pytest.mark.parametrize("text", ["x = a // b", "x = 15", "p = 'a/b'"])
def test_integers_pass(text: str) -> None:
    assert not list(find_floats(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: pass",
        "y = [x for x in set(z)]",
        "def f(s: set[str]) -> None:\n    for x in s: pass",
        "class A:\n    def f(self) -> None:\n        self.s = set()\n        list(self.s)",
        "s = frozenset(z)\nt = (*s,)",
        "s: set[int] = z\n','.join(s)",
        "s = {1, 2}\ns.pop()",
        "s = {1, 2}\nmax(s, key=f)",
        "for x in set(a) - set(b): pass",
        "class A:\n    s: set[int]\n    def f(self) -> None:\n        for x in self.s: pass",
    ],
)
def test_walks_over_a_set_are_found(text: str) -> None:
    assert list(find_set_iterations(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "for x in sorted({1, 2}): pass",
        "s = {1, 2}\nif 1 in s: pass",
        "d = {1: 2}\nfor x in d: pass",
        "s = set()\nlen(s)",
        "s = {1, 2}\nmax(s)",
        "def f(s: set[int]) -> None: ...\ndef g(s: list[int]) -> None:\n    for x in s: pass",
    ],
)
def test_harmless_sets_pass(text: str) -> None:
    assert not list(find_set_iterations(ast.parse(text)))


# --- words ----------------------------------------------------------------------------------------


def find_words() -> dict[str, list[str]]:
    """Return the public words of the core: events, decisions and their reasons."""
    return {
        "event": [kind.__name__ for kind in events.EVENT_TYPES],
        "decision": [kind.__name__ for kind in decisions.DECISION_TYPES],
        "reason": [reason.name for reason in decisions.Reason],
    }


@pytest.mark.parametrize("kind", ["event", "decision", "reason"])
def test_the_glossary_knows_every_word(kind: str) -> None:
    path = ROOT / "GLOSSARY.md"
    assert path.exists(), "GLOSSARY.md is missing"
    told = set(re.findall(r"[A-Za-z_]+", path.read_text(encoding="utf-8")))
    missing = [word for word in find_words()[kind] if word not in told and word.lower() not in told]
    assert missing == [], f"each {kind} has a line in GLOSSARY.md"


def test_these_tests_run_where_asserts_count() -> None:
    assert sys.flags.optimize == 0, "never with -O: broken invariants are asserts"
