#!/bin/sh
# Everything that the Makefile needs on a machine with nothing but python3, make and gcc.
#
#   scripts/setup.sh run     .venv with faxcore in it
#   scripts/setup.sh test    the same, with the tools of the tests
#   scripts/setup.sh peers   the other fax programs that the interop tests talk to, from Debian
#
# Done again it does nothing and takes a moment. As root on Debian it installs what is missing; elsewhere it
# prints the one line to run. PYTHON=/path/to/python3.12 chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=.venv
peers="libspandsp-dev libtiff-dev libtiff-tools poppler-utils tshark"

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }
quietly() { "$@" >/dev/null 2>&1; }

apt_works() { [ "$(id -u)" = 0 ] && quietly command -v apt-get; }

apt_install() {
    say "setup: installing from Debian: $*"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    quietly apt-get update || say "setup: apt-get update failed, trying with the lists that are there"
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

check_python() {
    quietly command -v "$python" || die "there is no $python: faxcore needs Python 3.11 or newer"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$("$python" -V) is too old: faxcore needs 3.11 or newer (try: make PYTHON=/path/to/python3.12 ...)"
}

has_headers() {
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}
has_libc() { printf '#include <stdio.h>\n' | quietly "${CC:-gcc}" -E -; }
has_ensurepip() { quietly "$python" -c 'import ensurepip, venv'; }

install_tools() {
    missing=
    quietly command -v "${CC:-gcc}" || missing="$missing gcc"
    has_libc || missing="$missing libc6-dev"
    has_headers || missing="$missing python3-dev"
    needed=$missing
    has_ensurepip || missing="$missing python3-venv"
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    if apt_works && apt_install $missing && has_libc && has_headers; then return 0; fi
    [ -z "$needed" ] || die "missing to build the kernels; run this, then try again:
    sudo apt-get install -y$missing"
}

make_venv() {
    quietly "$venv/bin/python" -m pip --version && return 0
    rm -rf "$venv"
    if has_ensurepip; then
        "$python" -m venv "$venv"
        return
    fi
    tool=$(mktemp -d)
    "$python" -m pip install -q --target "$tool" virtualenv && PYTHONPATH=$tool "$python" -m virtualenv -q "$venv" || {
        rm -rf "$tool"
        die "no way to make a virtual environment; run this, then try again:
    sudo apt-get install -y python3-venv"
    }
    rm -rf "$tool"
}

# The stamp of an environment: which packages were asked for, by which interpreter, where.
stamp() { { "$python" -V; pwd; cat pyproject.toml; } | cksum; }
stamped() { [ -f "$venv/.$1" ] && [ "$(cat "$venv/.$1")" = "$(stamp)" ]; }
# The kernels themselves know whether they were built from the sources that lie here.
built() { quietly "$venv/bin/python" -c 'import faxcore.kernels'; }

install_faxcore() {
    packages_there=no
    if stamped test || { [ "$1" = run ] && stamped run; }; then packages_there=yes; fi
    [ $packages_there = yes ] && built && return 0
    install_tools
    make_venv
    rm -f faxcore/kernels/_native*.so  # setuptools goes by age, and an old one may be younger than its sources
    if [ $packages_there = yes ]; then
        say "setup: building the kernels"
        "$venv/bin/python" -m pip install -q --no-deps -e .
    else
        say "setup: installing faxcore into $venv"
        extra=
        [ "$1" = run ] || extra="[$1]"
        "$venv/bin/python" -m pip install -q -e ".$extra"
    fi
    "$venv/bin/python" -c 'import faxcore.kernels'
    stamp >"$venv/.$1"
}

install_peers() {
    missing=
    for package in $peers; do
        quietly dpkg -s "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    if apt_works && apt_install $missing; then return 0; fi
    say "setup: without these peers their tests are skipped, and counted; to install them:"
    say "    sudo apt-get install -y$missing"
}

case "${1:-}" in
run | test) check_python && install_faxcore "$1" ;;
peers) install_peers ;;
*) die "usage: scripts/setup.sh run|test|peers" ;;
esac
