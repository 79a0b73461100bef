#!/usr/bin/env bash
# Start a tool with srun; called by the slurm_*.sh scripts.
#
#   bash tools/_slurm.sh PARTITION JOB TOOL [arguments]
#   bash tools/_slurm.sh PARTITION JOB -m MODULE [arguments]
set -euo pipefail

partition=$1
job=$2
tool=("$3")
shift 3
if [ "${tool[0]}" = -m ]; then
    tool+=("$1")
    shift
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# the package of this checkout, for -m
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
if [ "$per_node" -gt "$gpus" ]; then
    per_node=$gpus
fi
request=(--ntasks-per-node="$per_node" --gres=gpu:"$per_node")
if [ "$per_node" -eq 0 ]; then
    request=()
fi
# SRUN_ARGS is split into words on purpose
# shellcheck disable=SC2086
exec srun -p "$partition" --job-name="$job" --ntasks="$gpus" \
    ${request[@]+"${request[@]}"} --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "${tool[@]}" --launcher slurm "$@"
