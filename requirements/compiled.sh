#!/usr/bin/env bash
# Compile the core and the world of a planner's day with mypyc in a copy of the sources, install
# that into an environment of its own, and compare both builds there: digests, days, tests. Run by
# `make compiled`, also within `make test`.
#
# Nothing is built in place. The build is kept as long as neither the sources of what is compiled
# nor the locked requirements change. Without a C compiler this says so and passes, except under
# CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
pure=$root/${VENV:-.venv}
home=$root/${COMPILED_VENV:-.venv-compiled}
work=$root/.cache/compiled
python=$pure/bin/python

excuse() {
    echo "##############################################################################" >&2
    echo "## NOT TESTED: the compiled core. $1" >&2
    echo "##############################################################################" >&2
    if [ "${CI:-}" = "true" ]; then
        echo "compiled: in CI that is a failure" >&2
        exit 1
    fi
    exit 0
}

trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
printf '#include <Python.h>\nint main(void) { return PY_MAJOR_VERSION; }\n' >"$trial/try.c"
compiler=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
# CC may carry flags, hence unquoted.
# shellcheck disable=SC2086
if ! ${CC:-$compiler} -I"$include" -c "$trial/try.c" -o "$trial/try.o" 2>"$trial/log"; then
    head -n 3 "$trial/log" >&2
    excuse "'${CC:-$compiler}' cannot compile against Python.h (Debian: apt install gcc python3-dev)."
fi

wanted=$("$python" - <<'PY'
import hashlib, runpy, sys
from pathlib import Path
from router.build_info import hash_sources
setup = runpy.run_path("setup.py", run_name="read")
parts = [sys.version, hash_sources(Path("router"))]
parts += [hash_sources(Path("simulation"), setup["WORLD_MODULES"])]
parts += [hashlib.blake2b(Path(p).read_bytes()).hexdigest() for p in ("setup.py", "requirements/dev.txt")]
print(hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest())
PY
)
if [ ! -x "$home/bin/python" ] || [ "$(cat "$home/.built" 2>/dev/null)" != "$wanted" ]; then
    # An environment of its own, which borrows the libraries of the first one. The development
    # install over there is not borrowed: its .pth file only counts in its own environment.
    "$python" -m venv --clear --without-pip "$home"
    where='import sysconfig; print(sysconfig.get_path("purelib"))'
    "$python" -c "$where" >"$("$home/bin/python" -c "$where")/borrowed.pth"
    rm -rf "$work/source"
    mkdir -p "$work/source"
    for path in pyproject.toml setup.py README.md LICENSE switchroom.py router simulation streams configs; do
        [ ! -e "$path" ] || cp -R "$path" "$work/source/"
    done
    find "$work/source" \( -name __pycache__ -o -name '*.so' \) -prune -exec rm -rf {} +
    started=$SECONDS
    if ! (cd "$work/source" && SWITCHROOM_COMPILE=1 "$python" -m pip --python "$home/bin/python" \
        install --no-deps --no-build-isolation --ignore-installed . >"$work/log" 2>&1); then
        tail -n 60 "$work/log" >&2
        echo "compiled: the core does not compile; all of the log: $work/log" >&2
        exit 1
    fi
    echo "compiled: built in $((SECONDS - started)) s"
    echo "$wanted" >"$home/.built"
fi

# What stays interpreted is as it is here, whenever the build is from.
installed=$("$home/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
cp -R simulation streams configs switchroom.py "$installed/"

# The tests run beside a copy that holds no core, so that only the installed one can be imported,
# and whose simulator has the compiled modules beside its sources.
rm -rf "$work/check"
mkdir -p "$work/check"
for path in tests simulation streams configs benchmarks switchroom.py; do
    [ ! -e "$path" ] || cp -R "$path" "$work/check/"
done
cp pyproject.toml "$work/check/"
(cd "$installed" && find simulation \( -name '*.so' -o -name '*.pyd' -o -name compiled.json \) \
    -exec cp --parents {} "$work/check/" \;)
record=$installed/router/compiled.json
# The same planned days by both builds: every decision, every tally.
nice "$pure/bin/python" -m benchmarks.builds --compiled "$home/bin/python"
cd "$work/check"
# What compares digests, what plays planned days, and what tests a compiled module by name.
tests=(tests/test_build.py)
for path in tests/test_parity.py tests/test_journals.py tests/test_router*.py tests/test_policies*.py \
    tests/test_plan_days.py tests/test_dialer.py tests/test_forecast_now.py; do
    [ ! -e "$path" ] || tests+=("$path")
done
for path in "$root"/.cache/compiled/source/router/*.py; do
    name=tests/test_$(basename "$path")
    compiled=$(grep -c "\"$(basename "$path" .py)\.[^/]*\"" "$record" || true)
    [ "$compiled" = 0 ] || [ ! -e "$name" ] || tests+=("$name")
done
SWITCHROOM_EXPECT_COMPILED=1 nice "$home/bin/python" -P -m pytest -q -n 2 -p no:cacheprovider \
    -m "not nightly" \
    "${tests[@]}"
