#!/usr/bin/env bash
# Makes sure that there is a Chromium for the tests of the report: Debian's or Ubuntu's own package.
# Without the right to install it says what to do, and succeeds: tests/support/requirements.py judges a missing browser.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the tests of the report" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation
else
  echo "The tests of the report need Chromium: install it (on Debian, as root: apt-get install chromium)." >&2
fi
