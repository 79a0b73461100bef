#!/usr/bin/env bash
# Train in N processes of this machine: on N GPUs, or without any on the CPU.
#
#   bash tools/dist_train.sh CONFIG N [arguments of tools/train.py]
#
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT as well.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: bash tools/dist_train.sh CONFIG N [arguments]" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/_launch.sh" "$2" "$here/train.py" "$1" "${@:3}"
