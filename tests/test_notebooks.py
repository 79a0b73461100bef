"""The notebooks run from top to bottom, and are committed without outputs."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip('nbformat')
nbclient = pytest.importorskip('nbclient')


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
def test_it_runs(name, tmp_path, monkeypatch):
    """In an empty folder, with the package of this checkout."""
    monkeypatch.setenv('PYTHONPATH', str(FOLDER.parents[1]))
    monkeypatch.setenv('MPLBACKEND', 'agg')
    notebook = nbformat.read(FOLDER / name, as_version=4)
    folder = tmp_path
    if 'projects' in str(notebook):  # finds the checkout from its folder
        for part in ('projects', 'configs', 'mmpose_occlusion'):
            (tmp_path / part).symlink_to(FOLDER.parents[1] / part)
    nbclient.NotebookClient(
        notebook, timeout=120, resources={'metadata': {'path': str(folder)}}
    ).execute()
