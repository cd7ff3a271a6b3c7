#!/usr/bin/env bash
# Runs every fuzz target of the module for a short while:
#
#   FUZZTIME=5s FUZZ_BUDGET=150 scripts/fuzz.sh [package…]
#
# FUZZTIME is for each target, in whole seconds. With so many targets that together they would take longer than
# FUZZ_BUDGET seconds each gets an equal part of it, but at least a second. A crasher is left in the package's
# testdata/fuzz, to be committed as a test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly budget=${FUZZ_BUDGET:-150}
seconds=${FUZZTIME:-5s}
seconds=${seconds%s}
if ! [[ ${seconds} =~ ^[1-9][0-9]*$ ]]; then
	echo "fuzz.sh: FUZZTIME=${FUZZTIME:-}: wanted whole seconds, for example 5s" >&2
	exit 2
fi

# Only packages whose test files hold a target are compiled and asked for its name.
packages_with_targets() { # packages_with_targets PATTERN…
	local package dir
	go list -f '{{.ImportPath}} {{.Dir}}' "$@" | while read -r package dir; do
		if grep -qsE '^func Fuzz[A-Z0-9_]' "${dir}"/*_test.go; then
			echo "${package}"
		fi
	done
}

targets=() # "package target"
while read -r package; do
	listed=$(go test -list '^Fuzz' "${package}")
	while read -r target; do
		if [[ ${target} == Fuzz* ]]; then
			targets+=("${package} ${target}")
		fi
	done <<<"${listed}"
done < <(packages_with_targets "${@:-./...}")

if [[ ${#targets[@]} == 0 ]]; then
	echo "fuzz.sh: no fuzz target found in ${*:-./...}" >&2
	exit 1
fi
if ((seconds * ${#targets[@]} > budget)); then
	seconds=$((budget / ${#targets[@]}))
	((seconds > 0)) || seconds=1
fi
echo "fuzz.sh: ${#targets[@]} targets, ${seconds}s each"

log=$(mktemp)
trap 'rm -f "${log}"' EXIT

fuzz_once() { # fuzz_once PACKAGE TARGET
	go test -run '^$' -fuzz "^$2\$" -fuzztime "${seconds}s" -fuzzminimizetime 10x -parallel 2 "$1" >"${log}" 2>&1
}

# Go before 1.27 may report its own end of the fuzzing time as a failure (go.dev/issue/75804). Such a run wrote no
# input and names nothing but the deadline; it is run again, once.
ended_by_clock_alone() {
	grep -q '^    context deadline exceeded$' "${log}" && ! grep -qE 'Failing input written|panic:|_test\.go:' "${log}"
}

failed=()
for each in "${targets[@]}"; do
	read -r package target <<<"${each}"
	echo "== ${package} ${target}"
	if ! fuzz_once "${package}" "${target}"; then
		if ! ended_by_clock_alone; then
			failed+=("${each}")
		else
			echo "fuzz.sh: the fuzzer reported its own deadline (go.dev/issue/75804), again"
			fuzz_once "${package}" "${target}" || failed+=("${each}")
		fi
	fi
	cat "${log}"
done
if [[ ${#failed[@]} != 0 ]]; then
	echo "fuzz.sh: failed:" >&2
	printf '  %s\n' "${failed[@]}" >&2
	exit 1
fi
