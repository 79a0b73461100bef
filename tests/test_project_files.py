"""The files around the package."""

import configparser
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from mmpose_occlusion import __version__

ROOT = Path(__file__).parents[1]
NOT_LOCKED = {'albumentations', 'mediapipe', 'tflite', 'yolo'}
"""Extras for environments of their own, see setup.cfg."""


class TestFiles:
    def test_the_version_is_the_same_everywhere(self):
        citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
        assert citation['version'] == __version__
        assert citation['license'] == 'Apache-2.0'
        versions = re.findall(
            r'(?m)^## (\S+)', (ROOT / 'CHANGELOG.md').read_text()
        )
        assert versions[0] == __version__.split('.dev')[0]

    def test_ci_is_a_script(self):
        script = ROOT / '.ci' / 'run'
        assert script.stat().st_mode & stat.S_IXUSR
        done = subprocess.run(['bash', '-n', script], check=False)
        assert done.returncode == 0

    @pytest.mark.parametrize('hook', ['ruff', 'ruff-format', 'mypy'])
    def test_hooks_are_local(self, hook):
        config = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
        (repo,) = config['repos']
        assert repo['repo'] == 'local'
        assert hook in {entry['id'] for entry in repo['hooks']}

    def test_lock_satisfies_requirements(self):
        config = configparser.ConfigParser()
        config.read(ROOT / 'setup.cfg')
        required = [
            config['options']['install_requires'],
            *(
                packages
                for extra, packages in config['options.extras_require'].items()
                if extra not in NOT_LOCKED
            ),
        ]
        lock = (ROOT / 'requirements.lock').read_text()
        locked = set(re.findall(r'(?m)^([\w.-]+)==', lock))
        wanted = {name.lower() for name in '\n'.join(required).split()}
        assert wanted <= {name.lower() for name in locked}

    def test_make_explains_itself(self):
        done = subprocess.run(
            ['make', '-s'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        targets = [line.split(':')[0] for line in done.stdout.splitlines()]
        assert {'make demo', 'make test', 'make env'} <= set(targets)
