#!/usr/bin/env bash
# Test in N processes of this machine: on N GPUs, or without any on the CPU.
#
#   bash tools/dist_test.sh CONFIG CHECKPOINT N [arguments of tools/test.py]
#
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT as well.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: bash tools/dist_test.sh CONFIG CHECKPOINT N [arguments]" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_launch.sh" "$3" "$here/test.py" "$1" "$2" "${@:4}"
