"""What the README says to type exists and works."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    'README.md',
    'docs/benchmark_suites.md',
    'docs/speed.md',
    'projects/tilting_at_windmills/README.md',
    'projects/rtmpose_occlusion/README.md',
    'projects/ap10k_occlusion/README.md',
]

COMMANDS = ('benchmark', 'browse', 'report')


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text()
    return re.findall(rf'```{language}\n(.*?)```', text, re.S)


def test_the_config_of_ten_lines_hides_joints(tmp_path):
    import mmpose.datasets  # noqa: F401
    from mmpose.registry import TRANSFORMS

    (text,) = blocks('README.md', 'python')
    assert len(text.splitlines()) <= 10
    (tmp_path / 'mine.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'mine.py')
    with DefaultScope.overwrite_default_scope('mmpose'):
        names = [
            type(TRANSFORMS.build(step)).__name__
            for step in cfg.train_dataloader.dataset.pipeline
        ]
    assert names[-4:] == [
        'TopdownAffine',
        'KeypointOcclusion',
        'GenerateTarget',
        'PackPoseInputs',
    ]


def test_a_suite_of_your_own_can_be_loaded(tmp_path):
    import mmpose.datasets

    from mmpose_occlusion.benchmark.suite import load_suite
    from mmpose_occlusion.skeleton import Skeleton

    (text,) = blocks('docs/benchmark_suites.md', 'json')
    (tmp_path / 'mine.json').write_text(text)
    coco = mmpose.datasets.CocoDataset(lazy_init=True).metainfo
    skeleton = Skeleton.from_metainfo(coco)
    attacks = load_suite(str(tmp_path / 'mine.json'), skeleton)
    assert len(attacks) == 11 + 2 + 1 + 17
    assert attacks[-1].name == 'left right_ankle, head blurred'


@pytest.mark.parametrize('page', PAGES)
def test_commands_and_links_lead_somewhere(page):
    shell = '\n'.join(blocks(page, 'bash'))
    named = re.findall(r'\b(?:tools|configs|projects)/[\w./-]+', shell)
    commands = set(re.findall(r'\bocclusion-\w+', shell))
    assert named or commands
    assert commands <= {f'occlusion-{name}' for name in COMMANDS}
    missing = [name for name in named if not (ROOT / name).exists()]
    text = (ROOT / page).read_text()
    links = re.findall(r'\]\((?!http)([^)#]+)\)', text)
    folder = (ROOT / page).parent
    missing += [link for link in links if not (folder / link).exists()]
    assert missing == []


def test_make_knows_the_two_commands():
    makefile = (ROOT / 'Makefile').read_text()
    (commands, *_) = blocks('README.md', 'bash')
    for target in re.findall(r'make (\w+)', commands):
        assert re.search(rf'^{target}:', makefile, re.M)
