"""Every command on every kind of broken file: one sentence, nothing written.

In this process, since an import of MMPose costs seconds.
"""

import os

import cv2
import numpy as np
import pytest

from tests import broken_files

CONFIG = """
model = dict(type='TopdownPoseEstimator')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        type='CocoDataset',
        data_root={root!r},
        ann_file={people!r},
        bbox_file={boxes!r},
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=[dict(type='TopdownAffine', input_size=(64, 64))],
    ),
)
val_dataloader = train_dataloader = test_dataloader
test_evaluator = val_evaluator = dict(type='CocoMetric')
"""

PREDICTOR = 'tests.broken_files:predict'
BENCHMARK = ['benchmark', PREDICTOR, '--out', 'out']
NOSE = ['--attack', 'keypoint:nose:black']
PEOPLE = ['--annotations', '{people}', '--images', '{root}']
BROKEN = ['--annotations', '{file}', '--images', '{root}']
ZOO = ['zoo', '--zoo', '{root}/zoo.yml', '--out', 'out']
DETECTED = ['--detections', '{file}']
IMAGE = ['image', '{root}/a.png', *NOSE, '--out', 'out.png']
OF_CONFIG = {
    'test': ['test', '{config}', 'no.pth'],
    'train': ['train', '{config}'],
    'browse': ['browse', '{config}', '--split', 'test', '--out', 'out'],
    'benchmark': ['benchmark', '{config}', 'no.pth', '--out', 'out'],
}
COMMANDS = {
    'annotations': [
        ['check', '{file}'],
        [*BENCHMARK, *BROKEN],
        *OF_CONFIG.values(),
        ['worst', PREDICTOR, *BROKEN, '--out', 'out'],
        [*ZOO, *BROKEN],
        ['export', '{file}', '{root}', *NOSE, '--out', 'out'],
        [*IMAGE, '--keypoints', '{file}'],
    ],
    'detections': [
        ['check', '{people}', '--detections', '{file}'],
        [*BENCHMARK, *PEOPLE, *DETECTED],
        OF_CONFIG['test'],
        OF_CONFIG['benchmark'],
        ['worst', PREDICTOR, *PEOPLE, *DETECTED, '--out', 'out'],
        [*ZOO, *PEOPLE, *DETECTED],
    ],
    'configs': [
        ['check', '{people}', '--config', '{file}'],
        *(
            [word.replace('{config}', '{file}') for word in argv]
            for name, argv in OF_CONFIG.items()
            if name != 'benchmark'
        ),
        ['benchmark', '{file}', 'no.pth', '--out', 'out'],
    ],
    'suites': [
        [*BENCHMARK, *PEOPLE, '--suite', '{file}'],
        [*OF_CONFIG['benchmark'], '--suite', '{file}'],
        ['export', '{people}', '{root}', '--suite', '{file}', '--out', 'out'],
        [*ZOO, *PEOPLE, '--suite', '{file}'],
    ],
    'stores': [
        ['report', '{file}'],
        ['report', '{file}', '--out', 'out'],
        ['table', '{file}', '--results', 'table.json'],
    ],
    'documents': [
        ['table', '{file}', '--results', 'table.json'],
        [*('worst', PREDICTOR, *PEOPLE), '--places', '{file}', '--out', 'out'],
        ['zoo', '--zoo', '{file}', *PEOPLE, '--out', 'out'],
        [*IMAGE, '--keypoints', '{file}'],
    ],
    'manifests': [['import', '{file}', '{root}/results.json', '--out', 'out']],
    'results': [['import', '{root}/export', '{file}', '--out', 'out']],
}
CHECKED = 'check', 'benchmark', 'test', 'train', 'browse', 'worst', 'export'
TABLES = dict(
    annotations=broken_files.ANNOTATIONS,
    detections=broken_files.DETECTIONS,
    configs=broken_files.CONFIGS,
    suites=broken_files.SUITES,
    stores=broken_files.STORES,
    documents=broken_files.DOCUMENTS,
    manifests=broken_files.DOCUMENTS,
    results=broken_files.DOCUMENTS,
)
CASES = [
    pytest.param(kind, name, argv, id=f'{kind}-{name}-{argv[0]}{i}')
    for kind, table in TABLES.items()
    for name in table
    for i, argv in enumerate(COMMANDS[kind])
    # MMEngine makes a temporary folder a level, a thousand in all: seconds
    if name != 'itself.py' or argv[0] == 'check'
]


@pytest.fixture(scope='module')
def corpus(tmp_path_factory):
    folder = broken_files.write_files(tmp_path_factory.mktemp('broken'))
    cv2.imwrite(str(folder / 'a.png'), np.zeros((50, 50, 3), np.uint8))
    return folder


def names_below(folder):
    return {
        os.path.join(*step[:1], f) for step in os.walk(folder) for f in step[2]
    }


@pytest.mark.parametrize(('kind', 'name', 'argv'), CASES)
def test_one_sentence(
    kind, name, argv, corpus, tool, tmp_path, monkeypatch, capfd
):
    file = corpus / kind / name
    file = str(file if file.exists() else file.with_suffix('.json'))
    people = str(corpus / 'people.json')
    config = tmp_path / 'config.py'
    config.write_text(
        CONFIG.format(
            root=str(corpus),
            people=file if kind == 'annotations' else people,
            boxes=file if kind == 'detections' else None,
        )
    )
    here = tmp_path / 'here'
    here.mkdir()
    monkeypatch.chdir(here)
    before = names_below(corpus)
    words = dict(file=file, people=people, config=config, root=corpus)
    main = tool(argv[0]).main
    status = main([word.format(**words) for word in argv[1:]])
    out, err = capfd.readouterr()
    assert status in (1, 2), err
    if kind in ('annotations', 'detections') and argv[0] in CHECKED:
        assert status == 1
    lines = [line for line in err.splitlines() if line]
    if argv[0] == 'zoo' and kind != 'documents':
        assert lines.pop(0).startswith('own: ')
    assert [line[:7] for line in lines] == ['error: ']
    assert '--traceback' not in err
    assert 'Traceback' not in out + err
    assert names_below(corpus) == before
    assert list(here.iterdir()) == []
