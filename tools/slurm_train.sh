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
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_slurm.sh" "$1" "$2" "$here/train.py" \
    "$3" --work-dir "$4" "${@:5}"
