#!/usr/bin/env bash
# Runs every fuzz target of the module for a while each: fuzz.sh 3s
set -euo pipefail
time=${1:-3s}
cd "$(dirname "$0")/.."
grep -rEl --include='*_test.go' '^func Fuzz' . --exclude-dir=testdata --exclude-dir=bench --exclude-dir=example-service | sort | while read -r file; do
	for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
		echo "fuzz $time: $(dirname "$file") $target"
		${GO:-go} test "$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 >/tmp/fuzz.$$ 2>&1 </dev/null ||
			{ cat /tmp/fuzz.$$; rm -f /tmp/fuzz.$$; exit 1; }
	done
done
rm -f /tmp/fuzz.$$
