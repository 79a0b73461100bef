#!/usr/bin/env bash
# Start a tool in N processes; called by the dist_*.sh scripts.
#
#   bash tools/_launch.sh N TOOL [arguments]
#   bash tools/_launch.sh N -m MODULE [arguments]
#
# PYTHON names the interpreter (default: python).
set -euo pipefail

processes=$1
shift
if ! [[ $processes =~ ^[1-9][0-9]*$ ]]; then
    echo "error: \"$processes\" is not a number of processes:" \
        "give 1 or more" >&2
    exit 2
fi
tool=("$1")
shift
if [ "${tool[0]}" = -m ]; then
    tool+=("$1")
    shift
fi
python=${PYTHON:-python}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# the package of this checkout, for -m
export PYTHONPATH="$(dirname "$here")${PYTHONPATH:+:$PYTHONPATH}"

# so that the processes share the cores instead of fighting for them
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
threads=$((cores / processes))
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((threads > 0 ? threads : 1))}

if [ "${NNODES:-1}" -gt 1 ]; then
    rendezvous=(
        --nnodes "$NNODES" --node-rank "${NODE_RANK:-0}"
        --master-addr "${MASTER_ADDR:?the address of the first machine}"
        --master-port "${PORT:-29500}"
    )
elif [ -n "${PORT:-}" ]; then
    rendezvous=(--master-addr 127.0.0.1 --master-port "$PORT")
else
    # torchrun takes a free port
    rendezvous=(--standalone)
fi
exec "$python" "$here/_torchrun.py" "${rendezvous[@]}" \
    --nproc-per-node "$processes" "${tool[@]}" --launcher pytorch "$@"
