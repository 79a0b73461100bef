"""Maps of predictions that fail when a known place of the body is hidden."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.sensitivity_map import (
    LEAST_PEOPLE,
    body_frame,
    finer_cells,
    is_right,
    limbs_of,
)
from mmpose_occlusion.benchmark.data import Predictions
from mmpose_occlusion.benchmark.report.write import write_report
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion.targets import cell_names, cell_position
from tests.test_benchmark import made_up

PEOPLE = 12
COARSE = cell_names(10)
ELBOW, WRIST = (made_up.COCO.index(f'left_{j}') for j in ('elbow', 'wrist'))


def standing(count):
    """People of different sizes in one pose, all joints labelled."""
    boxes = made_up.people(count, 1, seed=4)
    low, high = np.split(boxes.person_boxes, 2, axis=1)
    size = (high - low)[:, :1] / 64
    truth = (made_up.POSE - (18, 5)) * size[:, None] + low[:, None]
    visible = np.full_like(boxes.visible, 2)
    return replace(boxes, truth=truth, visible=visible)


def mapped(people=PEOPLE, names=None, reach=1 / 30, **joints):
    """Of a model whose left wrist is off by a fifth of the box's longer side
    where a square is centred within a thirtieth of the height of the middle
    of the left forearm, or another reach, and that is exact otherwise."""
    boxes = standing(people)
    clean = made_up.perfect(boxes)
    x1, y1, x2, y2 = boxes.person_boxes.T
    height = y2 - y1
    middle = boxes.truth[:, [ELBOW, WRIST]].mean(axis=1)
    attacks = []
    for name in names or cell_names(5):
        right, down = cell_position(name)
        centre = np.stack([(x1 + x2) / 2, y1], axis=1)
        centre += height[:, None] * (right, down)
        changed = abs(right) * height <= (x2 - x1) / 2
        if not (names or changed.any()):
            continue
        near = np.hypot(*(centre - middle).T) < height * reach
        keypoints = clean.keypoints.copy()
        keypoints[near & changed, WRIST, 0] += 0.2 * height[near & changed]
        attacks.append(
            made_up.attack(
                clean,
                boxes,
                name=f'cell:{name}:black:10%',
                suite='map',
                config=dict(
                    type='CellOcclusion',
                    target=name,
                    fill='black',
                    size='10%',
                ),
                predictions=Predictions(keypoints, clean.scores),
                changed=changed,
                targets=np.zeros(boxes.visible.shape, bool),
            )
        )
    joints = replace(made_up.joints(), **joints)
    return made_up.run(boxes, clean, attacks, joints=joints)


def test_the_planted_place_is_found_and_no_other():
    (found,), _ = analyse([mapped()], draws=50)
    (mapping,) = found.maps
    assert (mapping.paint, mapping.severity) == ('black', 0.1)
    assert mapping.people == PEOPLE
    assert found.costs == []
    assert found.leaks == []
    for joint in mapping.joints:
        if joint.joint == 'left_wrist':
            continue
        assert joint.mean.value == joint.maximum.value == 0
        assert joint.fall.value == pytest.approx(0, abs=1e-6)
    wrist = mapping.joints[WRIST]
    assert wrist.place == 'middle of left elbow–left wrist'
    assert 0.02 < wrist.maximum.value <= 0.2
    assert wrist.maximum.low <= wrist.maximum.value <= wrist.maximum.high
    assert wrist.background.value == 0
    hurt = {p.limb for p in mapping.places if _rise(p, 'left_wrist') > 0}
    assert hurt == {('left_elbow', 'left_wrist')}
    # every such square raises the error by more than a tenth
    assert wrist.share.value == pytest.approx(wrist.mean.value / 0.2)
    rows = {r.region: r for r in mapping.regions}
    assert rows['left elbow–wrist'].rise['left_wrist'].value > 0
    assert all(
        e.value == 0
        for region, row in rows.items()
        for joint, e in row.rise.items()
        if (region, joint) != ('left elbow–wrist', 'left_wrist')
    )


def test_the_planted_place_is_refined_and_no_other():
    """The second pass has the cells around those that hurt; there the map is
    that of the fine grid, and means are those of the coarse one."""
    runs = [mapped(names=COARSE, reach=0.05), mapped(reach=0.05)]
    texts = finer_cells(runs[0], 0.01)
    names = [text.split(':')[1] for text in texts]
    assert texts == [f'cell:{name}:black:10%' for name in names]
    assert len(names) == 8
    assert not {*names} & {*COARSE}
    assert finer_cells(runs[0], 0.2) == []
    hurt = [
        cell_position(a.config['target'])
        for a in runs[0].attacks
        if (a.predictions.keypoints != runs[0].clean.keypoints).any()
    ]
    for name in names:
        far = np.abs(np.array(hurt) - cell_position(name)).max(axis=1).min()
        assert far == pytest.approx(0.05)
    runs.append(mapped(names=[*COARSE, *names], reach=0.05))
    coarse, fine, refined = (
        found.maps[0] for run in runs for found in analyse([run], draws=5)[0]
    )
    assert (coarse.cells, coarse.even) == (231, 231)
    assert (refined.cells, refined.even) == (231 + len(names), 231)
    assert refined.regions == coarse.regions
    for a, b in zip(refined.joints, coarse.joints, strict=True):
        assert {**a, 'maximum': b.maximum, 'place': b.place} == b
    assert refined.joints[WRIST].maximum == fine.joints[WRIST].maximum
    assert refined.joints[WRIST].place == fine.joints[WRIST].place
    with pytest.raises(UsageError, match='give --suite map-coarse'):
        finer_cells(replace(runs[0], attacks=[]), 0.01)


def _rise(place, joint):
    return place.rise[joint].value if joint in place.rise else 0


def test_a_joint_that_is_not_found_has_a_fall_and_no_rise():
    run = mapped(names=COARSE, reach=0.1)
    for attack in run.attacks:
        keypoints = attack.predictions.keypoints
        keypoints[keypoints != run.clean.keypoints] = np.nan
    (found,), _ = analyse([run], draws=5)
    wrist = found.maps[0].joints[WRIST]
    assert wrist.fall.value > 0.01
    assert wrist.mean.value == 0


def test_few_people_are_masked():
    (found,), _ = analyse([mapped(LEAST_PEOPLE - 1, COARSE)], draws=5)
    (mapping,) = found.maps
    assert any(p.people == LEAST_PEOPLE - 1 for p in mapping.places)
    assert not any(p.rise or p.fall for p in mapping.places)
    assert {j.place for j in mapping.joints} == {''}


def test_no_links_are_told(tmp_path):
    run = mapped(names=COARSE, links=[])
    (found,), _ = analyse([run], draws=5)
    (mapping,) = found.maps
    assert 'no links' in mapping.note
    assert mapping.places == []
    page = write_report([run], tmp_path, draws=5).read_text()
    assert mapping.note in page


def test_page_and_tables(tmp_path):
    run = mapped()
    page = write_report([run], tmp_path, draws=5).read_text()
    assert 'Where does it hurt?' in page
    assert 'middle of left elbow–left wrist' in page
    tables = {
        path.name: list(csv.DictReader(path.read_text().splitlines()))
        for path in tmp_path.glob('*.csv')
    }
    assert len(tables['map_joints.csv']) == 17
    top = max(tables['maps.csv'], key=lambda row: float(row['rise']))
    assert (top['limb'], top['joint']) == (
        'left_elbow–left_wrist',
        'left_wrist',
    )
    assert (top['along'], top['across']) == ('1', '0')
    top = max(tables['map_regions.csv'], key=lambda row: float(row['rise']))
    assert (top['region'], top['joint']) == ('left elbow–wrist', 'left_wrist')
    assert 'suites: map' in top['conditions']


@pytest.mark.parametrize(
    ('point', 'start', 'end', 'expected'),
    [
        # downwards in the image, 4 to the right of its middle
        ((14, 15), (10, 10), (10, 20), (0.5, 4, 4)),
        # the mirrored limb and point
        ((-14, 15), (-10, 10), (-10, 20), (0.5, -4, 4)),
        # on the first end, and 3 beyond the last one
        ((10, 10), (10, 10), (10, 20), (0, 0, 0)),
        ((10, 23), (10, 10), (10, 20), (1, 0, 3)),
        # beyond and beside: 4 off the line, 5 from the end
        ((14, 23), (10, 10), (10, 20), (1, 4, 5)),
        # along a diagonal of length 5 sqrt(2)
        ((5, 0), (0, 0), (5, 5), (0.5, 2.5 * 2**0.5, 2.5 * 2**0.5)),
        # no length
        ((3, 4), (0, 0), (0, 0), (0, 0, 5)),
    ],
)
def test_body_frame(point, start, end, expected):
    arrays = (np.array(x, float) for x in (point, start, end))
    assert np.allclose(body_frame(*arrays), expected)


def test_limbs_go_outwards_and_have_sides():
    limbs = limbs_of(made_up.joints())
    assert ('left_knee', 'left_ankle') in limbs
    assert ('right_hip', 'right_knee') in limbs
    assert ('left_shoulder', 'left_hip') in limbs
    assert is_right(('nose', 'right_eye'))
    assert not is_right(('left_hip', 'right_hip'))
    assert not is_right(('left_hip', 'left_knee'))
