#!/usr/bin/env bash
# Fails if the program holds a function of ours that no way through it reaches. The public packages are left out:
# their callers are other people's programs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

found=$(go tool -modfile=tools/go.mod deadcode -filter '^github.com/stillcast/stillcast/(internal|cmd)(/|$)' ./cmd/...)
if [[ -n ${found} ]]; then
	echo "deadcode: never reached from cmd:" >&2
	echo "${found}" >&2
	exit 1
fi
