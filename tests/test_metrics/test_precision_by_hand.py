"""AP and AR of chosen people, joints and poses, against values by hand.

COCO's AP is the mean of the precision at recalls 0, .01, ... 1, where the
precision at a recall is the best one at that recall or a higher.
"""

import numpy as np
import pytest

from mmpose_occlusion.metrics.annotations import make_person
from tests.test_metrics.coco_cases import by_reference
from tests.test_metrics.coco_cases import precision as evaluate

SIGMAS = np.array([0.05, 0.1])
AREA = 5300.0  # of a box of 100 x 100, by MMPose's rule


def person(number, *joints, image=None, **more):
    """A person in an image of their own, in a bbox of 100 x 100."""
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
    """The other joint is far off and does not count."""
    place = [(0, 0), (0, 0)]
    place[joint] = shifted(oks, SIGMAS[joint])
    found = [detection(1, *place)]
    result = evaluate([person(1, SEEN, SEEN)], found, SIGMAS, joint=joint)
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


def test_ignored_people_count_neither_way():
    """A pose inside twice the bbox of an ignored person is not wrong."""
    people = [person(1, SEEN), person(2, MISSING)]
    for place, ap in ((HERE, 1.0), ((1199, 1000), 1.0), ((1300, 1000), 0.5)):
        found = [
            detection(2, place, score=0.9),
            detection(1, HERE, score=0.8),
        ]
        result = evaluate(people, found, SIGMAS[:1])
        assert result[0] == pytest.approx(ap)


@pytest.mark.parametrize(
    'people',
    [
        [],
        [person(1, MISSING)],
        [person(1, SEEN, iscrowd=1)],
    ],
)
def test_without_people_who_count_it_is_undefined(people):
    found = [detection(1, HERE)]
    assert evaluate(people, found, SIGMAS[:1]) == (None, None)
    assert by_reference(people, found, SIGMAS[:1], 0) == (None, None)


def test_nothing_found():
    assert evaluate([person(1, SEEN)], [], SIGMAS[:1]) == (0.0, 0.0)


def test_scores_of_joints_are_not_used():
    """COCOeval leaves out a detection with no joint score above zero."""
    found = [dict(detection(1, HERE), keypoints=[*HERE, -0.2])]
    assert evaluate([person(1, SEEN)], found, SIGMAS[:1]) == PERFECT


def test_the_reference_punishes_perfection():
    """Four people in four images, all found exactly and all with equal
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
    result = by_reference(people, found, SIGMAS, 0)
    assert result == pytest.approx(((26 + 50 / 3) / 101, 0.5))
    assert by_reference(people, found, SIGMAS, 1) == PERFECT


def test_the_reference_ignores_people_without_any_joint():
    people = [person(1, SEEN, SEEN), person(2, MISSING, MISSING)]
    found = [detection(1, HERE, HERE)]
    assert by_reference(people, found, SIGMAS, 0) == PERFECT
