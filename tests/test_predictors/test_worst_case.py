"""The search for the worst place finds what is planted.

Runs with and without MMPose.
"""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import sensitivity_map
from mmpose_occlusion.benchmark.analysis.worst_case import worst_case
from mmpose_occlusion.benchmark.api import run_benchmark
from mmpose_occlusion.benchmark.image_run import run_predictor
from mmpose_occlusion.benchmark.image_worst_case import (
    GRID,
    TRANSFERRED,
    WORST,
    WorstCaseSearch,
    grid,
    read_places,
)
from mmpose_occlusion.cli.benchmark import main_worst
from mmpose_occlusion.errors import UsageError

from .planted_models import (
    FAR,
    WRIST,
    Gradual,
    Planted,
    Spot,
    Two,
    Unmoved,
    WholeImage,
)
from .test_image_run import FUNCTION, run_killed, same_predictions

SEARCH = WorstCaseSearch('20%', 'black', candidates=8, rounds=1)
RADIUS = 12.0
"""Of the people's discs, 20 % of 120 pixels."""


def search(predictor, file, out, settings=SEARCH, **others):
    others = dict(max_images=2, search=settings, **others)
    return run_predictor(predictor, file, file.parent, out=out, **others)


def raw_people(file):
    return json.loads(file.read_text())['annotations']


@pytest.mark.parametrize('kind', [Spot, Gradual])
def test_a_planted_place_is_found(people, tmp_path, kind):
    found = search(
        kind(people),
        people,
        tmp_path,
        replace(SEARCH, candidates=48, rounds=4),
    )
    places = worst_case(found, 50)['people']
    assert len(places) == 4
    for raw, person in zip(raw_people(people), places, strict=False):
        truth = np.reshape(raw['keypoints'], (17, 3))
        x, y = Spot.place(truth)
        distance = np.hypot(person['x'] - x, person['y'] - y)
        if kind is Spot:
            assert distance <= RADIUS
            assert person['loss_worst'] == pytest.approx(1)
            assert person['loss_random'] < 0.6
        else:
            assert distance < 1.5
            assert person['loss_worst'] > 2 * person['loss_random']


def test_the_place_that_moves_one_joint_is_found(people, tmp_path):
    """Of the people who have the joint; transferred to itself it is as bad,
    and to a model that ignores the image it is nothing."""
    lines, settings = [], replace(SEARCH, candidates=48, rounds=2)
    one = replace(settings, joint='left_wrist')
    model = Two(people)
    found = search(model, people, tmp_path / 'one', one, log=lines.append)
    assert 'for 2 people in 2 images' in lines[0]
    assert 'Loss: fall of the per-keypoint OKS of left_wrist' in lines[0]
    assert model.calls == found.run['forward_passes'] < 2 + 2 * (17 + 48 + 16)
    numbers = worst_case(found, 50)
    assert list(numbers['places']) == ['worst', 'own_joint', 'random']
    assert set(numbers['gaps']) == {'worst - own_joint', 'worst - random'}
    assert numbers['joints'] == []
    raws = [
        raw for raw in raw_people(people) if raw['keypoints'][3 * WRIST + 2]
    ]
    places = {}
    for raw, person in zip(raws, numbers['people'], strict=False):
        truth = np.reshape(raw['keypoints'], (17, 3))
        spot, own = Spot.place(truth), truth[WRIST, :2]
        assert person['annotation_id'] == raw['id']
        assert np.hypot(*(spot - (person['x'], person['y']))) <= RADIUS
        assert person['loss_worst'] == pytest.approx(1)
        covered = np.hypot(*(spot - own)) < RADIUS
        assert person['loss_own_joint'] == pytest.approx(float(covered))
        assert person['loss_random'] < 0.6
        key = person['image_id'], person['annotation_id']
        places[key] = person['place'], person['x'], person['y']
    every = worst_case(search(model, people, tmp_path / 'every', settings), 5)
    for raw, person in zip(raw_people(people), every['people'], strict=False):
        nose = np.array(raw['keypoints'][:2])
        assert np.hypot(*(nose - (person['x'], person['y']))) <= RADIUS
    one = replace(one, places=places)
    for kind, loss in ((Two, 1), (Unmoved, 0)):
        out = tmp_path / kind.__name__
        found = search(kind(people), people, out, one)
        numbers = worst_case(found, 5)
        assert numbers['places'][TRANSFERRED]['OKS'].value == loss
        assert 'transferred - own_joint' in numbers['gaps']
    with pytest.raises(UsageError, match='--joint is "hand": the data set ha'):
        search(model, people, out, replace(one, joint='hand'))


def test_a_map_is_refined_around_the_planted_place(
    people,
    tmp_path,
    monkeypatch,
):
    """The cells around those that cover somebody's place are predicted, by
    any number of workers and once."""
    monkeypatch.setattr(sensitivity_map, 'LEAST_PEOPLE', 2)
    lines, data = [], dict(annotations=people, images=people.parent)

    def refined(out, refine=0.1, **others):
        model = Spot(people)
        found = run_benchmark(
            model,
            out=tmp_path / out,
            data=data,
            suites=['map-coarse'],
            refine=refine,
            log=lines.append,
            **others,
        )
        return found and found.runs[0], model.calls

    assert refined('a', dry_run=True)[0] is None
    assert 'at most three times as many more' in lines[-1]
    coarse, first = refined('a', refine=None)
    found, second = refined('a')
    (said,) = (line for line in lines if 'finer cells, ' in line)
    cells = [a.config['target'] for a in found.attacks]
    assert cells[:231] == [a.config['target'] for a in coarse.attacks]
    finer = set(cells[231:])
    assert said.startswith(f'{len(finer)} finer cells')
    around = set()
    for attack in coarse.attacks:
        if (attack.predictions.keypoints == FAR).any():
            x, y = map(int, attack.config['target'][1:].split('y'))
            around |= {
                f'x{x + dx}y{y + dy}' for dx in (-5, 0, 5) for dy in (-5, 0, 5)
            }
    assert 0 < len(finer) == len(around - set(cells[:231])) < 300
    assert finer < around
    assert 0 < second <= 8 * len(finer)
    assert found.run['forward_passes'] == first + second
    many, _ = refined('b', num_workers=2)
    assert [a.name for a in many.attacks] == [a.name for a in found.attacks]
    same_predictions(many, found)
    assert many.run['forward_passes'] == first + second


def test_no_place_matters_to_a_model_that_ignores_the_image(
    people,
    tmp_path,
):
    found = search(Unmoved(people), people, tmp_path)
    numbers = worst_case(found, 20)
    for row in [*numbers['places'].values(), *numbers['gaps'].values()]:
        for estimate in row.values():
            assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_it_is_never_weaker_than_its_candidates(people, tmp_path):
    found = search(Planted(people), people, tmp_path)
    numbers = worst_case(found, 20)
    by_name = {a.name: a for a in found.attacks}
    for row, person in enumerate(numbers['people']):
        losses = [
            _loss(found, attack, row)
            for name, attack in by_name.items()
            if name != WORST and not attack.excluded[row]
        ]
        assert person['tried'] == len(losses)
        assert person['loss_worst'] == pytest.approx(max(losses), abs=1e-12)
        assert person['loss_worst'] >= person['loss_worst_joint'] > 0
        assert person['loss_worst_joint'] >= person['loss_mean_joint']
        grid_losses = [
            _loss(found, a, row)
            for n, a in by_name.items()
            if n.startswith(GRID) and not a.excluded[row]
        ]
        assert person['loss_random'] == pytest.approx(np.mean(grid_losses))
    assert numbers['gaps']['worst - random']['OKS'].low > 0
    for row in numbers['joints']:  # a joint under black is far away
        assert row['hidden'].value == pytest.approx(1)
        assert row['gap'].value == pytest.approx(0)


def _loss(run, attack, row):
    """1 minus the fraction of labelled joints that are where they are: a
    planted joint is exact or far away."""
    known = run.boxes.visible[row] > 0
    right = attack.predictions.keypoints[row] == run.boxes.truth[row]
    return 1 - right.all(axis=1)[known].mean()


@pytest.mark.parametrize('kind', [Planted, WholeImage])
def test_the_budget_is_stated_and_kept(people, tmp_path, kind):
    lines = []
    predictor = kind(people)
    # 2 images, 4 x 17 - 2 joints, 4 x 8 refinements: 100; 4 x 6 are left
    settings = replace(SEARCH, budget=127)
    found = search(predictor, people, tmp_path, settings, log=lines.append)
    assert 'At most 124 forward passes for 4 people in 2 images' in lines[0]
    assert 'each with 6 places on a grid' in lines[0]
    assert predictor.calls == found.run['forward_passes'] <= 124
    settings = replace(SEARCH, budget=115)
    with pytest.raises(UsageError, match='give at least 116, or fewer im'):
        search(kind(people), people, tmp_path / 'small', settings)


def test_the_same_for_any_number_of_processes(people, tmp_path):
    one = search(WholeImage(people), people, tmp_path / 'one')
    many = search(WholeImage(people), people, tmp_path / 'many', num_workers=2)
    same_predictions(many, one)
    other = search(WholeImage(people), people, tmp_path / 'other', seed=1)
    for a, b, c in zip(one.attacks, many.attacks, other.attacks, strict=True):
        if a.centres is not None:
            np.testing.assert_array_equal(a.centres, b.centres)
        if a.name == 'grid 0':
            assert (a.centres[:2] != c.centres[:2]).any()


def test_killed_and_resumed(people, tmp_path):
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    expected = search(Planted(people), people, whole)
    run_killed(lambda: search(Planted(people), people, broken), 2)
    assert len(list(broken.glob('store/*/shards/*.npz'))) == 1
    predictor = Planted(people)
    found = search(predictor, people, broken)
    same_predictions(found, expected)
    # the image that was finished is not predicted again
    assert predictor.calls < 0.6 * expected.run['forward_passes']
    assert worst_case(found, 5)['people'] == worst_case(expected, 5)['people']
    again = Planted(people)
    search(again, people, broken)
    assert not again.calls


def test_transfer_and_files(people, tmp_path, monkeypatch, capsys):
    """Of the same model it is its own worst place; a model that ignores the
    image loses nothing there."""
    pytest.importorskip('jinja2')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'my_middle.py').write_text(FUNCTION)
    (tmp_path / 'my_planted.py').write_text(
        'from pathlib import Path\n'
        'from tests.test_predictors.planted_models import Gradual\n'
        f'known = Gradual(Path({str(people)!r}))\n'
        'def predict(images, boxes):\n'
        '    return known(images, boxes)\n'
    )
    argv = ['--annotations', str(people), '--images', str(people.parent)]
    argv += ['--size', '20%', '--candidates', '9', '--rounds', '1']
    argv += ['--draws', '20', '--fill', 'black', '--max-images', '2']
    model = ['my_planted:predict', *argv]
    assert main_worst([*model, '--out', 'a']) == 0
    said = capsys.readouterr().out
    assert 'worst - random' in said
    assert 'Wrote a/worst.html' in said
    first = json.loads((tmp_path / 'a' / 'worst.json').read_text())
    assert main_worst([*model, '--out', 'b', '--places', 'a']) == 0
    # only the transferred places are computed if the rest is stored
    assert main_worst([*model, '--out', 'a', '--places', 'b']) == 0
    for name in 'ab':
        both = json.loads((tmp_path / name / 'worst.json').read_text())
        assert both['places'][TRANSFERRED] == both['places'][WORST]
        assert both['share_transferred'] == dict(value=1, low=1, high=1)
        for person, alone in zip(both['people'], first['people'], strict=True):
            assert person['loss_transferred'] == person['loss_worst']
            assert person['loss_worst'] == alone['loss_worst']
    assert both['run']['forward_passes'] > 4
    stored = json.loads((tmp_path / 'a' / 'worst.json').read_text())
    assert (
        stored['run']['forward_passes'] == 4 + (first['run']['forward_passes'])
    )
    # a person without a place has no loss there
    fewer = dict(stored, people=stored['people'][1:])
    (tmp_path / 'fewer.json').write_text(json.dumps(fewer))
    assert main_worst([*model, '--out', 'b', '--places', 'fewer.json']) == 0
    fewer = json.loads((tmp_path / 'b' / 'worst.json').read_text())
    assert fewer['people'][0]['loss_transferred'] is None
    assert fewer['people_compared'] == stored['people_compared'] - 1
    middle = ['my_middle:middle', *argv, '--out', 'm', '--places', 'a']
    assert main_worst(middle) == 0
    other = json.loads((tmp_path / 'm' / 'worst.json').read_text())
    assert other['places'][TRANSFERRED]['OKS']['value'] == 0
    assert other['gaps']['worst - random']['OKS']['value'] == 0
    assert other['share_transferred']['value'] is None
    with (tmp_path / 'a' / 'worst.csv').open() as file:
        table = list(csv.DictReader(file))
    assert [int(row['annotation_id']) for row in table] == [
        raw['id'] for raw in raw_people(people)[:4]
    ]
    assert float(table[0]['loss_worst']) == stored['people'][0]['loss_worst']
    page = (tmp_path / 'a' / 'worst.html').read_text()
    assert page.count('data:image/jpeg') == 8
    assert 'data:image/svg+xml' in page
    joint = ['--joint', 'left_elbow', '--out', 'j']
    assert main_worst([*model, *joint, '--places', 'a']) == 2
    assert (
        'give the same --fill, --size and --joint' in capsys.readouterr().err
    )
    assert main_worst([*model, *joint]) == 0
    capsys.readouterr()
    page = (tmp_path / 'j' / 'worst.html').read_text()
    assert 'Where an occluder moves the left elbow most' in page
    assert 'the joint itself hidden' in page
    with pytest.raises(UsageError, match='has the places of black discs of'):
        read_places(tmp_path / 'a', replace(SEARCH, size='10%'))
    for text, sentence in (
        ('{}', 'is no result of occlusion-worst'),
        (
            '{"search": {"fill": "black", "size": "20%"}, "people": [{"x": 1,'
            '"y": Infinity, "place": "", "image_id": 0, "annotation_id": 0}]}',
            'a place is not finite',
        ),
        ('{', 'is not JSON'),
    ):
        (tmp_path / 'x.json').write_text(text)
        with pytest.raises(UsageError, match=sentence):
            read_places(tmp_path / 'x.json', SEARCH)
    assert main_worst(['config.py', *argv, '--out', 'c']) == 2
    assert 'write mmpose:CONFIG,CHECKPOINT' in capsys.readouterr().err


def test_grids_lie_on_the_mask():
    mask = np.zeros((60, 40), np.uint8)
    cv2.circle(mask, (20, 30), 15, 1, cv2.FILLED)
    for count in (1, 5, 30):
        points, step = grid(mask > 0, count, (0.3, 0.9))
        assert 0.5 * count <= len(points) <= count
        assert len(set(points)) == len(points)
        assert all(np.hypot(x - 20, y - 30) <= 16 for x, y in points)
        assert step == pytest.approx((np.pi * 225 / count) ** 0.5, rel=0.5)
    assert grid(np.zeros((4, 4), bool), 5, (0, 0))[0] == []
    one = np.zeros((9, 9), bool)
    one[4, 7] = True
    assert grid(one, 5, (0.9, 0.9))[0] == [(7.0, 4.0)]
