"""Sections of the page that show scores, nature and severity."""

import csv
import json
import re
from dataclasses import replace

import numpy as np

from mmpose_occlusion.benchmark.report import write_report
from tests.test_benchmark import made_up

WRIST = made_up.COCO.index('left_wrist')


def sized_run(**more):
    """Discs of two sizes on two joints, half of which go wrong."""
    boxes = made_up.people(12, 2, seed=2)
    clean = made_up.noisy(boxes, 2, seed=1)

    def lose(joints):
        joints = joints.copy()
        joints[::2, [0, WRIST]] += 60
        return joints

    attacks = [
        made_up.attack(
            clean,
            boxes,
            joint,
            fault=lose,
            name=f'keypoint:{joint}:black:{size}',
            suite='mine',
            checksum='0123abcd',
            config=dict(
                type='KeypointOcclusion', target=joint, fill='black', size=size
            ),
        )
        for joint in ('nose', 'left_wrist')
        for size in ('10%', '20%')
    ]
    facts = dict(
        versions=dict(mmpose='1.3.2'),
        depends_on=dict(
            config=dict(model=dict(test_cfg=dict(flip_test=True)))
        ),
    )
    return made_up.run(boxes, clean, attacks, run=facts, **more)


def test_scores_nature_and_conditions_are_on_the_page(tmp_path):
    path = write_report([sized_run()], tmp_path, draws=20)
    text = path.read_text()
    for mark in ('costs', 'knows', 'nature', 'where', 'others', 'failures'):
        assert f'<section id="{mark}"' in text
    order = re.findall(r'<section id="(\w+)"', text)
    wanted = ['costs', 'knows', 'nature', 'where', 'others', 'failures']
    assert [m for m in order if m in wanted] == wanted
    assert 'Natural occlusion (v = 1 against v = 2) costs a joint' in text
    assert 'size that costs as much' in text
    assert 'S50' in text
    line = (
        'boxes: annotated; flip test: yes; input: 96x128; people: 24 in 12 '
        'images; suites: mine (0123abcd); versions: mmpose 1.3.2'
    )
    for name in ('attacks', 'joints', 'movement', 'scores', 'natural'):
        table = list(
            csv.DictReader((tmp_path / f'{name}.csv').read_text().splitlines())
        )
        assert {row['conditions'] for row in table} == {line}
    assert 'flip test: yes' in text
    numbers = json.loads((tmp_path / 'report.json').read_text())['models'][0]
    assert numbers['suites'] == dict(mine='0123abcd')
    assert numbers['scores']['clean']['keypoints'] > 100
    assert numbers['natural']['gaps'][0]['joint'] == 'all'
    (summary,) = numbers['summaries']
    assert summary['severities'] == [0.1, 0.2]


def test_sections_without_data_are_left_out(tmp_path):
    run = sized_run()
    seen = replace(
        run.boxes, visible=np.where(run.boxes.visible > 0, 2, 0).astype('int8')
    )
    scores = np.full_like(run.clean.scores, np.nan)
    run = replace(
        run,
        boxes=seen,
        clean=replace(run.clean, scores=scores),
        attacks=[
            replace(a, predictions=replace(a.predictions, scores=scores))
            for a in run.attacks
        ],
    )
    text = write_report([run], tmp_path, draws=5).read_text()
    assert 'id="knows"' not in text
    assert 'No keypoint is labelled as occluded' in text
    assert 'costs a joint' not in text


def test_a_low_ap_is_not_led_with(tmp_path):
    run = sized_run()
    run = replace(run, clean=made_up.noisy(run.boxes, 25, seed=5))
    text = write_report([run], tmp_path / 'a', draws=5).read_text()
    assert 'so low that it can hardly fall' in text
    assert 'AP without occlusion' not in text
    text = write_report(
        [run], tmp_path / 'b', draws=5, measure='AP'
    ).read_text()
    assert 'AP without occlusion' in text
