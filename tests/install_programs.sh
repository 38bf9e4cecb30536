#!/usr/bin/env bash
# Makes sure that there are a Chromium, for the tests of the report and the page, a LibreOffice, for those of the tables, and
# node with npm, which build the page: Debian's or Ubuntu's own packages. Without the right to install it says what to do,
# and succeeds: tests/support/requirements.py judges what is missing.
set -euo pipefail

there() { for name in "$@"; do if command -v "$name" >/dev/null; then return 0; fi; done; return 1; }

packages=()
there chromium chromium-browser google-chrome || packages+=(chromium fonts-liberation)
there npm || packages+=(npm)
there soffice || packages+=(libreoffice-calc-nogui)
if ((${#packages[@]} == 0)); then exit 0; fi

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing ${packages[*]} for the tests" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
else
  echo "The tests of the report, the page and the tables, and the check of the page, need: ${packages[*]} (on Debian, as root: apt-get install ...)." >&2
fi
