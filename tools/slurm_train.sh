#!/usr/bin/env bash
# Train under Slurm, one process for each GPU.
#
#   GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS="" \
#       bash tools/slurm_train.sh PARTITION JOB CONFIG WORK_DIR [arguments]
#
# GPUS_PER_NODE=0 trains on CPUs, in GPUS processes.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: [GPUS=8] bash tools/slurm_train.sh" \
        "PARTITION JOB CONFIG WORK_DIR [arguments]" >&2
    exit 2
fi
partition=$1
job=$2
config=$3
work_dir=$4
shift 4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_slurm.sh" "$partition" "$job" "$here/train.py" \
    "$config" --work-dir "$work_dir" "$@"
