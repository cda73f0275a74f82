#!/usr/bin/env bash
#
# Sets Opalux up in .venv.  Every make target runs this first; when nothing has
# changed since the last time, it ends at once.
#
#   Debian 12    MPI and PETSc are Debian's.  As root, the packages that are
#                missing are installed; otherwise they are named.
#   A cluster    PETSC_DIR (and PETSC_ARCH) name the site's PETSc and mpicc on
#                PATH (or MPICC) its MPI; petsc4py and mpi4py are compiled for
#                them.
#
#   PYTHON       a Python 3.11, if the one that is found is not the one to use

set -euo pipefail
cd "$(dirname "$0")"

readonly LOG=setup.log
# What .venv was compiled for; a .venv made for anything else is made anew.
readonly PLATFORM_STAMP=.venv/opalux-platform
# Everything that decides what is installed; written at the very end.
readonly STAMP=.venv/opalux-stamp
readonly MPI_PACKAGES=(openmpi-bin libopenmpi-dev libpetsc-real-dev gcc)
readonly PYTHON_PACKAGES=(python3-dev python3-venv)

# A site's PYTHONPATH would make pip take its packages for ours, and a user's
# pip settings could send packages elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

STEPS=0

say() { printf 'setup: %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# The last line of the log that names an error, or else its last line; pip's
# outer messages ("metadata-generation-failed") say nothing.
reason_of_failure() {
    local line
    line=$(tac $LOG | sed '/^== /q' | grep -iE '^[[:space:]]*(E|error|fatal)\b.*: |: fatal error: ' |
        grep -vE 'subprocess-exited|generation-failed|ResolutionImpossible|Failed (to build|building)|Could not build' | head -n 1) || true
    [ -n "$line" ] || line=$(tail -n 1 $LOG)
    printf '%s' "${line#"${line%%[![:space:]]*}"}"
}

# step TEXT COMMAND...: run a command with its output in the log.
step() {
    local text=$1 start=$SECONDS
    shift
    [ $STEPS -gt 0 ] || : >$LOG
    STEPS=$((STEPS + 1))
    printf 'setup: %s ... ' "$text"
    printf '\n== %s: %s\n' "$text" "$*" >>$LOG
    if "$@" >>$LOG 2>&1; then
        printf '%d s\n' $((SECONDS - start))
    else
        printf 'failed\n'
        fail "$text failed: $(reason_of_failure) (all of it in $PWD/$LOG)"
    fi
}

# --- Debian packages ---------------------------------------------------------

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

# Ensure that the packages are there, all of them in one go.
provide_packages() {
    [ $# -gt 0 ] || return 0
    command -v dpkg-query >/dev/null ||
        fail "not a Debian system: load modules with MPI, PETSc and Python 3.11, set PETSC_DIR (and PETSC_ARCH, PYTHON), and try again"
    local missing
    missing=$(missing_packages "$@" | paste -sd ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        fail "Debian packages are missing: $missing" \
            "ask an administrator for   apt-get install --no-install-recommends $missing" \
            "or bring them yourself: MPI and PETSc by PETSC_DIR (and PETSC_ARCH) and mpicc, Python 3.11 by PYTHON"
    fi
    export DEBIAN_FRONTEND=noninteractive
    step "Debian's list of packages" apt-get update
    # shellcheck disable=SC2086  # a list of words
    step "Debian packages $missing" apt-get install -y --no-install-recommends $missing
}

# --- Python ------------------------------------------------------------------

# Version and place of an interpreter; nothing if it does not run.
describe_python() {
    "$1" -c 'import platform, sys; print(platform.python_version(), sys.base_prefix)' 2>/dev/null || true
}

# Can it make environments, and can extensions be compiled for it?
python_is_fit() {
    "$1" - 2>/dev/null <<'EOF'
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(sys.version_info[:2] != (3, 11) or not os.path.exists(header))
EOF
}

check_the_python_asked_for() {
    local found
    found=$(describe_python "$PYTHON")
    [ -n "$found" ] || fail "PYTHON=$PYTHON does not run: give the path of a Python 3.11"
    [[ $found == 3.11.* ]] ||
        fail "PYTHON=$PYTHON is Python ${found%% *}; Opalux needs 3.11 (petsc4py 3.18 does not run on a later one)"
    python_is_fit "$PYTHON" ||
        fail "PYTHON=$PYTHON lacks its headers (Python.h) or its venv module: install those, or name another"
}

# Sets PYTHON to the one .venv was made with, or else to the first that is fit.
find_python() {
    if [ -e $PLATFORM_STAMP ] && [[ $(describe_python .venv/bin/python) == 3.11.* ]]; then
        PYTHON=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
        return
    fi
    local candidate
    for candidate in python3.11 /usr/bin/python3.11 python3; do
        if python_is_fit "$candidate"; then
            PYTHON=$(command -v "$candidate")
            return
        fi
    done
    return 1
}

# --- MPI and PETSc -----------------------------------------------------------

use_debians_petsc() {
    MPICC=
    PETSC_ARCH=
    PETSC_DIR=$(readlink -e /usr/lib/petscdir/petsc-real) ||
        fail "Debian's PETSc is installed, but /usr/lib/petscdir/petsc-real leads nowhere: set PETSC_DIR"
}

use_the_sites_petsc() {
    local compiler=${MPICC:-mpicc}
    MPICC=$(command -v "$compiler") ||
        fail "PETSC_DIR is set, but there is no $compiler: load the site's MPI module, or set MPICC"
    PETSC_ARCH=${PETSC_ARCH:-}
}

read_petsc_headers() {
    local version_header=$PETSC_DIR/include/petscversion.h
    local settings=$PETSC_DIR/${PETSC_ARCH:+$PETSC_ARCH/}include/petscconf.h
    [ -r "$version_header" ] || fail "PETSC_DIR=$PETSC_DIR holds no PETSc: there is no $version_header"
    [ -r "$settings" ] ||
        fail "PETSC_ARCH='$PETSC_ARCH' is not a build in PETSC_DIR=$PETSC_DIR: there is no $settings"
    if grep -qE '^#define PETSC_USE_(COMPLEX|REAL_SINGLE|REAL___FLOAT128)\b' "$settings"; then
        fail "the PETSc in $PETSC_DIR is not built for real numbers in double precision, which Opalux needs"
    fi
    PETSC_VERSION=$(awk '$1 == "#define" && $2 ~ /^PETSC_VERSION_(MAJOR|MINOR|SUBMINOR)$/ {
        printf "%s%s", dot, $3; dot = "." }' "$version_header")
}

# --- The environment ---------------------------------------------------------

platform_now() {
    printf '%s\n' \
        "at $PWD" \
        "Python $(describe_python "$PYTHON")" \
        "PETSc $PETSC_VERSION in $PETSC_DIR${PETSC_ARCH:+, $PETSC_ARCH}" \
        "MPI ${MPICC:-of Debian}, $(grep '^mpi4py==' constraints.txt)"
}

stamp_now() {
    platform_now
    sha256sum setup.sh pyproject.toml constraints.txt
}

pip_install() {
    .venv/bin/python -m pip install --constraint .venv/constraints.txt "$@"
}

create_environment() {
    # The stamps first: whoever is interrupted here must not find half of it valid.
    rm -f $STAMP $PLATFORM_STAMP
    rm -rf .venv
    step "environment on $PYTHON" "$PYTHON" -m venv .venv
}

# The constraint on petsc4py is for Debian's PETSc; here it follows the PETSc.
write_constraints() {
    sed "s/^petsc4py==.*/petsc4py==$PETSC_VERSION/" constraints.txt >.venv/constraints.txt
}

# These come first: a later setuptools or Cython does not build petsc4py.
install_build_tools() {
    pip_install setuptools wheel cython numpy
}

# Without the cache, as a wheel that was compiled for another MPI looks the same.
# At -O1 it compiles in a third of the time, and it is thin.
compile_against() {
    CFLAGS="-O1 -g0" pip_install --no-cache-dir --no-build-isolation --no-deps "$@"
}

install_opalux() {
    pip_install --no-build-isolation --editable '.[mpi,torch,onnx,cluster,xlsx,dev]' &&
        .venv/bin/python -m pip check
}

run_two_ranks() {
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
        mpirun -n 2 .venv/bin/python -c '
from petsc4py import PETSc
size = PETSc.COMM_WORLD.size
raise SystemExit(f"ERROR: of 2 ranks, PETSc sees {size}" if size != 2 else 0)'
}

main() {
    # Two at the same time: the second waits, and then finds the work done.
    exec 9>.setup.lock
    if ! flock -n 9; then
        say "another set-up is running here; waiting for it"
        flock 9
    fi

    local mpi_is=debians packages=()
    [ -z "${PETSC_DIR:-}" ] || mpi_is=the_sites
    [ $mpi_is = the_sites ] || packages+=("${MPI_PACKAGES[@]}")
    if [ -n "${PYTHON:-}" ]; then
        check_the_python_asked_for
    elif ! find_python; then
        packages+=("${PYTHON_PACKAGES[@]}")
    fi
    provide_packages "${packages[@]}"
    [ -n "${PYTHON:-}" ] || find_python ||
        fail "no Python 3.11 with its headers and venv here: set PYTHON=/path/to/python3.11"
    "use_${mpi_is}_petsc"
    export PETSC_DIR PETSC_ARCH MPICC
    read_petsc_headers

    if [ "$(stamp_now)" = "$(cat $STAMP 2>/dev/null)" ]; then
        say "up to date (.venv)"
        return
    fi

    if [ "$(platform_now)" != "$(cat $PLATFORM_STAMP 2>/dev/null)" ]; then
        say "installing into $PWD/.venv; this takes a few minutes and 2 GB"
        create_environment
        write_constraints
        step "build tools and numpy" install_build_tools
        step "petsc4py, compiled for PETSc $PETSC_VERSION" compile_against "petsc4py==$PETSC_VERSION"
        if [ $mpi_is = the_sites ]; then
            step "mpi4py, compiled with $MPICC" compile_against --no-binary mpi4py mpi4py
        fi
        platform_now >$PLATFORM_STAMP
    else
        say "versions or settings have changed since the last time"
        rm -f $STAMP
        write_constraints
    fi
    step "Opalux and the packages it stands on" install_opalux
    # The login node of a cluster may not run MPI.
    [ $mpi_is = the_sites ] || step "a run on two ranks" run_two_ranks
    stamp_now >$STAMP
    say "done in $SECONDS s"
}

main "$@"
