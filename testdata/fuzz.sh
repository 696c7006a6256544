#!/usr/bin/env bash
# Runs every fuzz target of the toolkit and of the example on a number of inputs: fuzz.sh 3000x
set -euo pipefail
inputs=${1:-3000x}
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for module in . example-service; do
	for file in $(cd $module && git ls-files '*_test.go' | grep -v -e testdata/ -e '^example-service/' -e '^bench/' | xargs grep -lE '^func Fuzz'); do
		for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$module/$file"); do
			echo "fuzz $inputs: $module/$(dirname "$file") $target"
			(cd $module && ${GO:-go} test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$inputs" -parallel 2) >"$log" 2>&1 </dev/null ||
				{ cat "$log"; exit 1; }
		done
	done
done
