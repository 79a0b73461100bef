#!/bin/sh
# Finds a Python that the environment can be built with, and hands over to it:
#   sh environment/run.sh build|python
# PYTHON3 names another interpreter.
case $0 in
*/*) here=${0%/*} ;;
*) here=. ;;
esac
candidates=${PYTHON3:-python3 python3.11 python3.12 python3.13 python3.14}
for candidate in $candidates; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1; then
        cd "$here/.." || exit 1
        PYTHONSAFEPATH='' PYTHONDONTWRITEBYTECODE=1 \
            exec "$candidate" -m environment "$@"
    fi
done
echo "Python 3.11 or later is needed and none of these is one:" \
    "$candidates; install it (Debian/Ubuntu: apt-get install python3" \
    "python3-venv python3-dev) or name one with PYTHON3=/path/to/python." >&2
exit 1
