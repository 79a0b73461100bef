"""A list of models: one folder each, one report."""

import json

import pytest

from mmpose_occlusion.cli import benchmark as command
from mmpose_occlusion.errors import UsageError

FUNCTION = """
import numpy as np

CALLS = []


def middle(images, boxes):
    CALLS.append(len(images))
    xy = [(b[:, :2] + b[:, 2:]) / 2 for b in boxes]
    return [(p[:, None].repeat(17, 1), np.ones((len(p), 17))) for p in xy]


def broken(images, boxes):
    raise RuntimeError('out of order')
"""


def write_zoo(path, *entries):
    path.write_text(json.dumps(entries))  # JSON is YAML
    return str(path)


@pytest.mark.slow
def test_two_models_and_one_that_fails(
    config,
    checkpoint,
    synthetic_people,
    tool,
    tmp_path,
    monkeypatch,
    capsys,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'zoo_functions.py').write_text(FUNCTION)
    file = write_zoo(
        tmp_path / 'zoo.yml',
        dict(name='broken', model='zoo_functions:broken'),
        dict(name='crops', model=config, checkpoint=checkpoint),
        dict(name='function', model='zoo_functions:middle'),
    )
    annotations = synthetic_people / 'annotations/person_keypoints_val.json'
    argv = ['--zoo', file, '--annotations', str(annotations)]
    argv += ['--images', str(synthetic_people / 'val'), '--out', 'out']
    argv += ['--attack', 'keypoint:nose:black:20%', '--max-images', '4']
    assert tool('zoo').main(argv) == 2
    errors = capsys.readouterr().err.splitlines()
    errors = [line for line in errors if 'broken' in line]
    assert errors[0].startswith('broken: predictor "zoo_functions:broken"')
    assert '(RuntimeError: out of order)' in errors[0]
    assert errors[1].startswith('error: 1 of 3 models failed, see above: br')
    numbers = json.loads((tmp_path / 'out/report.json').read_text())
    assert [m['model'] for m in numbers['models']] == ['crops', 'function']
    people = {m['people'] for m in numbers['models']}
    assert len(people) == 1
    assert len(numbers['comparison']['differences'])

    import zoo_functions

    calls = len(zoo_functions.CALLS)
    assert calls
    argv += ['--only', 'function']
    assert tool('zoo').main(argv) == 0
    assert len(zoo_functions.CALLS) == calls  # resumed


def test_options_reach_every_kind_of_models(tmp_path, monkeypatch):
    given = {}

    def run(model, checkpoint, **settings):
        given[model] = settings
        raise UsageError('enough')

    monkeypatch.setattr('mmpose_occlusion.benchmark.api.run_benchmark', run)
    file = write_zoo(
        tmp_path / 'zoo.yml',
        dict(name='crops', model='c.py', checkpoint='c.pth'),
        dict(name='function', model='my_module:predict'),
    )
    argv = ['--zoo', file, '--annotations', 'a.json', '--images', 'images']
    argv += ['--out', 'out', '--workers', '3', '--seed', '7']
    with pytest.raises(UsageError, match='2 of 2 models failed'):
        command.main_zoo.work(command.main_zoo.parse(argv))
    for model in ('c.py', 'my_module:predict'):
        assert (given[model]['num_workers'], given[model]['seed']) == (3, 7)


def test_the_list_of_released_models():
    """Configs of MMPose's wheel, checkpoints of its metafiles."""
    yaml = pytest.importorskip('yaml')
    pytest.importorskip('mmpose')
    import mmpose

    root = command.Path(mmpose.__file__).parent / '.mim'
    models = command.read_zoo(str(command.ZOO), [])
    released = {
        (model['Config'].removeprefix('configs/'), model['Weights'])
        for path in (root / 'configs/body_2d_keypoint').rglob('coco/*.yml')
        for model in yaml.safe_load(path.read_text())['Models']
    }
    for entry in models:
        text, _, weights = entry['model'].rpartition(',')
        whole = text or entry['model']
        path = whole.rpartition('::')[2]
        assert (path, entry.get('checkpoint', weights)) in released
        assert (root / 'configs' / path).is_file()
        assert entry['name'] == command.Path(path).stem
    for family in (
        'hrnet',
        'res50',
        'hourglass',
        'ViTPose',
        'rtmpose',
        'rtmo',
    ):
        assert any(family in entry['name'] for entry in models)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('- model: a.onnx', 'not a list of models'),
        ('{{', 'not a list of models'),
        ('- {name: a, model: a.onnx, weights: b}', 'not a list of models'),
        ('- {name: a, model: a.onnx}', 'has no model "b": it has a'),
        (None, 'does not exist'),
    ],
)
def test_bad_lists(text, words, tmp_path):
    path = tmp_path / 'zoo.yml'
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=words):
        command.read_zoo(str(path), ['b'])
