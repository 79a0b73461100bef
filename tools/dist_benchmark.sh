#!/usr/bin/env bash
# Benchmark in N processes of this machine: on N GPUs, or without any on CPUs.
#
#   bash tools/dist_benchmark.sh CONFIG CHECKPOINT N --suite paper --out DIR \
#       [arguments of occlusion-benchmark]
#
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT as well.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: bash tools/dist_benchmark.sh CONFIG CHECKPOINT N" \
        "--suite NAME --out DIR [arguments]" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_launch.sh" "$3" -m mmpose_occlusion.cli.benchmark \
    "$1" "$2" "${@:4}"
