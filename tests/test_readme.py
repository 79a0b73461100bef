"""The code blocks of README and docs run, in a folder with what they read."""

# ruff: noqa: F811 (fixtures are imported)

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmpose_occlusion.occlusion import FILLS, PAINTS
from tests.test_pages import PAGES, blocks, commands
from tests.test_tools.conftest import (  # noqa: F401
    checkpoint,
    config,
    tool,
    trained,
)

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ('custom_imports', '_base_')
"""First words of blocks that are configs."""

EVERY = [(p, i) for p in PAGES for i, _ in enumerate(blocks(p, 'python'))]
IS_CONFIG = {
    (p, i): blocks(p, 'python')[i].startswith(CONFIGS) for p, i in EVERY
}


@pytest.fixture
def folder(synthetic_people, monkeypatch, tmp_path):
    """A folder with an image and the joints of its people."""
    path = synthetic_people / 'annotations/person_keypoints_val.json'
    coco = json.loads(path.read_text())
    wrist = next(p for p in coco['annotations'] if p['keypoints'][29])
    first = next(i for i in coco['images'] if i['id'] == wrist['image_id'])
    shutil.copy(
        synthetic_people / 'val' / first['file_name'], tmp_path / 'photo.jpg'
    )
    people = [
        np.reshape(person['keypoints'], (17, 3))
        for person in coco['annotations']
        if person['image_id'] == first['id']
    ]
    np.save(tmp_path / 'keypoints.npy', np.float32(people))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clean_tables():
    """Paints that a block registers are removed after the test."""
    fills, paints = dict(FILLS), dict(PAINTS)
    yield
    for table, before in ((FILLS, fills), (PAINTS, paints)):
        table.clear()
        table.update(before)


def test_occlude(folder, capsys):
    first, _ = blocks('README.md', 'python')
    assert len(first.splitlines()) <= 10
    done = {}
    exec(first, done)
    image = cv2.imread('photo.jpg')
    people = np.load('keypoints.npy')
    wrist = people[:, 9, 2] > 0
    assert (done['done'].hidden[:, 9] == wrist).all()
    assert (done['done'].targets.sum(axis=1) == wrist).all()
    assert wrist.any()
    assert (done['done'].image != image).any()
    assert Path('hidden.jpg').is_file()
    assert 'True' in capsys.readouterr().out


@pytest.mark.slow
def test_benchmark_of_an_onnx_file(real_data, onnx_network, folder, tool):
    """README's command, on the photographs, with fewer attacks."""
    found = commands('README.md')
    (words,) = [w for w in found if w[:1] == ['occlusion-benchmark']]
    data = real_data / 'coco_mini'
    given = {
        'model.onnx': onnx_network,
        'person_keypoints_val2017.json': data / 'person_keypoints.json',
        'val2017': data,
    }
    argv = [str(given.get(word, word)) for word in words[1:]]
    suite = argv.index('--suite')
    argv[suite : suite + 2] = ['--attack', 'keypoint:left_wrist:black:10%']
    assert tool('benchmark').main([*argv, '--max-images', '2']) == 0
    assert Path('results/index.html').is_file()


def test_the_config_hides_joints(tmp_path):
    import mmpose.datasets  # noqa: F401
    from mmpose.registry import TRANSFORMS

    _, text = blocks('README.md', 'python')
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


@pytest.mark.parametrize(
    ('page', 'index'),
    [key for key, is_config in IS_CONFIG.items() if is_config],
)
def test_configs_of_the_pages_can_be_built(page, index, tmp_path):
    import mmpose.datasets  # noqa: F401
    from mmpose.registry import TRANSFORMS

    (tmp_path / 'mine.py').write_text(blocks(page, 'python')[index])
    cfg = Config.fromfile(tmp_path / 'mine.py')
    dataset = cfg.get('train_dataloader', {}).get('dataset', {})
    dataset = dataset.get('dataset', dataset)
    with DefaultScope.overwrite_default_scope('mmpose'):
        for step in dataset.get('pipeline', ()):
            TRANSFORMS.build(step)
    if 'metainfo' in dataset:
        from mmpose_occlusion.engine.config import metainfo_of

        names = metainfo_of(dataset)['keypoint_id2name'].values()
        assert list(names) == cfg.names
    if 'type' in cfg.get('test_cfg', {}):
        from mmpose.registry import LOOPS

        assert LOOPS.get(cfg.test_cfg.type)


SCRIPTS = sorted(
    {p for (p, _), is_config in IS_CONFIG.items() if not is_config}
)


@pytest.mark.slow
@pytest.mark.parametrize('page', SCRIPTS)
def test_code_of_the_pages_runs(
    page,
    folder,
    clean_tables,
    request,
    monkeypatch,
):
    """Block after block, with the names of those before."""
    text = '\n'.join(
        block
        for block in blocks(page, 'python')
        if not block.startswith(CONFIGS)
    )
    names = {}
    if 'CONFIG' in text:
        pytest.importorskip('pandas')
        names = {
            'CONFIG': request.getfixturevalue('config'),
            'CHECKPOINT': request.getfixturevalue('checkpoint'),
        }
    if 'synthetic_people' in text:
        monkeypatch.syspath_prepend(str(ROOT / 'projects/synthetic_people'))
    exec(compile(text, page, 'exec', dont_inherit=True), names)


def test_a_function_of_the_page_is_a_predictor(folder, monkeypatch):
    from mmpose_occlusion.predictors import load_predictor

    text, _ = blocks('docs/benchmark_models.md', 'python')
    (folder / 'my_model.py').write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    predict = load_predictor('my_model:predict')
    boxes = np.array([[0, 0, 10, 20], [10, 10, 30, 30]], float)
    (found,) = predict([np.zeros((40, 40, 3), np.uint8)], [boxes])
    assert found.keypoints.shape == (2, 17, 2)
    assert found.keypoints[:, 0].tolist() == [[5, 10], [20, 20]]


def test_a_paint_of_the_page_is_replayed(clean_tables):
    """Its record gives the same pixels, on colour and grey images."""
    import types

    from mmpose_occlusion import occlude
    from mmpose_occlusion.occlusion import replay_all

    texts = blocks('docs/own_data.md', 'python')
    (text,) = [t for t in texts if '@paint' in t]
    module = types.ModuleType('stripes')
    exec(text, module.__dict__)
    joints = np.full((17, 2), np.nan)
    joints[[0, 9, 15]] = [50, 20], [30, 90], [45, 190]
    for shape in ((200, 100, 3), (200, 100)):
        image = np.full(shape, 128, np.uint8)
        done = occlude(
            image, joints, target='left_wrist', fill='stripes', size='20%'
        )
        assert done.image[90, 30].max() in (0, 255)
        assert (replay_all(image, done.records) == done.image).all()


def test_the_readme_is_one_screen():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 120
