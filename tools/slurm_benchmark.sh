#!/usr/bin/env bash
# Benchmark under Slurm, one process for each GPU.
#
#   GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS="" \
#       bash tools/slurm_benchmark.sh PARTITION JOB CONFIG CHECKPOINT [arguments]
#
# GPUS_PER_NODE=0 runs on CPUs, in GPUS processes.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: [GPUS=8] bash tools/slurm_benchmark.sh" \
        "PARTITION JOB CONFIG CHECKPOINT [arguments]" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_slurm.sh" "$1" "$2" -m mmpose_occlusion.cli.benchmark "${@:3}"
