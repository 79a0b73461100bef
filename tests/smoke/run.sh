#!/bin/sh
# Builds the wheel, installs it where neither MMPose nor torch is installed and
# uses the core there:  sh tests/smoke/run.sh PYTHON
set -eu
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder" build' EXIT
rm -rf build # setuptools would pack deleted files that are still in it
"$python" -m pip wheel --quiet --no-deps --no-build-isolation \
    --wheel-dir "$folder" .
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet --disable-pip-version-check \
    --constraint requirements.lock \
    "$(ls "$folder"/*.whl)[opencv,report]"
cp tests/smoke/core_without_mmpose.py "$folder"
cd "$folder"
venv/bin/python core_without_mmpose.py
