# shellcheck shell=bash
# Sourced by the scripts that run MPI programs on this machine with the shim preloaded, against a page that gate_driver closes and opens.
# They set "shim" before, and name themselves in "test_name". Everything that is made here is gone when they end.

shim_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# How often the gate is closed under each program.
cycles=${STILLCUT_TEST_CYCLES:-100}
work=$(mktemp -d)
page=/dev/shm/stillcut-gate-test-$$
job=''
trap 'end' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

end() {
    local status=$?
    if [[ -n $job ]] && kill -0 "$job" 2>/dev/null; then
        driver open
        kill "$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    [[ $status == 0 ]] || cat "$work/output" >&2 2>/dev/null || true
    rm -rf "$work" "$page"
}

die() {
    echo "$test_name: $*" >&2
    exit 1
}

# need COMMAND...: none of the tests is left out because something is not installed.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || die "there is no $command; scripts/setup installs what the tests need"
    done
}

build_driver() {
    cc -std=c17 -O2 -Wall -Wextra -Werror -o "$work/gate_driver" "$shim_tests/gate_driver.c" "$shim_tests/../../daemon/gate.c"
}

driver() { "$work/gate_driver" "$page" "$@"; }

fresh_page() {
    rm -f "$page"
    driver make
}

# What the ranks of one machine talk through; a test that wants the network sets another.
transports=(--mca btl "self,vader,tcp")

# Limits make the hang of a broken gate a failure.
open_mpi() {
    local ranks=$1
    shift
    timeout 120 mpirun.openmpi --oversubscribe "${transports[@]}" --mca pml ob1 --mca osc pt2pt -np "$ranks" \
        -x LD_PRELOAD="$shim" -x STILLCUT_GATE="$page" "$@"
}

# Waits until so many threads have called MPI, or the job has ended: a short one may be over before it is seen.
await_start() {
    local threads=$1
    while kill -0 "$job" 2>/dev/null; do
        [[ $(driver counts | awk '{ print $2 + $4 + $6 }') -lt $threads ]] || return 0
        sleep 0.02
    done
}

# under_cycles NAME THREADS PUMP EXPECTED COMMAND...: closes and opens the gate under the program, which runs as often as that takes. Its
# last line must be as expected each time, and there must be nothing else in its output.
under_cycles() {
    local name=$1 threads=$2 pump=$3 expected=$4 left=$cycles result runs=0
    shift 4
    while ((left > 0)); do
        ((++runs <= cycles)) || die "$name: the program is too short for a cycle"
        fresh_page
        "$@" >"$work/output" 2>&1 &
        job=$!
        await_start "$threads"
        result=$(driver cycles "$left" "$pump") || die "$name failed in a cycle"
        wait "$job" || die "$name failed"
        job=''
        tail -n 1 "$work/output" | grep -qxE "$expected" || die "$name did not say '$expected'"
        [[ $(wc -l <"$work/output") == "$(grep -cE '^(storm|modes|traffic)' "$work/output")" ]] || die "$name: output that is not the program's"
        left=$((left - ${result%% *}))
        [[ $result == "0 cycles"* ]] || echo "ok $name: $result"
    done
}
