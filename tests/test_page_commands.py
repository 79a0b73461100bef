"""The commands of pages run on small data, with the same flags.

Names of files on a page stand for fixtures: COCO for a few drawn people, a
trained network for one of an epoch, a suite for one of two attacks.
"""

# ruff: noqa: F811 (fixtures are imported)

import json
from pathlib import Path

import numpy as np
import pytest

from mmpose_occlusion.benchmark.report import write_report
from tests.test_pages import blocks, commands
from tests.test_readme import folder  # noqa: F401
from tests.test_tools.conftest import (  # noqa: F401
    checkpoint,
    config,
    tool,
    trained,
)

ELSEWHERE = (
    *('yolo:', 'zoo', 'pip', 'make', 'dist_'),
    *('--work-dir', '--resume', 'synthetic_people'),
)
"""In commands that need a network, or that tests of their own run."""

PAGES = (
    'README.md',
    'docs/any_program.md',
    'docs/benchmark_models.md',
    'docs/benchmark_suites.md',
    'docs/compare.md',
    'docs/own_data.md',
    'docs/testing.md',
    'docs/training.md',
)
MADE_BEFORE = {
    'README.md': 'other_results',
    'docs/any_program.md': 'results',
}
"""Page -> folder of a benchmark that it takes for made."""

SUITE = ['keypoint:nose:black:10%', 'keypoint:nose:black:20%']


@pytest.fixture
def given(folder, synthetic_people, config, checkpoint):
    """Word of a page -> what it stands for."""
    text = blocks('docs/benchmark_models.md', 'python')[0]
    (folder / 'my_model.py').write_text(text)
    (folder / 'small.json').write_text(json.dumps(dict(attacks=SUITE)))
    people = np.load(folder / 'keypoints.npy').tolist()
    (folder / 'keypoints.json').write_text(json.dumps(people))
    annotations = synthetic_people / 'annotations/person_keypoints_val.json'
    boxes = synthetic_people / 'person_detection_results/detections_val.json'
    names = {
        'model.onnx': 'my_model:predict',
        'person_keypoints_val2017.json': annotations,
        'people.json': annotations,
        'val2017': synthetic_people / 'val',
        'images': synthetic_people / 'val',
        'boxes.json': boxes,
        'CONFIG': config,
        'BASE_CONFIG': config,
        'CHECKPOINT': checkpoint,
        'base_training/epoch_210.pth': checkpoint,
        'our_training/epoch_210.pth': checkpoint,
    }
    suites = ('occlusion-1.0', 'severity', 'leak', 'paper')
    names |= dict.fromkeys(suites, 'small.json')
    return {word: str(value) for word, value in names.items()}


@pytest.mark.slow
@pytest.mark.parametrize('page', PAGES)
def test_commands_of_the_page_run(page, given, tool, monkeypatch, capfd):
    monkeypatch.syspath_prepend('.')
    monkeypatch.setitem(write_report.__kwdefaults__, 'draws', 20)
    if page in MADE_BEFORE:
        _run(tool, given, [*_BENCHMARK, '--out', MADE_BEFORE[page]])
    ran = 0
    for words in commands(page):
        if not any(name in ' '.join(words) for name in ELSEWHERE):
            status = _run(tool, given, words)
            assert status == 0, (words, capfd.readouterr().err)
            ran += 1
        if words[0] == 'occlusion-export':
            _program('files')
    assert ran


_BENCHMARK = [
    *('occlusion-benchmark', 'my_model:predict', '--suite', 'severity'),
    *('--annotations', 'people.json', '--images', 'images'),
]


def _run(tool, given: dict[str, str], words: list[str]) -> int:
    program, *argv = words
    if program == 'python':
        program, *argv = argv
    shown = argv.index('--show-dir') + 1 if '--show-dir' in argv else None
    argv = [
        word
        if i == shown
        else given['CONFIG']
        if word.startswith('mmpose::')
        else given.get(word, word)
        for i, word in enumerate(argv)
    ]
    name = Path(program).stem.removeprefix('occlusion-')
    if name == 'benchmark':
        argv += ['--max-images', '3']
    if name == 'report':
        argv += ['--draws', '20']
    return tool(name).main(argv)


def _program(folder: str) -> None:
    """What the page asks of a program: here, each joint amid the box."""
    manifest = json.loads(Path(folder, 'manifest.json').read_text())
    results: dict[str, list] = {}
    for attack in manifest['attacks']:
        results[attack['name']] = []
    for image in manifest['images']:
        for x1, y1, x2, y2 in image['boxes']:
            joint = [(x1 + x2) / 2, (y1 + y2) / 2, 1.0]
            results[image['attack']].append(
                dict(
                    image_id=image['id'],
                    keypoints=joint * len(manifest['keypoint_names']),
                    score=1.0,
                )
            )
    Path(folder, 'results').mkdir()
    for attack in manifest['attacks']:
        path = Path(folder, 'results', f'{attack["folder"]}.json')
        path.write_text(json.dumps(results[attack['name']]))
