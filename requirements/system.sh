#!/usr/bin/env bash
# Install the Debian packages that the tests use, where apt and root are at hand.
#
#   prometheus               prometheus, promtool: rules, boards, the chain of alerts
#   prometheus-alertmanager  prometheus-alertmanager, amtool
#   chromium                 pages and reports, seen as a browser sees them
#   fonts-noto-cjk           their texts in Chinese
#
# Does nothing, at once, when all are there. Where it cannot install them it says what will be
# skipped; under CI=true that is a failure.
set -uo pipefail

missing=()
command -v promtool >/dev/null && command -v prometheus >/dev/null || missing+=(prometheus)
{ command -v prometheus-alertmanager || command -v alertmanager; } >/dev/null &&
	command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
command -v chromium >/dev/null || missing+=(chromium)
fonts=(/usr/share/fonts/*/noto/NotoSansCJK* /usr/share/fonts/noto-cjk/*)
[ -e "${fonts[0]}" ] || [ -e "${fonts[-1]}" ] || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0

echo "set-up: ${missing[*]} (Debian packages, for tests only)"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; then
	export DEBIAN_FRONTEND=noninteractive
	install=(apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
	# Services of these packages are not wanted here: the tests start their own.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
		"${as_root[@]}" chmod +x "$policy"
		trap '"${as_root[@]}" rm -f "$policy"' EXIT
	fi
	{ "${as_root[@]}" "${install[@]}" >/dev/null ||
		{ "${as_root[@]}" apt-get update --quiet >/dev/null && "${as_root[@]}" "${install[@]}" >/dev/null; }; } &&
		exit 0
fi

echo "set-up: could not install ${missing[*]}: their tests are skipped, each says so." >&2
echo "        Debian: apt install --no-install-recommends ${missing[*]}" >&2
if [ "${CI:-}" = "true" ]; then
	exit 1
fi
