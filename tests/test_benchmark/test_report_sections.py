"""Sections of the page that show scores, nature and severity."""

import csv
import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import Estimate, analyse
from mmpose_occlusion.benchmark.report import write_report
from mmpose_occlusion.benchmark.report.body_chart import BodyLayout
from mmpose_occlusion.benchmark.report.charts import model_charts
from mmpose_occlusion.benchmark.report.figures import (
    LOOKS,
    Line,
    forest_chart,
    line_chart,
)
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import boxes_of_all

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


@pytest.fixture(scope='module')
def sections(tmp_path_factory):
    """The page of these attacks, a control, and a paint that was asked for."""
    run = sized_run()
    first = run.attacks[0]
    control = replace(
        first,
        name=f'{first.name}:on_person',
        config=dict(first.config, place='on_person'),
    )
    asked = made_up.attack(
        run.clean,
        run.boxes,
        'nose',
        'mean',
        suite='attacks',
        name='keypoint:nose:mean:24',
    )
    run = replace(run, attacks=[*run.attacks, control, asked])
    return write_report([run], tmp_path_factory.mktemp('report'), draws=20)


def test_sections_are_in_order(sections):
    text = sections.read_text()
    wanted = [
        'costs', 'controls', 'leaks', 'knows', 'nature', 'where', 'others',
        'failures',
    ]  # fmt: skip
    order = re.findall(r'<section id="(\w+)"', text)
    assert [mark for mark in order if mark in wanted] == wanted
    assert 'Natural occlusion (v = 1 against v = 2) costs a joint' in text
    assert 'size that costs as much' in text
    assert 'S50' in text
    assert 'A disc elsewhere on the person may hide other joints' in text
    heads = re.findall(r'Every joint as a target \((\w+)\)', text)
    assert heads == ['mean', 'black']


def test_conditions_stand_beside_the_numbers(sections):
    line = (
        'boxes: annotated; flip test: yes; input: 96x128; sigmas: COCO; '
        'people: 24 in 12 images; suites: mine (0123abcd), attacks; '
        'versions: mmpose 1.3.2'
    )
    for name in (
        *('attacks', 'joints', 'movement'),
        *('scores', 'natural', 'leaks'),
    ):
        path = sections.with_name(f'{name}.csv')
        table = list(csv.DictReader(path.read_text().splitlines()))
        assert {row['conditions'] for row in table} == {line}
    assert 'flip test: yes' in sections.read_text()
    numbers = json.loads(sections.with_name('report.json').read_text())
    (model,) = numbers['models']
    assert model['suites'] == dict(mine='0123abcd', attacks='')
    assert model['scores']['clean']['keypoints'] > 100
    assert model['natural']['gaps'][0]['joint'] == 'all'
    (summary,) = model['summaries']
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
    text = write_report([run], tmp_path, draws=5).read_text()
    assert 'so low that it can hardly fall' in text
    assert 'AP without occlusion' not in text
    assert analyse([run], draws=5, measure='AP')[0][0].main == 'AP'


def test_a_measure_at_its_ceiling_is_not_led_with():
    """All joints are off by a pixel under the attack; PCK stays at 1."""
    boxes = made_up.people(4, 2, seed=1)
    clean = made_up.perfect(boxes)
    attack = made_up.attack(clean, boxes, fault=lambda joints: joints + 9)
    run = made_up.run(boxes, clean, [attack], people=[])
    (found,), _ = analyse([run], draws=5)
    assert found.clean['PCK'].value == 1
    assert found.costs[0].attacked['PCK'].value == 1
    assert found.costs[0].attacked['OKS50'].value < 0.95
    assert found.main == 'OKS50'
    assert 'PCK is above 0.995 under every attack' in found.why_main


def test_lost_joints_are_not_the_net_change(tmp_path):
    """Of 24 noses 12 are off; under the attack 8 others are lost, and 6 are
    found: a net change of 2."""
    boxes = boxes_of_all(24)
    clean = made_up.perfect(boxes)
    clean.keypoints[:12, 0] += 60

    def turn(joints):
        joints = joints.copy()
        joints[:6, 0] -= 60
        joints[12:20, 0] += 60
        return joints

    run = made_up.run(boxes, clean, [made_up.attack(clean, boxes, fault=turn)])
    (found,), _ = analyse([run], draws=5)
    assert found.costs[0].turned['target'] == (8, 6)
    text = write_report([run], tmp_path, draws=5).read_text()
    assert '50.0 % → 41.7 % of the targets (33.3 % were near and' in text
    assert '25.0 % became near)' in text


def test_another_evaluation_in_the_same_folder_is_told(tmp_path, capsys):
    run, formats = sized_run(), ('json', 'csv')
    write_report([run], tmp_path, draws=5, formats=formats)
    write_report([run], tmp_path, draws=5, formats=formats)
    assert 'note:' not in capsys.readouterr().out
    tight = replace(
        run, joints=replace(run.joints, sigmas=run.joints.sigmas / 4)
    )
    write_report([tight], tmp_path, draws=5, formats=formats)
    told = capsys.readouterr().out
    assert 'had other conditions (sigmas COCO → own, mean 0.017)' in told
    line = (tmp_path / 'attacks.csv').read_text().splitlines()[1]
    assert 'sigmas: own, mean 0.017' in line


def test_controls_of_two_sizes_have_panels_of_their_own():
    run = sized_run()
    controls = [
        replace(
            attack,
            name=f'{attack.name}:on_person',
            config=dict(attack.config, place='on_person'),
        )
        for attack in run.attacks
    ]
    run = replace(run, attacks=[*run.attacks, *controls])
    (found,), _ = analyse([run], draws=5)
    layout = BodyLayout({}, [], False)
    chart = model_charts(found, found.costs, layout)['controls']
    titles = [figure.axes[0].get_title(loc='left') for figure in chart]
    assert titles == ['painted: black 10 %', 'painted: black 20 %']
    for figure in chart:
        rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert rows == ['nose', 'left_wrist']


def test_a_papers_table(tmp_path):
    run = sized_run(model='a_b & c')
    out, table = tmp_path / 'out', tmp_path / 'table.tex'
    write_report([run], out, draws=5, formats=('csv',), latex=table)
    assert not (out / 'index.html').exists()
    assert {p.suffix for p in out.iterdir()} == {'.csv'}
    text = table.read_text()
    assert r'a\_b \& c' in text
    assert 'boxes: annotated; flip test: yes; input: 96x128' in text
    (nose,) = [line for line in text.splitlines() if 'nose' in line]
    assert nose.count('&') == 4
    assert re.search(r'\$-\$0\.\d{3} \[', nose)
    assert text.count('{') == text.count('}')


def test_no_legend_lies_on_data_and_no_labels_touch():
    wide = {f'joint {i}': Estimate(-1.2345 * i, -2.0 * i, 0) for i in range(9)}
    names = ['black', 'blur', 'object', 'a paint with a long name']
    drawn = forest_chart(
        [('', name, row, wide[row]) for name in names for row in wide],
        'change',
        'painted',
    )
    points = [Estimate(0.9 - 0.1 * i, 0.8, 1.0) for i in range(5)]
    lines = [
        Line('', n, LOOKS[i], range(5), points) for i, n in enumerate(names)
    ]
    drawn += line_chart(lines, 'size', 'measure')
    assert len(drawn) == 2
    for figure in drawn:
        figure.draw_without_rendering()
        (axis,) = figure.axes
        (legend,) = figure.legends
        assert not legend.get_window_extent().overlaps(
            axis.get_window_extent()
        )
        for side in (axis.xaxis, axis.yaxis):
            boxes = [
                label.get_window_extent()
                for label in side.get_ticklabels()
                if label.get_text()
            ]
            assert len(boxes) > 1
            for one, other in pairwise(boxes):
                assert not one.overlaps(other)
