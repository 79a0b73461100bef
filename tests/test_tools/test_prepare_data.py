"""The data tool: tables, options for other tools, MPII's release."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.test_datasets.test_mpii_mat import write_release

CONFIG = """
_base_ = ['mmpose::_base_/default_runtime.py']
{imports}
dataset = dict(
    type='CocoDataset',
    data_root='data/coco/',
    ann_file='annotations/person_keypoints_val2017.json',
    data_prefix=dict(img='val2017/'),
)
val_dataloader = dict(dataset=dataset)
"""


@pytest.fixture
def prepare(tool, monkeypatch, tmp_path):
    """The tool's main, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tool('prepare_data').main


@pytest.fixture
def coco(synthetic_people: Path, prepare, tmp_path: Path) -> Path:
    """Synthetic people as COCO's validation set, in the reference layout."""
    root = tmp_path / 'data' / 'coco'
    (root / 'annotations').mkdir(parents=True)
    shutil.copy(
        synthetic_people / 'annotations' / 'person_keypoints_val.json',
        root / 'annotations' / 'person_keypoints_val2017.json',
    )
    shutil.copytree(synthetic_people / 'val', root / 'images' / 'val2017')
    return root


def write_config(path: Path, imports: str = '') -> str:
    path.write_text(CONFIG.format(imports=imports))
    return str(path)


def rows(text: str) -> list[str]:
    return [' '.join(line.split()) for line in text.splitlines()]


def test_check(prepare, coco, tmp_path, capsys):
    config = write_config(tmp_path / 'c.py')
    assert prepare(['check', 'data', config]) == 0
    found = rows(capsys.readouterr().out)
    images = 'data/coco/images/val2017 for person_keypoints_val2017.json'
    assert f'#2 {images} ok all 8 images' in found
    assert f'{config} - yes -' in found
    min((coco / 'images' / 'val2017').iterdir()).unlink()
    assert prepare(['check', 'data', config]) == 1
    found = rows(capsys.readouterr().out)
    assert f'{config} - no - #2' in found


def test_check_of_another_folder(prepare, coco, tmp_path, capsys):
    config = write_config(tmp_path / 'c.py')
    (tmp_path / 'data').rename(tmp_path / 'elsewhere')
    assert prepare(['check', 'elsewhere', config]) == 0
    assert 'elsewhere/coco/images/val2017' in capsys.readouterr().out


def test_check_of_all_configs(prepare, tool, coco, monkeypatch, capsys):
    """None can run on this, and the table says of each what it lacks."""
    module = tool('prepare_data')
    configs = module._own_configs()
    assert configs
    assert not any('_base_' in name for name in configs)
    few = configs[:: max(1, len(configs) // 2)]
    monkeypatch.setattr(module, '_own_configs', lambda: few)
    assert prepare(['check']) == 1
    text = capsys.readouterr().out
    listed = re.findall(r'^(\S+\.py) +(?:(?:yes|no|-) +){3}#', text, re.M)
    assert listed == few


def test_check_of_no_folder(prepare, capsys):
    assert prepare(['check', 'nowhere']) == 2
    assert '"nowhere" is not a folder' in capsys.readouterr().err


@pytest.mark.usefixtures('coco')
def test_options(prepare, tmp_path, capsys):
    config = write_config(tmp_path / 'c.py')
    assert prepare(['options', config]) == 0
    assert shlex.split(capsys.readouterr().out) == [
        '--cfg-options',
        'val_dataloader.dataset.data_prefix.img=images/val2017',
    ]


@pytest.mark.parametrize(
    'imports', ['', "custom_imports = dict(imports=['mmpose_occlusion'])"]
)
def test_options_for_an_archive(prepare, coco, tmp_path, capsys, imports):
    config = write_config(tmp_path / 'c.py', imports)
    images = coco / 'images'
    shutil.make_archive(str(images / 'val2017'), 'zip', images, 'val2017')
    shutil.rmtree(images / 'val2017')
    assert prepare(['options', config]) == 0
    said = capsys.readouterr()
    assert ('custom_imports' in said.err) == (not imports)
    pairs = shlex.split(said.out)[1:]
    assert 'val_dataloader.dataset.data_root=None' in pairs
    # what they are for: MMEngine's own parser and MMPose's data set
    from mmengine.config import Config, DictAction
    from mmpose.datasets.transforms import LoadImage
    from mmpose.registry import DATASETS

    options = dict(pair.split('=', 1) for pair in pairs)
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(
        {k: DictAction._parse_iterable(v) for k, v in options.items()}
    )
    dataset = dict(cfg.val_dataloader.dataset, pipeline=[LoadImage()])
    results = DATASETS.build(dataset)[0]
    assert results['img_path'].startswith('zip://data/coco/images/val2017.zip')
    assert results['img'].ndim == 3


def test_options_where_none_are_needed(prepare, tmp_path, capsys):
    assert prepare(['options', write_config(tmp_path / 'c.py')]) == 0
    assert capsys.readouterr().out == ''


def test_mpii(prepare, tmp_path, capsys):
    mat = str(write_release(tmp_path / 'release.mat'))
    names = tmp_path / 'val.txt'
    names.write_text('0004.jpg\n')
    assert prepare(['mpii', mat, 'out', '--val', str(names)]) == 0
    assert 'out/mpii_val.json: 1 people' in capsys.readouterr().out
    assert len(json.loads(Path('out/mpii_trainval.json').read_text())) == 4
    assert prepare(['mpii', mat, 'out']) == 2
    assert 'mpii_trainval.json" exists' in capsys.readouterr().err


@pytest.mark.parametrize('split', [[], ['--val', 'none.txt']])
def test_mpii_files_that_are_missing(prepare, tmp_path, capsys, split):
    if split:
        write_release(tmp_path / 'none.mat')
    assert prepare(['mpii', 'none.mat', 'out', *split]) == 2
    missing = split[1] if split else 'none.mat'
    assert f'file "{missing}" does not exist' in capsys.readouterr().err
