#!/usr/bin/env bash
# Resolve pyproject.toml into requirements/*.txt: one set of versions for every supported Python
# and platform, every file named by its hash. Run by `make lock`; needs a network.
# The installer's own configuration says where packages come from; no file here does.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.cache/lock
if [ ! -x "$tool/bin/uv" ]; then
    "${VENV:-.venv}/bin/python" -m venv "$tool"
    "$tool/bin/python" -m pip install --quiet uv
fi

resolve() {
    local name=$1
    shift
    "$tool/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --system-certs \
        --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
        --output-file "requirements/$name.txt" "$@" pyproject.toml
    # Fail rather than commit where this machine's packages came from.
    if grep -nE '://|^-' "requirements/$name.txt"; then
        echo "lock: requirements/$name.txt names a place, see above; nothing should" >&2
        exit 1
    fi
    echo "requirements/$name.txt: $(grep -c '==' "requirements/$name.txt") packages"
}

# dev first: the others take its versions, so that what was tested is what is installed.
resolve dev "$@" --extra live --extra kafka --extra views --extra plan --extra ical \
    --extra app --extra cluster --extra dashboards --extra bench --extra dev
pins=(--constraints requirements/dev.txt)
resolve base "${pins[@]}"
resolve live "${pins[@]}" --extra live --extra kafka
resolve views "${pins[@]}" --extra live --extra kafka --extra views
resolve plan "${pins[@]}" --extra plan
