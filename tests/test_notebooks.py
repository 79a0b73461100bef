"""The notebooks run from top to bottom, and are committed without outputs."""

import os
import re
from pathlib import Path

import matplotlib as mpl
import pytest

from tests.ranks import exit_code

nbformat = pytest.importorskip('nbformat')

FOLDER = Path(__file__).resolve().parents[1] / 'docs/notebooks'
NOTEBOOKS = sorted(path.name for path in FOLDER.glob('*.ipynb'))


@pytest.mark.parametrize('name', NOTEBOOKS)
def test_it_is_committed_clean(name):
    text = (FOLDER / name).read_text(encoding='utf-8')
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get('outputs')
        assert cell.get('execution_count') is None
    assert not re.search(r'/(home|root|work|tmp|Users)/', text)
    for link in re.findall(r'\]\((?!http)([^)#]+)', text):
        assert (FOLDER / link).is_file(), link


@pytest.mark.slow
@pytest.mark.parametrize('name', NOTEBOOKS)
def test_it_runs(name, tmp_path):
    """In an empty folder, in a fork, which has MMPose imported already."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    cells = [c.source for c in notebook.cells if c.cell_type == 'code']
    if 'projects' in str(notebook):  # finds the checkout from its folder
        for part in ('projects', 'configs', 'mmpose_occlusion'):
            (tmp_path / part).symlink_to(FOLDER.parents[1] / part)
    assert exit_code(run_cells, cells, tmp_path) == 0


def run_cells(cells, folder):
    """All cells in one namespace, as a notebook's kernel does."""
    mpl.use('agg')
    os.chdir(folder)
    names = {'__name__': '__main__'}
    for cell in cells:
        exec(cell, names)
