#!/usr/bin/env bash
# A new service from an empty folder, running: demo.sh path/to/esgen
set -euo pipefail
esgen=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
scratch=$(mktemp -d)
trap 'kill ${server:-0} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$scratch"' EXIT
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; echo; }
fetch() { if command -v curl >/dev/null; then curl -sS "$@"; else "$esgen.fetch" "$@"; fi; }

cd "$scratch"
say "a new service, from one schema"
show "$esgen" init shop --module example.com/shop
cd shop
say "it builds and passes its tests"
show go build ./...
show go test ./...
