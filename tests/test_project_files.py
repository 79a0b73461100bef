"""The files around the package."""

import stat
import subprocess

import pytest
import yaml

from mmpose_occlusion import __version__
from tests.test_environment.helpers import ROOT


class TestFiles:
    def test_the_version_is_the_same_everywhere(self):
        citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
        assert citation['version'] == __version__
        assert citation['license'] == 'Apache-2.0'

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
