"""The report: what its files hold, and that a browser shows it."""

import copy
import csv
import json
import os
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape

from mmpose_occlusion.benchmark.analysis import Estimate
from mmpose_occlusion.benchmark.report import write_report
from mmpose_occlusion.benchmark.report.body_chart import (
    body_chart,
    body_layout,
)
from mmpose_occlusion.benchmark.report.cases import pick_cases
from mmpose_occlusion.benchmark.report.figures import (
    forest_chart,
    svg_uri,
)
from mmpose_occlusion.benchmark.report.formatting import interval, number
from mmpose_occlusion.benchmark.report.write import together
from mmpose_occlusion.predictors.mmpose_crops import Crops, case_crops
from tests.test_benchmark import made_up
from tests.test_benchmark.planted import config

WRIST = made_up.COCO.index('left_wrist')


def some_run(**more):
    """Joints in two paints, parts, sizes and places; the wrist suffers."""
    boxes = made_up.people(4, 2, seed=1)
    clean = made_up.noisy(boxes, 2, seed=1)

    def lose(joints):
        joints = joints.copy()
        joints[:, WRIST] += 60
        return joints

    def attack(target, paint, fault=None, kind='KeypointOcclusion', **entries):
        tail = ':'.join(f'{v}' for v in entries.values())
        return made_up.attack(
            clean,
            boxes,
            target if target in made_up.COCO else 'nose',
            paint,
            fault,
            name=f'{kind[:4]}:{target}:{paint}:{tail}',
            config=dict(type=kind, target=target, fill=paint, **entries),
        )

    attacks = [
        attack(joint, paint, lose if joint == 'left_wrist' else None)
        for paint in ('black', 'blur')
        for joint in ('nose', 'left_wrist')
    ]
    attacks += [
        attack(part, 'black', kind='PartOcclusion')
        for part in ('head', '<hip> & co')
    ]
    attacks += [
        attack('random', 'black', lose if size == '20%' else None, size=size)
        for size in ('10%', '20%')
    ]
    attacks += [
        attack('random', paint, size=24) for paint in ('noise', 'object')
    ]
    attacks += [attack('nose', 'black', place='on_person')]
    facts = dict(command='python tools/x.py --out <a>', versions=dict(a='1'))
    return made_up.run(boxes, clean, attacks, run=facts, **more)


@pytest.fixture(scope='session')
def report(share_folder):
    runs = [some_run(), some_run(model='other')]
    folder = share_folder(
        'report',
        lambda out: write_report(runs, out, draws=10),
    )
    return folder / 'index.html'


class _Outside(HTMLParser):
    """Collects what a page would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.images = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if tag == 'img' and name == 'src':
                self.images.append(value)
            if name in ('src', 'srcset', 'data') or (
                name == 'href' and tag != 'a'
            ):
                if not value.startswith('data:'):
                    self.found.append(value)
            elif name == 'href' and not value.startswith('#'):
                self.found.append(value)


def test_the_page_needs_nothing_from_outside(report):
    text = report.read_text()
    page = _Outside()
    page.feed(text)
    assert page.found == []
    assert 'url(' not in text
    # differences under two paints, models by size; of each model: a body for
    # each paint and their scale, costs of joints and parts, severity,
    # controls, paints
    assert len(page.images) == 2 + 1 + 2 * (3 + 2 + 1 + 1 + 1)
    assert 'this report was made without the data set' in text
    assert '--out &lt;a&gt;' in text
    assert '&lt;hip&gt; &amp; co' in text
    assert '<hip>' not in text


def test_every_image_has_words(report):
    images = re.findall(r'<img [^>]*>', report.read_text())
    assert images
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in images)


def test_numbers_are_those_of_the_analysis(report):
    numbers = json.loads((report.parent / 'report.json').read_text())
    assert numbers['schema'] == 2
    first, second = numbers['models']
    assert (first['model'], second['model']) == ('made-up', 'other')
    assert first['attacks'] == second['attacks']
    nose, wrist = first['attacks'][:2]
    assert nose['change']['AP'] == dict(value=0, low=0, high=0)
    assert wrist['change']['AP']['high'] < 0
    assert wrist['moved']['left_wrist'] > 0.2
    assert numbers['comparison']['baseline'] == 'made-up'
    joints, table, moved = (
        list(csv.DictReader((report.parent / name).read_text().splitlines()))
        for name in ('joints.csv', 'attacks.csv', 'movement.csv')
    )
    assert joints[0]['joint'] == 'all'
    assert len(table) == 2 * len(first['attacks'])
    assert float(table[1]['AP_change']) == wrist['change']['AP']['value']
    assert len(moved) == 17 * len(table)
    differences = list(
        csv.DictReader(
            (report.parent / 'differences.csv').read_text().splitlines()
        )
    )
    assert differences[0]['attack'] == 'clean'
    assert len(differences) == 1 + len(first['attacks'])
    found = numbers['comparison']['differences'][1]
    assert (
        float(differences[1]['AP_difference_low'])
        == (found['score']['AP']['low'])
    )
    assert {row['baseline'] for row in differences} == {'made-up'}


def test_reports_of_the_same_predictions_differ_in_run_alone(tmp_path):
    run = some_run()
    run = replace(run, attacks=run.attacks[:2])
    found = []
    for word in ('one', 'two'):
        again = replace(run, run=dict(command=word))
        out = tmp_path / word
        write_report([again], out, draws=10, formats=('json', 'csv'))
        numbers = json.loads((out / 'report.json').read_text())
        found.append((numbers.pop('run'), numbers))
    assert found[0][1] == found[1][1]
    assert found[0][0] != found[1][0]
    for name in ('attacks.csv', 'joints.csv', 'movement.csv'):
        one, two = (tmp_path / word / name for word in ('one', 'two'))
        assert one.read_bytes() == two.read_bytes()


def test_figures_as_pdf(tmp_path):
    run = some_run()
    run = replace(run, attacks=run.attacks[:1])
    text = write_report([run], tmp_path, draws=5, pdf=True).read_text()
    files = re.findall(r'href="data:application/pdf;base64,([^"]+)"', text)
    assert len(files) == text.count('<img ') > 0
    for data in map(b64decode, files):
        assert data.startswith(b'%PDF-')
        assert b'/FontFile2' in data  # text that can be edited


def test_a_run_without_attacks_or_people_has_a_page(tmp_path):
    boxes = made_up.people(2, 1)
    clean = made_up.perfect(boxes)
    run = made_up.run(boxes, clean, [], people=[])
    path = write_report([run], tmp_path, draws=5)
    assert 'PCK@0.2' in path.read_text()


def test_names_are_shown_literally(tmp_path):
    names = {'nose': '$n_o^s$\ne', 'left_wrist': '_"wrist" <s>'}
    run = some_run(model='_first\n$x_1$ <s>')
    run = replace(
        run,
        joints=replace(
            run.joints, names=[names.get(n, n) for n in run.joints.names]
        ),
        attacks=[
            replace(
                a,
                name=a.name.replace('nose', names['nose']),
                config=dict(
                    a.config,
                    target=names.get(a.config['target'], a.config['target']),
                ),
            )
            for a in run.attacks[:2]
        ],
    )
    path = write_report([run, run], tmp_path, draws=5)
    text = path.read_text()
    for name in (*names.values(), run.model):
        assert str(escape(name)) in text
    assert not re.search('<s>', text)
    assert 'Each joint is at its median place' in text  # no standing person


def test_bystanders_stand_apart(tmp_path):
    run = some_run()
    attacks = list(run.attacks[:2])
    beside = np.zeros_like(attacks[1].targets)
    beside[:, WRIST + 1] = run.boxes.visible[:, WRIST + 1] > 0
    attacks[1] = replace(attacks[1], bystanders=beside)
    text = write_report(
        [replace(run, attacks=attacks)], tmp_path, draws=5
    ).read_text()
    nose, wrist = re.search(
        '<table class="found.*?<tbody>(.*?)</tbody>', text, re.DOTALL
    )[1].split('</tr>')[:2]
    assert '<td>–</td>' in nose
    assert '<td>100.0 % → 100.0 %</td>' in wrist
    assert '100.0 % → 0.0 %</td>' in wrist


def letters_of(chart):
    """Letters of the first panel: each is one <use> of its outline."""
    svg = b64decode(svg_uri(chart[0]).partition(',')[2])
    return svg.count(b'<use xlink')


def test_a_legend_has_names_that_start_with_an_underscore():
    value = Estimate(0.1, 0.0, 0.2)
    drawn = [
        forest_chart([('', name, 'row', value) for name in names], '')
        for names in (('_hidden', 'x'), ('hidden', 'x'), ('', 'x'))
    ]
    letters = [letters_of(chart) for chart in drawn]
    assert letters[0] == letters[1] + 1 == letters[2] + 7


def test_interrupted_writes_mix_no_reports(tmp_path, monkeypatch):
    """However far a process comes, no files of two reports stand together."""
    names = ('index.html', 'a.csv', 'report.json')

    def write(content, steps):
        left = iter(range(steps))

        def step(original):
            def call(*arguments, **more):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return original(*arguments, **more)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(os, 'replace', step(os.replace))
            patch.setattr(Path, 'unlink', step(Path.unlink))
            with together(tmp_path, names) as staging:
                for name in names:
                    (staging / name).write_text(content)

    write('0', 99)
    for steps in range(2 * len(names)):
        with pytest.raises(KeyboardInterrupt):
            write(str(steps + 1), steps)
        found = {p.name: p.read_text() for p in tmp_path.iterdir()}
        assert len(set(found.values())) <= 1
        if 'index.html' in found:
            assert set(found) == set(names)
        write('0', 99)
    assert {p.name for p in tmp_path.iterdir()} == set(names)


def test_a_failed_report_leaves_the_old_one(tmp_path):
    (tmp_path / 'index.html').write_text('old')

    def fail():
        with together(tmp_path, ['index.html']) as staging:
            (staging / 'index.html').write_text('new')
            raise ValueError('disk')

    with pytest.raises(ValueError, match='disk'):
        fail()
    assert (tmp_path / 'index.html').read_text() == 'old'
    assert len(list(tmp_path.iterdir())) == 1


def test_sides_are_named_on_a_standing_person_alone():
    joints, boxes = (
        np.full((3, 2, 2), 50.0),
        np.tile([0, 0, 100, 100.0], (3, 1)),
    )
    known = body_layout(['left_hip', 'nose'], [(0, 1)], joints, boxes)
    unknown = body_layout(['left_hand', 'nose'], [(0, 1)], joints, boxes)
    assert known.is_standing
    assert known.spots['left_hip'][0] > 0
    assert not unknown.is_standing
    assert unknown.spots['left_hand'] == (0, 4.5)
    charts = [
        body_chart({'black': dict(nose=0.1)}, layout, 'AP')
        for layout in (known, unknown._replace(is_standing=True), unknown)
    ]
    letters = [letters_of(chart) for chart in charts]
    words = len("person's left") + len("person's right")
    assert letters[0] == letters[1] == letters[2] + words


@pytest.fixture(scope='module')
def planted(synthetic_people):
    """Real crops; the model loses every nose that is hidden."""
    from mmengine.registry import DefaultScope

    cfg = config(
        synthetic_people, 'annotations/person_keypoints_val.json', 'val/'
    )
    with DefaultScope.overwrite_default_scope('mmpose'):
        infos = Crops(cfg.test_dataloader.dataset.to_dict()).infos()
    count = len(infos)
    truth = np.stack([info['keypoints'][0] for info in infos])
    visible = np.stack([i['keypoints_visible'][0] for i in infos])
    corners = np.stack([info['bbox'][0] for info in infos])
    boxes = replace(
        made_up.people(count, 1),
        image_ids=np.array([info['img_id'] for info in infos]),
        instance_ids=np.array([info['id'] for info in infos]),
        boxes=corners.astype(float),
        person_boxes=corners.astype(float),
        truth=np.where(visible[..., None] > 0, truth, np.nan),
        visible=(2 * (visible > 0)).astype(np.int8),
    )
    clean = made_up.perfect(boxes)

    def lose(joints):
        joints = joints.copy()
        joints[:, 0] += 50
        return joints

    attacks = [
        made_up.attack(clean, boxes, 'left_elbow'),
        made_up.attack(clean, boxes, 'nose', fault=lose),
    ]
    source = dict(
        default_scope='mmpose',
        custom_imports=None,
        dataset=cfg.test_dataloader.dataset.to_dict(),
    )
    return replace(made_up.run(boxes, clean, attacks), dataset=source)


def test_the_worst_case_is_the_one_that_was_planted(planted):
    run = planted
    (case, *_) = pick_cases(run, 1.0, 6)
    assert (case.attack, case.joint) == ('keypoint:nose:black', 'nose')
    sizes = run.boxes.boxes[:, 2:] - run.boxes.boxes[:, :2]
    grown = 50 * 2**0.5 / sizes.max(axis=1)
    assert case.after - case.before == pytest.approx(grown[case.row])

    ((clean, attacked, to_crop),) = case_crops(run, [case[:2]])
    changed = (clean != attacked).any(axis=2)
    y, x = np.nonzero(changed)
    nose = to_crop @ [*run.boxes.truth[case.row, 0], 1]
    assert np.abs(np.array([x.mean(), y.mean()]) - nose).max() < 2
    assert (attacked[changed] == 0).all()


def test_cases_are_on_the_page(planted, tmp_path):
    text = write_report(
        [planted], tmp_path, case_images=case_crops, draws=5
    ).read_text()
    assert 'Typical cases' in text
    assert text.count('data:image/jpeg') >= 4


def test_data_that_are_gone_are_a_sentence(planted, tmp_path):
    source = copy.deepcopy(planted.dataset)
    source['dataset']['data_root'] = str(tmp_path / 'gone')
    run = replace(planted, dataset=source)
    text = write_report(
        [run], tmp_path, case_images=case_crops, draws=5
    ).read_text()
    assert 'No crops: the data set cannot be read again' in text
    assert 'data:image/jpeg' not in text
    with pytest.raises(LookupError, match='cannot be read again'):
        case_crops(replace(run, dataset={}), [])


def test_other_data_are_noticed(planted):
    run = planted
    boxes = replace(run.boxes, image_ids=run.boxes.image_ids + 1)
    other = replace(run, boxes=boxes)
    with pytest.raises(LookupError, match='has changed'):
        case_crops(other, [pick_cases(run, 1.0, 1)[0][:2]])


@pytest.mark.parametrize(
    ('value', 'measure', 'sign', 'text'),
    [
        (0.5, 'AP', False, '0.500'),
        (-0.0123, 'AP', True, '\u22120.012'),
        (-0.0001, 'AP', True, '0.000'),
        (0.0123, 'EPE', False, '1.2'),
        (3.14, 'EPE_px', True, '+3.1'),
        (None, 'AP', False, '–'),
    ],
)
def test_numbers_as_words(value, measure, sign, text):
    assert number(value, measure, sign) == text


def test_no_interval_is_no_words():
    assert interval(Estimate(None, None, None)) == ''
    assert interval(Estimate(0.5, 0.4, 0.6)) == '[0.400, 0.600]'
