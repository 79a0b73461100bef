"""The commands of the READMEs of the projects on other recipes and data.

On photographs, where there are some, else on made-up people, with narrowed
networks. The trainings and tests of most projects run with OCCLUSION_MATRIX=1
only (5 minutes).
"""

import json
import math
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mmpose_occlusion.cli import check
from mmpose_occlusion.engine.config import load_config, walk_datasets
from tests.narrow import arguments, few, narrowing
from tests.test_mmpose_matrix import made_up_people
from tests.test_tools.conftest import log_of

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Project:
    """One of the projects, and the photographs or made-up people for it."""

    name: str
    photographs: str = 'coco'
    joints: int = 0  # of made-up people
    options: Mapping[str, Any] = field(default_factory=dict)

    def commands(self) -> list[list[str]]:
        """The commands of the README, split into words."""
        text = (ROOT / 'projects' / self.name / 'README.md').read_text()
        (block,) = re.findall(r'```bash\n(.*?)```', text, re.S)
        first, *lines = block.replace('\\\n', ' ').splitlines()
        config = first.removeprefix('CONFIG=')
        return [shlex.split(line.replace('$CONFIG', config)) for line in lines]

    def data(self, cfg, split: str, root: Path) -> dict[str, Any]:
        """Options for all images, in one batch."""
        folder = root if self.joints else root / self.photographs
        name = 'a' if self.joints else f'test_{self.photographs}'
        loader = cfg[f'{split}_dataloader']
        *_, (key, innermost) = walk_datasets(loader['dataset'])
        dataset = f'{split}_dataloader.{key}'
        options = few(cfg, split, samples=100, batch_size=100) | {
            f'{dataset}.data_root': f'{folder}/',
            f'{dataset}.ann_file': f'{name}.json',
            f'{dataset}.data_prefix.img': '',
        }
        if split != 'train' and 'ann_file' in cfg[f'{split}_evaluator']:
            options[f'{split}_evaluator.ann_file'] = None
        if innermost.get('bbox_file'):
            options[f'{dataset}.bbox_file'] = None
        return options


ALL = bool(os.environ.get('OCCLUSION_MATRIX'))

PROJECTS = [
    # the second of the two epochs is of the recipe's second stage
    Project('rtmpose_occlusion', options={'custom_hooks.1.switch_epoch': 1}),
    Project('ap10k_occlusion', 'ap10k'),
]
WIDTHS = {  # of a narrowed HRNetV2, which concatenates its four branches
    'model.head.in_channels': 16,
    'model.head.conv_out_channels': (16,),
}
BROWSED = [
    Project('vitpose_occlusion'),
    Project('rle_occlusion'),
    Project('udp_occlusion'),
    Project('crowdpose_occlusion', 'crowdpose'),
    Project('wholebody_occlusion', joints=133),
    Project('hand_occlusion', joints=21),
    Project('face_occlusion', joints=98, options=WIDTHS),
    Project('cvat_occlusion', joints=5),
    Project('onestage_occlusion'),
]


@pytest.fixture
def project(request, real_data, monkeypatch, tmp_path) -> Project:
    monkeypatch.chdir(tmp_path)
    for folder in ('projects', 'configs'):
        (tmp_path / folder).symlink_to(ROOT / folder)
    if request.param.joints:
        made_up_people(tmp_path, request.param.joints)
        content = json.loads(Path('a.json').read_text())
        for person in content['annotations']:
            person['area'] = 10_000
        Path('a.json').write_text(json.dumps(content))
    return request.param


def folder_of(project: Project, real_data: Path, tmp_path: Path) -> Path:
    return tmp_path if project.joints else real_data


@pytest.mark.slow
@pytest.mark.parametrize(
    'project',
    [*PROJECTS, *(BROWSED[:-1] if ALL else ())],  # without RTMO
    ids=lambda each: each.name,
    indirect=True,
)
def test_trains_and_tests(project, tool, real_data, tmp_path):
    folder = folder_of(project, real_data, tmp_path)
    *_, train, test, _ = project.commands()
    config = next(word for word in train if word.startswith('projects'))
    work_dir = tmp_path / 'work_dirs' / Path(config).stem

    assert 'train.' in train[1] or 'dist_train.sh' in train[1]
    cfg = load_config(config)
    options = {
        **narrowing(cfg.model),
        **project.data(cfg, 'train', folder),
        **project.options,
        'train_cfg.max_epochs': 2,
        'default_hooks.logger.interval': 1,
    }
    # in this process, instead of in many
    argv = [config, '--no-validate', *arguments(options)]
    assert tool('train').main(argv) == 0
    (scalars,) = work_dir.glob('*/vis_data/scalars.json')
    losses = [json.loads(line)['loss'] for line in scalars.open()]
    assert len(losses) == 2
    assert all(math.isfinite(loss) and loss != 0 for loss in losses)

    assert test[:3] == ['python', 'tools/test.py', config]
    assert '--attack' in test
    # the last epoch of the whole recipe
    shutil.move(work_dir / 'epoch_2.pth', test[3])
    options = {
        **narrowing(cfg.model),
        **project.options,
        **project.data(cfg, 'test', folder),
    }
    argv = [*test[2:], '--out', 'metrics.json', *arguments(options)]
    assert tool('test').main(argv) == 0
    metrics = json.loads(Path('metrics.json').read_text())
    assert all(math.isfinite(each) for each in metrics.values())
    (counts,) = re.findall(
        r'Attack .* changed (\d+) of (\d+) crops', log_of(work_dir)
    )
    changed, crops = map(int, counts)
    assert 0 < changed <= crops


@pytest.mark.slow
@pytest.mark.parametrize(
    'project',
    [*PROJECTS, *BROWSED],
    ids=lambda each: each.name,
    indirect=True,
)
def test_browses(project, tool, real_data, tmp_path):
    *_, browse = project.commands()
    assert browse[0] == 'occlusion-browse'
    cfg = load_config(browse[1])
    folder = folder_of(project, real_data, tmp_path)
    options = project.data(cfg, 'train', folder)
    argv = [*browse[1:], '--num', '4', *arguments(options)]
    assert tool('browse').main(argv) == 0
    page = Path('gallery/gallery.html').read_text()
    assert 0 < page.count('<article') <= 4


def test_cvat_export(monkeypatch, tmp_path, capsys):
    """Frames outside of a track have neither joints nor a box."""
    monkeypatch.chdir(tmp_path)
    made_up_people(tmp_path, 5)
    content = json.loads(Path('a.json').read_text())
    content['categories'] = [
        dict(id=1, name='tree'),
        dict(id=3, name='bird', keypoints=['a', 'b', 'c', 'd', 'e']),
    ]
    for person in content['annotations']:
        person['category_id'] = 3
    outside = dict(content['annotations'][0], id=99, keypoints=[])
    outside.update(bbox=[0, 0, 0, 0], num_keypoints=0)
    content['annotations'].append(outside)
    Path('a.json').write_text(json.dumps(content))

    assert check.main(['a.json', '.']) == 1
    assert 'annotations[2]' in capsys.readouterr().out
