# What the batch scripts share: checks that fail within seconds, and `run`, which
# gets a job through time limits and preemption.  Sourced by them, not run.
# shellcheck shell=bash
#
#   OPALUX            the checkout, or the folder `opalux` in site-packages
#                     (default: where sbatch was called)
#   OPALUX_PYTHON     command that starts Python (default: that of .venv there);
#                     such as: apptainer exec opalux.sif python
#   OPALUX_REQUEUES   how often a job may be requeued (default: 20)

set -euo pipefail

readonly BAD_INPUT=2     # exit code of what would fail again
readonly CHECKPOINTED=75 # stopped by a signal; the same line resumes it
# Ended by a signal (128 + its number): a job that keeps all it has in files.
readonly ENDED_BY_USR1=138 ENDED_BY_TERM=143

: "${OPALUX:?}" "${SLURM_JOB_ID:?these scripts are for sbatch}"
OPALUX_REQUEUES=${OPALUX_REQUEUES:-20}
read -ra PYTHON <<<"${OPALUX_PYTHON:-$OPALUX/.venv/bin/python}"

export PYTHONUNBUFFERED=1 # a log that can be followed
# Threads for the cores that Slurm allots to a process.  Since Slurm 22.05, srun
# has to be told apart.
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export OPENBLAS_NUM_THREADS=$OMP_NUM_THREADS MKL_NUM_THREADS=$OMP_NUM_THREADS
export NUMBA_NUM_THREADS=$OMP_NUM_THREADS SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS

say() { printf 'opalux: %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit $BAD_INPUT
}

# need_variables NAME...: what the site's modules should have set.
need_variables() {
    local name
    for name in "$@"; do
        [ -n "${!name:-}" ] || fail "$name is not set on $(hostname): load the module that sets it"
    done
}

# load_modules NAME...: some versions of `module load` fail without saying so.
load_modules() {
    type module >/dev/null 2>&1 ||
        fail "no 'module' command on $(hostname): source the file that defines it (see /etc/profile.d) before load_modules"
    local name
    for name in "$@"; do
        set +eu # the site's code, not ours
        module load "$name"
        set -eu
        case ":${LOADEDMODULES:-}:" in
        *":$name:"* | *":$name/"*) ;;
        *) fail "module '$name' did not load on $(hostname): look for it with 'module avail'" ;;
        esac
    done
}

# need_python: does the Python of the job run on this node?
need_python() {
    "${PYTHON[@]}" -c 'import opalux' ||
        fail "'${PYTHON[*]}' cannot import opalux on $(hostname): run setup.sh in $OPALUX, load the modules that it was run with, or set OPALUX_PYTHON"
}

# requeue: put this job back into the queue, unless it was cancelled or has been
# put back too often.
requeue() {
    local job=$SLURM_JOB_ID state restarts=${SLURM_RESTART_COUNT:-0}
    # One element of an array has the number of the whole.
    [ -z "${SLURM_ARRAY_JOB_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    state=$(scontrol show job "$job" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
    if [ "$state" != RUNNING ]; then
        say "not requeued: the job is $state; the same sbatch line continues it"
    elif [ "$restarts" -ge "$OPALUX_REQUEUES" ]; then
        printf 'error: requeued %s times already, which is the limit; the same sbatch line continues it\n' "$restarts" >&2
    else
        trap 'exit $CHECKPOINTED' TERM
        say "requeued for restart $((restarts + 1))"
        if scontrol requeue "$job"; then
            sleep 60 & # Slurm ends this script meanwhile
            wait
        fi
        printf 'error: Slurm does not requeue; the same sbatch line continues it\n' >&2
    fi
    exit $CHECKPOINTED
}

# run COMMAND...: run it as the work of this job, and end with its exit code.
#
# On USR1, which Slurm sends before the time limit and on preemption (--signal=B:
# USR1@...), the command is told to stop.  On TERM, which preemption may send alone,
# and scancel (`requeue` tells it apart), it is told so by USR1 all the same: mpirun
# hands that on and waits, whereas on TERM it kills its ranks a second later.  If the
# command then ends with a checkpoint, or is one that keeps all it has in files, the
# job goes back into the queue and resumes from there.  Any other failure ends the
# job: it would fail again.
run() {
    local code child told_to_stop='' interrupted repeater=''
    [ "${SLURM_RESTART_COUNT:-0}" -le "$OPALUX_REQUEUES" ] ||
        fail "started for the ${SLURM_RESTART_COUNT}th time (a node may fail from this job); given up"
    say "job $SLURM_JOB_ID, ${SLURM_NTASKS:-1} tasks on $SLURM_JOB_NODELIST, restart ${SLURM_RESTART_COUNT:-0}"

    "$@" &
    child=$!
    # shellcheck disable=SC2317  # called by the trap
    # Repeated, since a program that is just starting may not listen yet.
    tell_to_stop() {
        interrupted=1
        [ -z "$told_to_stop" ] || return 0
        told_to_stop=1
        say "told to stop by $1"
        (while kill -USR1 "$child" 2>/dev/null; do sleep 5; done) &
        repeater=$!
    }
    trap 'tell_to_stop USR1' USR1
    trap 'tell_to_stop TERM' TERM

    while :; do # a trap ends `wait` early
        interrupted=
        code=0
        wait "$child" || code=$?
        [ -n "$interrupted" ] || break
    done
    trap '' USR1
    [ -z "$repeater" ] || kill "$repeater" 2>/dev/null || true

    case $code in
    0) return 0 ;;
    "$CHECKPOINTED") requeue ;;
    # Without our asking, a launcher gives these codes when it ends ranks after one failed.
    "$ENDED_BY_USR1" | "$ENDED_BY_TERM") [ -z "$told_to_stop" ] || requeue ;;
    esac
    printf 'error: exit code %s; not requeued, since it would happen again\n' "$code" >&2
    exit "$code"
}
