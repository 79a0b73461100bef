"""The lock, and the environment that the tests run in against it."""

import importlib.metadata
import os
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from environment.lock import SECTIONS, normalise, read_lock, version_of
from tests.test_environment.helpers import LOCK


class TestLock:
    def test_every_line_is_exact(self):
        """Also that none is named twice, which read_lock refuses."""
        sections = read_lock(LOCK)
        assert set(sections) == set(SECTIONS)
        assert sum(map(len, sections.values())) > 90

    def test_what_it_must_and_must_not_have(self):
        lines = {
            name: line
            for section in read_lock(LOCK).values()
            for name, line in section.items()
        }
        assert version_of(lines['numpy']).startswith('2.')
        assert {'torch', 'torchvision', 'mmpose', 'onedl-mmcv'} <= set(lines)
        assert {'pytest', 'hypothesis', 'ruff', 'mypy'} <= set(lines)
        assert not {'chumpy', 'opencv-python', 'mmcv', 'mmengine'} & set(lines)
        assert int(version_of(lines['setuptools']).split('.')[0]) < 81

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('# [tools]\nnumpy>=2\n', "line 2: 'numpy>=2' must read NAME=="),
            ('numpy==2.0\n', "line 1: 'numpy==2.0' must read"),
            ('# [tools]\nA.b==1\na-B==2\n', 'line 3: a-b is named twice'),
            ('# [gpu]\n', "line 1: unknown section 'gpu', one of tools, "),
            ('# [tools]\n# [torch]\n', "has no section 'packages'"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path, text, message):
        path = tmp_path / 'x.lock'
        path.write_text(text)
        with pytest.raises(ValueError, match=r'^x\.lock') as caught:
            read_lock(path)
        assert message in str(caught.value)

    def test_marked_lines_are_read(self, tmp_path):
        path = tmp_path / 'x.lock'
        path.write_text(
            "# [tools] first\nA_b==1.0+c ; platform_system == 'Linux'\n"
            '# [torch]\n# [packages]\n# [source]\n'
        )
        line = read_lock(path)['tools']['a-b']
        assert version_of(line) == '1.0+c'


PACKAGES = [sysconfig.get_path('purelib')]
"""Not all of sys.path: setuptools, once imported, adds copies of its own."""

in_the_environment = pytest.mark.skipif(
    not Path(sys.prefix).name.startswith('env-'),
    reason='this Python is not that of `make env`',
)


@in_the_environment
class TestInstalled:
    """The lock against the environment that the tests run in."""

    locked = {
        name: version_of(line)
        for section in read_lock(LOCK).values()
        for name, line in section.items()
    }

    def test_the_lock_lists_all_that_is_installed(self):
        found = {
            normalise(dist.metadata['Name']): dist.version
            for dist in importlib.metadata.distributions(path=PACKAGES)
        }
        if os.environ.get('TORCH') or os.environ.get('TORCH_INDEX'):
            pytest.skip('with another torch the lock is not all')
        assert found == self.locked

    def test_only_known_requirements_are_unmet(self):
        unmet = set()
        for name in self.locked:
            for text in importlib.metadata.requires(name) or ():
                wanted = Requirement(text)
                if wanted.marker and not wanted.marker.evaluate({'extra': ''}):
                    continue
                have = self.locked.get(normalise(wanted.name))
                if have is None or have not in wanted.specifier:
                    unmet.add((name, normalise(wanted.name)))
        assert unmet == {
            ('mmpose', 'chumpy'),
            ('mmpose', 'opencv-python'),
            ('onedl-mmcv', 'opencv-python'),
            ('imaug', 'opencv-python'),
            ('imaug', 'opencv-python-headless'),
            ('imaug', 'imagecorruptions-imaug'),
        }
