#!/bin/sh
# The suite on OpenMMLab's own packages: Python 3.10, torch 2.1, mmcv 2.1.
# run.sh PYTHON [ARGUMENTS OF PYTEST]; wheels of mmcv: PIP_FIND_LINKS.
set -eu
here=$(dirname "$0")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mmpose_occlusion
env=$cache/classic-$(cat "$here"/*.txt | cksum | cut -d' ' -f1)
base=$1
shift
if [ ! -e "$env/ready" ]; then
    "$base" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' || {
        echo "$base is not Python 3.10: make test-classic PYTHON310=PATH" >&2
        exit 2
    }
    rm -rf "$env"
    "$base" -m venv "$env"
    pip="$env/bin/python -m pip install -q"
    $pip 'setuptools<70' wheel
    $pip -r "$here/packages.txt"
    # their requirements name packages that they do not need, or cannot have
    $pip --no-deps -r "$here/openmmlab.txt"
    CFLAGS=-g0 MMCV_WITH_OPS=1 $pip --no-deps --no-build-isolation mmcv==2.1.0
    : > "$env/ready"
fi
exec "$env/bin/python" -m pytest --numprocesses "${WORKERS:-2}" \
    --dist worksteal "$@"
