"""The commands of the READMEs of the projects on other recipes and data.

On photographs, where there are some, with narrowed networks.
"""

import json
import math
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmpose_occlusion.engine.config import load_config
from tests.narrow import arguments, few, narrowing
from tests.test_tools.conftest import log_of

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Project:
    """One of the projects, and the photographs for it."""

    name: str
    photographs: str
    options: dict[str, Any]

    def commands(self) -> list[list[str]]:
        """The commands of the README, split into words."""
        text = (ROOT / 'projects' / self.name / 'README.md').read_text()
        (block,) = re.findall(r'```bash\n(.*?)```', text, re.S)
        first, *lines = block.replace('\\\n', ' ').splitlines()
        config = first.removeprefix('CONFIG=')
        return [shlex.split(line.replace('$CONFIG', config)) for line in lines]

    def data(self, cfg, split: str, root: Path) -> dict[str, Any]:
        """Options for all photographs, in one batch."""
        folder = root / self.photographs
        dataset = f'{split}_dataloader.dataset'
        evaluator = {f'{split}_evaluator.ann_file': None}
        return {
            **few(cfg, split, samples=100, batch_size=100),
            f'{dataset}.data_root': f'{folder}/',
            f'{dataset}.ann_file': f'test_{self.photographs}.json',
            f'{dataset}.data_prefix.img': '',
            **(evaluator if split != 'train' else {}),
        }


PROJECTS = [
    # the second of the two epochs is of the recipe's second stage
    Project('rtmpose_occlusion', 'coco', {'custom_hooks.1.switch_epoch': 1}),
    Project('ap10k_occlusion', 'ap10k', {}),
]


@pytest.mark.slow
@pytest.mark.parametrize('project', PROJECTS, ids=lambda each: each.name)
def test_commands_of_the_readme(
    project, tool, real_data, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    for folder in ('projects', 'configs'):
        (tmp_path / folder).symlink_to(ROOT / folder)
    train, test, browse = project.commands()
    config = next(word for word in train if word.startswith('projects'))
    work_dir = tmp_path / 'work_dirs' / Path(config).stem

    assert 'train.' in train[1] or 'dist_train.sh' in train[1]
    cfg = load_config(config)
    options = {
        **narrowing(cfg.model),
        **project.data(cfg, 'train', real_data),
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
    assert all(0 < loss < math.inf for loss in losses)

    assert test[:3] == ['python', 'tools/test.py', config]
    assert '--attack' in test
    # the last epoch of the whole recipe
    shutil.move(work_dir / 'epoch_2.pth', test[3])
    options = {
        **narrowing(cfg.model),
        **project.data(cfg, 'test', real_data),
    }
    argv = [*test[2:], '--out', 'metrics.json', *arguments(options)]
    assert tool('test').main(argv) == 0
    metrics = json.loads(Path('metrics.json').read_text())
    assert 0 <= metrics['coco/AP'] <= 1
    (counts,) = re.findall(
        r'Attack .* changed (\d+) of (\d+) crops', log_of(work_dir)
    )
    changed, crops = map(int, counts)
    assert 0 < changed <= crops

    assert browse[0] == 'occlusion-browse'
    options = project.data(cfg, 'train', real_data)
    argv = [*browse[1:], '--num', '4', *arguments(options)]
    assert tool('browse').main(argv) == 0
    page = Path('gallery/gallery.html').read_text()
    assert page.count('<article') == min(4, crops)
