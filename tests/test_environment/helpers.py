"""What the tests of `make env` share."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / 'requirements.lock'
RUN = ['/bin/sh', str(ROOT / 'environment' / 'run.sh')]


def shell(command, tmp_path, **variables):
    """Run a command with an empty cache and the variables given."""
    environ = {
        'PATH': os.environ['PATH'],
        'HOME': str(tmp_path),
        'XDG_CACHE_HOME': str(tmp_path / 'cache'),
        **variables,
    }
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def complete(folders):
    """Mark an environment as built."""
    folders.steps.mkdir(parents=True)
    (folders.steps / 'all').touch()
    folders.python.parent.mkdir()
    folders.python.touch()
