"""AP and AR of chosen people and joints, against values worked by hand.

COCO's AP is the mean of the precision at recalls 0, .01, ... 1, where the
precision at a recall is the best one at that recall or a higher.
"""

import numpy as np
import pytest
from xtcocotools.cocoeval import COCOeval

from mmpose_occlusion.metrics.coco import (
    OksEval,
    Precision,
    as_coco,
    evaluate,
    evaluate_zeroed,
    has_joint,
    ignored,
    make_person,
    only_joint,
)

SIGMAS = np.array([0.05, 0.1])
AREA = 5300.0  # of a box of 100 x 100, by MMPose's rule


def person(number, *joints, image=None, **more):
    """Somebody in a picture of their own, in a box of 100 x 100."""
    ann = dict(
        id=number,
        image_id=number if image is None else image,
        category_id=1,
        bbox=[1000, 1000, 100, 100],
        keypoints=[x for joint in joints for x in joint],
    )
    return make_person(dict(ann, **more), len(joints))


def detection(image, *joints, score=1.0):
    return dict(
        image_id=image,
        category_id=1,
        keypoints=[x for joint in joints for x in (*joint, 0.0)],
        score=score,
    )


PERFECT = pytest.approx((1.0, 1.0))
HERE, SEEN, MISSING = (1050, 1050), (1050, 1050, 2), (0, 0, 0)


def shifted(oks, sigma):
    """Where a joint has this OKS, by COCO's formula."""
    distance = 2 * sigma * np.sqrt(-2 * AREA * np.log(oks))
    return (1050 + distance, 1050)


def test_perfect():
    people = [person(1, SEEN, SEEN), person(2, SEEN, MISSING)]
    found = [detection(1, HERE, HERE), detection(2, HERE, (0, 0))]
    assert evaluate(people, found, SIGMAS) == PERFECT


@pytest.mark.parametrize(
    ('oks', 'ar'),
    [(0.99, 1.0), (0.71, 0.5), (0.51, 0.1), (0.49, 0.0)],
)
@pytest.mark.parametrize('joint', [0, 1])
def test_one_joint_by_its_own_sigma(oks, ar, joint):
    """The other joint is far off and must not be asked."""
    place = [(0, 0), (0, 0)]
    place[joint] = shifted(oks, SIGMAS[joint])
    people = [only_joint(person(1, SEEN, SEEN), joint)]
    found = [only_joint(detection(1, *place), joint)]
    result = evaluate(people, found, SIGMAS[[joint]])
    assert result == pytest.approx((ar, ar))


def test_wrong_before_right():
    """Precision 1/2 at recalls up to 1: one wrong detection scores higher."""
    people = [person(1, SEEN)]
    found = [
        detection(1, (5000, 0), score=0.9),
        detection(1, HERE, score=0.8),
    ]
    result = evaluate(people, found, SIGMAS[:1])
    assert result == pytest.approx((0.5, 1.0))


def test_half_found():
    """Precision 1 at the 51 recalls up to .5, 0 above."""
    people = [person(1, SEEN), person(2, SEEN)]
    result = evaluate(people, [detection(1, HERE)], SIGMAS[:1])
    assert result == pytest.approx((51 / 101, 0.5))


def test_ignored_people_count_neither_way():
    """A detection inside twice the box of somebody ignored is not wrong."""
    people = [person(1, SEEN), ignored(person(2, SEEN))]
    for place, ap in ((HERE, 1.0), ((1199, 1000), 1.0), ((1300, 1000), 0.5)):
        found = [
            detection(2, place, score=0.9),
            detection(1, HERE, score=0.8),
        ]
        assert evaluate(people, found, SIGMAS[:1]).ap == pytest.approx(ap)


@pytest.mark.parametrize(
    'people',
    [
        [],
        [person(1, MISSING)],
        [ignored(person(1, SEEN))],
        [person(1, SEEN, iscrowd=1)],
    ],
)
def test_nobody_counts(people):
    found = [detection(1, HERE)]
    assert evaluate(people, found, SIGMAS[:1]) == Precision(None, None)
    zeroed = evaluate_zeroed(people, found, SIGMAS[:1], 0)
    assert zeroed == Precision(None, None)


def test_nothing_found():
    assert evaluate([person(1, SEEN)], [], SIGMAS[:1]) == (0.0, 0.0)


def test_scores_of_joints_are_not_asked():
    """COCOeval leaves out a detection with no joint score above zero."""
    found = [dict(detection(1, HERE), keypoints=[*HERE, -0.2])]
    assert evaluate([person(1, SEEN)], found, SIGMAS[:1]) == PERFECT


def test_nothing_that_is_passed_in_changes():
    people = [person(1, SEEN, SEEN)]
    found = [detection(1, HERE, HERE)]
    before = repr((people, found))
    evaluate(people, found, SIGMAS)
    evaluate_zeroed(people, found, SIGMAS, 0)
    assert repr((people, found)) == before


def test_the_reference_punishes_perfection():
    """Four people in four pictures, all found exactly and all with equal
    scores; the first joint is labelled in the first and third of them.

    Recall goes .25 .25 .5 .5 and precision 1 1/2 2/3 1/2, so the best
    precision is 1 at the 26 recalls up to .25, 2/3 at the 25 up to .5, and
    0 at the 50 above: AP is (26 + 25 * 2/3) / 101, recall 1/2.
    """
    people = [
        person(1, SEEN, SEEN),
        person(2, MISSING, SEEN),
        person(3, SEEN, SEEN),
        person(4, MISSING, SEEN),
    ]
    found = [
        detection(1, HERE, HERE),
        detection(2, (0, 0), HERE),
        detection(3, HERE, HERE),
        detection(4, (0, 0), HERE),
    ]
    result = evaluate_zeroed(people, found, SIGMAS, 0)
    assert result == pytest.approx(((26 + 50 / 3) / 101, 0.5))
    assert evaluate_zeroed(people, found, SIGMAS, 1) == PERFECT


def test_the_reference_ignores_people_without_any_joint():
    people = [person(1, SEEN, SEEN), person(2, MISSING, MISSING)]
    found = [detection(1, HERE, HERE)]
    assert evaluate_zeroed(people, found, SIGMAS, 0) == PERFECT


@pytest.mark.parametrize(
    ('ann', 'use_area', 'area'),
    [
        ({'area': 10.0}, True, 10.0),
        ({'area': 10.0}, False, AREA),
        ({}, True, AREA),
        ({}, False, AREA),
    ],
)
def test_area(ann, use_area, area):
    full = dict(id=1, image_id=1, bbox=[0, 0, 100, 100], keypoints=[0, 0, 0])
    assert make_person(dict(full, **ann), 1, use_area)['area'] == area


def test_whole_body_joints_follow_in_their_order():
    ann = dict(
        id=1,
        image_id=1,
        bbox=[0, 0, 1, 1],
        keypoints=[1, 1, 1],
        lefthand_kpts=[4, 4, 1],
        foot_kpts=[2, 2, 1],
        face_kpts=[3, 3, 1],
        righthand_kpts=[5, 5, 1],
    )
    assert make_person(ann, 5)['keypoints'][::3] == [1, 2, 3, 4, 5]
    assert make_person(ann, 1)['keypoints'] == [1, 1, 1]


def test_wrong_number_of_joints():
    ann = dict(id=7, image_id=3, bbox=[0, 0, 1, 1], keypoints=[0] * 51)
    with pytest.raises(ValueError, match=r'annotation 7 of image 3 has 17 j'):
        make_person(ann, 16)


def test_has_joint():
    somebody = person(1, (1, 1, 1), MISSING)
    assert has_joint(somebody, 0)
    assert not has_joint(somebody, 1)
    assert not has_joint(dict(somebody, iscrowd=1), 0)


def test_the_faster_similarity_is_that_of_cocoeval():
    """Crowds of people, with and without joints, near and far."""
    rng = np.random.default_rng(0)

    def somebody(number):
        joints = rng.uniform(0, 200, (5, 3))
        joints[:, 2] = rng.integers(0, 3, 5) * (rng.random() < 0.7)
        return make_person(
            dict(
                id=number,
                image_id=number % 3,
                area=rng.uniform(0, 1e4),
                bbox=rng.uniform(0, 100, 4),
                keypoints=joints.ravel(),
            ),
            5,
        )

    people = [somebody(i) for i in range(60)]
    found = [
        dict(
            image_id=i % 4,
            category_id=1,
            keypoints=rng.uniform(-100, 300, 15).tolist(),
            score=rng.integers(0, 9) / 9,
        )
        for i in range(100)
    ]
    coco = as_coco(people, [3])
    similarities = []
    for evaluator in (COCOeval, OksEval):
        run = evaluator(
            coco, coco.loadRes(found), 'keypoints', np.linspace(0.1, 2, 5)
        )
        run.evaluate()
        similarities.append(run.ious)
    stock, ours = similarities
    assert stock.keys() == ours.keys()
    for key, value in stock.items():
        np.testing.assert_allclose(ours[key], value, rtol=1e-12)
    assert np.ptp(stock[0, 1]) > 0.5
    assert np.shape(stock[0, 1]) == (20, 20)
    assert stock[3, 1] == ours[3, 1] == []
