"""The benchmark with a network that costs nothing."""

import importlib
import json
import re
import sys

import pytest

from .conftest import ROOT


@pytest.fixture
def throughput(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/benchmarks'))
    yield importlib.import_module('benchmark_throughput')
    for name in ('benchmark_throughput', 'benchmark_loop', '_stub'):
        sys.modules.pop(name, None)


@pytest.fixture
def registered():
    """Has what the script registers forgotten again."""
    from mmpose.registry import MODELS

    known = dict(MODELS.module_dict)
    yield
    MODELS.module_dict.clear()
    MODELS.module_dict.update(known)


@pytest.mark.usefixtures('registered')
@pytest.mark.parametrize('heatmaps', [False, True])
def test_photographs_again_and_again(
    throughput, tmp_path, monkeypatch, capsys, synthetic_people, heatmaps
):
    # as OCCLUSION_REAL_DATA/coco is laid out
    source = synthetic_people / 'annotations/person_keypoints_val.json'
    few = json.loads(source.read_text())
    few['images'] = few['images'][:2]
    ids = [image['id'] for image in few['images']]
    few['annotations'] = [
        a for a in few['annotations'] if a['image_id'] in ids
    ]
    folder = tmp_path / 'data'
    (folder / 'coco').mkdir(parents=True)
    for image in few['images']:
        name = image['file_name']
        (folder / 'coco' / name).symlink_to(synthetic_people / 'val' / name)
    (folder / 'coco/test_coco.json').write_text(json.dumps(few))
    monkeypatch.setenv('OCCLUSION_REAL_DATA', str(folder))
    argv = ['--images', '5', '--num-workers', '0', '--batch-size', '4']
    argv += ['--attack', 'keypoint:nose:black', '--size', '48', '64']
    assert throughput.main(argv + ['--heatmaps'] * heatmaps) == 0
    said = capsys.readouterr().out
    people = [sum(a['image_id'] == i for a in few['annotations']) for i in ids]
    clean = 3 * people[0] + 2 * people[1]
    assert f'(and {clean} clean ones)' in said
    assert int(re.search(r'(\d+) attacked crops', said)[1]) > 0
    assert ('decode heat maps' in said) == heatmaps
    assert ('mirrored crops' in said) == heatmaps
