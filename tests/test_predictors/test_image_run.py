"""Predictors on whole images: planted answers come out as planted.

Runs with and without MMPose.
"""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.api import (
    Benchmark,
    load_benchmark,
    run_benchmark,
)
from mmpose_occlusion.benchmark.data import UNMATCHED
from mmpose_occlusion.benchmark.effects import ImageAttack
from mmpose_occlusion.benchmark.image_people import match_people
from mmpose_occlusion.benchmark.image_run import run_predictor
from mmpose_occlusion.benchmark.store import RunStore
from mmpose_occlusion.benchmark.suite import load_suites
from mmpose_occlusion.cli import benchmark as command
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.average_precision import MAX_POSES
from mmpose_occlusion.metrics.oks_pck import published_sigmas
from mmpose_occlusion.predictors import Prediction, Predictor
from mmpose_occlusion.skeleton import COCO_JOINTS, MPII_ORDER, Skeleton

from .planted_models import (
    FAR,
    NOSE,
    WRIST,
    Crashing,
    Hanging,
    Planted,
    Raising,
    Unmoved,
    WholeImage,
    Wrong,
)

ATTACKS = ('keypoint:nose:black:10%', 'keypoint:left_wrist:black:10%')


def run(predictor, file, out, attacks=ATTACKS, **others):
    return run_predictor(
        predictor, file, file.parent, out=out, attacks=attacks, **others
    )


def same_predictions(a, b):
    for x, y in zip(
        [a.clean, *(c.predictions for c in a.attacks)],
        [b.clean, *(c.predictions for c in b.attacks)],
        strict=True,
    ):
        np.testing.assert_array_equal(x.keypoints, y.keypoints)
        np.testing.assert_array_equal(x.scores, y.scores)


def test_what_is_planted_comes_out(people, tmp_path):
    predictor = Planted(people)
    assert isinstance(predictor, Predictor)
    found = run(predictor, people, tmp_path / 'out')
    boxes = found.boxes
    assert boxes.instance_ids.tolist() == [0, 1, 10, 11, 20, 21, 30, 31]
    known = boxes.visible > 0
    np.testing.assert_array_equal(
        found.clean.keypoints[known], boxes.truth[known]
    )
    nose, wrist = found.attacks
    assert nose.changed.all()
    assert wrist.changed.tolist() == [True, False] * 4
    # 4 images, and those whom the attacks change
    assert found.run['forward_passes'] == predictor.calls == 4 + 8 + 4
    for attack, joint in ((nose, NOSE), (wrist, WRIST)):
        asked = np.zeros_like(known)
        asked[attack.changed, joint] = True
        np.testing.assert_array_equal(attack.targets, asked)
        far = attack.predictions.keypoints[..., 0] == FAR
        np.testing.assert_array_equal(far, attack.hidden)
    (analysis,), _ = analyse([found], 10)
    assert analysis.clean['AP'].value == pytest.approx(1)
    (row,) = (
        j
        for j in analysis.costs[0].joints
        if (j.joint, j.group) == ('all', 'target')
    )
    assert (row.number, row.clean.pck, row.attacked.pck) == (8, 1, 0)
    # a disc of 12 pixels in a padded box of 96 x 150 (at 3:4, 112.5 x 150)
    area = 120 * 1.25 * max(100, 120 * 0.75 * 1.25)
    pixels = analysis.costs[0].painted * area
    assert pixels == pytest.approx(np.pi * 36, rel=0.1)


def test_patches_are_those_of_the_transforms(people, tmp_path):
    """On a whole image that has this person alone."""
    pytest.importorskip('mmpose')
    from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion

    content = json.loads(people.read_text())
    image = cv2.imread(str(people.parent / '0.png'))
    raw = content['annotations'][0]
    xy = np.reshape(raw['keypoints'], (1, 17, 3))
    skeleton = Skeleton(COCO_JOINTS)
    box = np.array([20.0, 20, 100, 140])
    found = run(Planted(people), people, tmp_path / 'out')
    for text, transform in (
        (
            'keypoint:random:object:20%',
            KeypointOcclusion('random', fill='object', size='20%', seed=3),
        ),
        (
            'part:left_arm:blur',
            PartOcclusion('left_arm', fill='blur', seed=3),
        ),
    ):
        results = transform.transform(
            dict(
                img=image.copy(),
                img_id=0,
                id=[0],
                keypoints=xy[..., :2],
                keypoints_visible=xy[..., 2],
                bbox=box[None],
                keypoint_id2name=dict(enumerate(COCO_JOINTS)),
            )
        )
        (suite,) = load_suites((), (text,), skeleton)
        attack = ImageAttack(suite, 3, found.joints.links)
        painted = image.copy()
        person = _people_of(people).person(0, image.shape)
        attack.on(image, image.copy(), person, raw).paint(painted)
        np.testing.assert_array_equal(painted, results['img'])
        assert (painted != image).any()


def _people_of(path):
    from mmpose_occlusion.benchmark.annotation_file import read_annotations
    from mmpose_occlusion.benchmark.image_people import image_people

    recipe = dict(images=Path(path).parent, detections=None, max_images=None)
    recipe |= dict(compared=np.ones(17, bool), whole_image=False)
    return image_people(read_annotations(path), recipe)


def test_whole_images(people, tmp_path):
    found = run(WholeImage(people), people, tmp_path / 'out')
    boxes = found.boxes
    owned = boxes.instance_ids != UNMATCHED
    assert len(boxes) == 8 + 4 * MAX_POSES
    known = boxes.visible[owned] > 0
    clean = found.clean.keypoints[owned]
    np.testing.assert_array_equal(clean[known], boxes.truth[owned][known])
    counts = {row.pop('attack'): row for row in found.run['people_found']}
    assert counts == {
        'clean': dict(found=8, missing=0, extra=1),
        ATTACKS[0]: dict(found=0, missing=8, extra=1),
        ATTACKS[1]: dict(found=8, missing=0, extra=1),
    }
    nose, wrist = found.attacks
    assert np.isnan(nose.predictions.keypoints[owned]).all()
    assert nose.predictions.person_scores[owned].tolist() == [0] * 8
    assert (wrist.predictions.keypoints[owned][:, WRIST, 0] == FAR).sum() == 4
    (analysis,), _ = analyse([found], 10)
    # the extra one has the highest score: precision is 1/2 at recall 1/8 of
    # interpolation's maximum 8/9
    assert analysis.clean['AP'].value == pytest.approx(8 / 9)
    cost = analysis.costs[0]
    assert cost.attacked['AP'].value == 0
    assert cost.attacked['PCK'].value == 0
    assert cost.attacked['EPE'].value is None
    assert cost.people == 8


def test_one_person_an_image_pass(people, tmp_path):
    predictor = WholeImage(people)
    found = run(predictor, people, tmp_path / 'out', people='one')
    assert predictor.calls == 4 + 8 + 4
    owned = found.boxes.instance_ids != UNMATCHED
    nose, wrist = found.attacks
    assert np.isnan(nose.predictions.keypoints[owned]).all()
    assert wrist.changed[owned].tolist() == [True, False] * 4
    # the other's row is the clean one
    second = np.flatnonzero(owned)[1::2]
    np.testing.assert_array_equal(
        wrist.predictions.keypoints[second], found.clean.keypoints[second]
    )


def test_some_joints_only(people, tmp_path):
    found = run(Planted(people, MPII_ORDER), people, tmp_path / 'out')
    compared = np.isin(COCO_JOINTS, MPII_ORDER)
    assert compared.sum() == 12
    assert not found.boxes.visible[:, ~compared].any()
    assert np.isnan(found.clean.keypoints[:, ~compared]).all()
    assert not found.clean.scores[:, ~compared].any()
    assert 'nose' in found.run['joints_missing']
    assert 'left_wrist' in found.run['joints_compared']
    (analysis,), _ = analyse([found], 10)
    assert analysis.clean['AP'].value == pytest.approx(1)
    assert analysis.clean['PCK'].value == 1
    json.dumps(analysis.costs[0].moved['nose'])
    assert analysis.costs[0].moved['nose'] is None


def test_models_are_compared_on_the_same_people(people, tmp_path):
    a = run(Planted(people), people, tmp_path / 'a')
    b = run(WholeImage(people), people, tmp_path / 'b')
    _, comparison = analyse([a, replace(b, model='whole')], 10)
    assert not comparison.reasons
    rows = {d.attack: d for d in comparison.differences}
    assert rows[ATTACKS[1]].people == 4
    assert rows[ATTACKS[1]].score['PCK'].value == 0
    assert rows['clean'].score['AP'].value == pytest.approx(8 / 9 - 1)


def test_the_page_of_models_by_size(people, tmp_path):
    pytest.importorskip('jinja2')
    attacks = [f'keypoint:random:black:{size}%' for size in (10, 20)]
    runs = [
        replace(
            run(kind(people), people, tmp_path / kind.__name__, attacks),
            model=kind.__name__,
        )
        for kind in (Planted, Unmoved)
    ]
    found = Benchmark(tmp_path / 'page', runs, trusted=True)
    text = found.report(draws=5, cases=2).read_text()
    assert 'By the size of the disc' in text
    assert 'mean over sizes' in text
    assert 'mean change by one joint' not in text


def test_matching_takes_each_person_once():
    truth = np.zeros((2, 1, 2))
    truth[1] = 100
    areas, sigmas = np.full(2, 900.0), np.array([0.1])
    poses = truth[[0, 0, 1, 1]].copy()
    poses[:, 0, 0] += 1, 0, 9, 40
    owner = match_people(poses, np.array([2, 1, 2, 1]), truth, areas, sigmas)
    # the third is nearer than a miss; the last is far from everybody
    assert owner.tolist() == [0, UNMATCHED, 1, UNMATCHED]


def test_published_sigmas():
    sigmas, source = published_sigmas(COCO_JOINTS)
    assert source == 'COCO'
    np.testing.assert_allclose(
        1000 * sigmas,
        [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89],
    )
    assert published_sigmas(MPII_ORDER)[1] == 'MPII'


def run_killed(call, number):
    """Call a function in a process that is killed when it writes this shard
    of the store."""
    child = os.fork()
    if not child:
        write, writes = RunStore.write, []

        def write_or_die(self, *arguments):
            writes.append(arguments)
            if len(writes) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            write(self, *arguments)

        RunStore.write = write_or_die
        try:
            call()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_killed_and_resumed(people, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'mmpose_occlusion.benchmark.image_loop.BLOCK_IMAGES', 1
    )
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    expected = run(Planted(people), people, whole)
    run_killed(lambda: run(Planted(people), people, broken), 3)
    assert len(list(broken.glob('store/*/shards/*.npz'))) == 2
    resumed = Planted(people)
    found = run(resumed, people, broken)
    same_predictions(found, expected)
    # the passes are those of all commands together
    passes = expected.run['forward_passes']
    assert 0 < resumed.calls < passes == found.run['forward_passes']
    again = Planted(people)
    same_predictions(run(again, people, broken), expected)
    assert not again.calls
    (stored,) = load_benchmark(broken).runs
    same_predictions(stored, expected)


def test_processes_change_no_bit(people, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'mmpose_occlusion.benchmark.image_loop.BLOCK_IMAGES', 1
    )
    one = run(WholeImage(people), people, tmp_path / 'one')
    many = run(WholeImage(people), people, tmp_path / 'many', num_workers=2)
    same_predictions(many, one)
    assert many.run['forward_passes'] == one.run['forward_passes']


@pytest.mark.parametrize(
    ('kind', 'others', 'sentence'),
    [
        (Wrong, {}, r'keypoints of shape \(2, 16, 2\) instead of'),
        (Wrong, dict(num_workers=1), r'keypoints of shape \(2, 16, 2\)'),
        (Raising, {}, r'\(ZeroDivisionError: by nothing\) in a batch th'),
        (Crashing, dict(num_workers=1), r'exit status 7\) in a batch that be'),
        (
            Hanging,
            dict(timeout=1.5),
            r'more than 1.5 s \(give .*\) in a batch th',
        ),
    ],
)
def test_predictors_that_fail(
    people, tmp_path, monkeypatch, kind, others, sentence
):
    """One sentence, and what is finished is stored."""
    monkeypatch.setattr('mmpose_occlusion.benchmark.work.FLUSH_SECONDS', -1)
    out = tmp_path / 'out'
    with pytest.raises(UsageError, match=sentence):
        run(kind(people), people, out, batch_size=4, **others)
    stored = list(out.glob('store/*/shards/*.npz'))
    assert bool(stored) == (kind is not Wrong)


@pytest.mark.parametrize(
    ('others', 'sentence'),
    [
        (dict(people='some'), 'people is "some"'),
        (dict(attacks=['keypoint:tail:black']), "no joint 'tail'"),
        (dict(attacks=['keypoint:nose:donor']), 'paints donors'),
        (dict(attacks=[]), 'there is no attack'),
    ],
)
def test_refused(people, tmp_path, others, sentence):
    with pytest.raises(UsageError, match=sentence):
        run(Planted(people), people, tmp_path / 'out', **others)


def test_detections(people, tmp_path):
    boxes = [
        dict(image_id=0, category_id=1, bbox=[21, 21, 80, 120], score=0.9),
        dict(image_id=0, category_id=1, bbox=[200, 30, 9, 9], score=0.5),
    ]
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))

    class Middle(Planted):
        def __call__(self, images, boxes):
            middle = [(b[:, None, :2] + b[:, None, 2:]) / 2 for b in boxes]
            return [
                Prediction(m.repeat(17, axis=1), np.ones((len(m), 17)))
                for m in middle
            ]

    found = run(
        Middle(people),
        people,
        tmp_path / 'out',
        detections=tmp_path / 'boxes.json',
    )
    assert found.boxes.instance_ids.tolist() == [0, UNMATCHED]
    assert found.boxes.scores.tolist() == [0.9, 0.5]
    assert found.attacks[0].changed.tolist() == [True, False]
    with pytest.raises(UsageError, match='takes no bboxes'):
        run(
            WholeImage(people),
            people,
            tmp_path / 'out',
            detections=tmp_path / 'boxes.json',
        )


FUNCTION = """
import numpy as np

def middle(images, boxes):
    out = []
    for box in boxes:
        xy = np.repeat((box[:, None, :2] + box[:, None, 2:]) / 2, 17, axis=1)
        out.append((xy, np.ones(xy.shape[:2])))
    return out
"""


def test_the_command(people, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'my_middle.py').write_text(FUNCTION)
    argv = ['my_middle:middle', '--attack', ATTACKS[0], '--out', 'out']
    data = ['--annotations', str(people), '--images', str(tmp_path)]
    assert command.main(argv) == 2
    assert '--annotations' in capsys.readouterr().err
    assert command.main([*argv, *data, '--predictor-option', 'hue=3']) == 2
    assert 'have no option "hue"' in capsys.readouterr().err
    assert command.main([*argv, *data, '--dry-run']) == 0
    assert 'At most 16 predictions' in capsys.readouterr().out
    assert command.main([*argv, *data, '--max-images', '2']) == 0
    assert 'Wrote out/index.html' in capsys.readouterr().out
    page = (tmp_path / 'out' / 'index.html').read_text()
    assert 'Worst cases' in page
    assert page.count('data:image/jpeg') >= 2
    found = run_benchmark(
        'my_middle:middle',
        data=dict(annotations=people, images=tmp_path),
        attacks=[ATTACKS[0]],
        max_images=2,
        out='out',
    )
    assert '100% of the requested predictions' in capsys.readouterr().out
    assert found.runs[0].run['forward_passes'] == 2 + 4
    assert found.runs[0].model == 'my_middle:middle'


@pytest.mark.slow
def test_the_onnx_network(onnx_network, real_data, tmp_path):
    """The same network under MMPose has an AP of .4273 (CocoMetric)."""
    folder, joints = (
        real_data / 'coco_mini',
        ('nose', 'left_elbow', 'left_knee'),
    )
    found = run_benchmark(
        onnx_network,
        data=dict(annotations=folder / 'person_keypoints.json', images=folder),
        attacks=[f'keypoint:{joint}:black:10%' for joint in joints],
        out=tmp_path,
        options=dict(threads=1),
    )
    (analysis,), _ = analyse(found.runs, draws=0)
    assert analysis.clean['AP'].value == pytest.approx(0.4273, abs=0.005)
    hidden = [
        j
        for cost in analysis.costs
        for j in cost.joints
        if (j.joint, j.group) == ('all', 'target')
    ]
    number = sum(j.number for j in hidden)
    before, after = (
        sum(j.number * getattr(j, view).oks50 for j in hidden) / number
        for view in ('clean', 'attacked')
    )
    assert after < before - 0.05
