"""The sweep finds what was planted, and nothing else."""

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mmpose_occlusion.benchmark import examples
from mmpose_occlusion.benchmark.crops import build_crops
from mmpose_occlusion.benchmark.suite import expand
from mmpose_occlusion.benchmark.sweep import run_sweep
from mmpose_occlusion.benchmark.table import rows
from mmpose_occlusion.engine.config import metainfo_of
from mmpose_occlusion.skeleton import Skeleton

from .planted import PlantedModel, config

JOINTS = ['nose', 'left_elbow', 'right_knee']
INDICES = [0, 7, 14]  # in COCO's order
LEFT_ELBOW, LEFT_WRIST = 7, 9


@pytest.fixture(scope='module')
def cfg(synthetic_people):
    import mmpose.datasets
    import mmpose.evaluation  # noqa: F401

    with DefaultScope.overwrite_default_scope('mmpose'):
        yield config(
            synthetic_people, 'annotations/person_keypoints_val.json', 'val/'
        )


@pytest.fixture(scope='module')
def attacks(cfg):
    skeleton = Skeleton.from_metainfo(metainfo_of(cfg.test_dataloader.dataset))
    specs = [f'keypoint:{joint}:black' for joint in JOINTS]
    return expand([*specs, 'part:left_arm:blur'], skeleton)


@pytest.fixture(scope='module')
def crops(cfg, attacks):
    return build_crops(cfg, attacks)


def test_a_star_is_every_joint_or_part(cfg):
    skeleton = Skeleton.from_names(('nose', 'left_hip'))
    found = expand(['keypoint:*:black:24', 'part:*', 'part:hip'], skeleton)
    assert [a['target'] for a in found] == [
        'nose',
        'left_hip',
        *skeleton.parts,
        'hip',
    ]
    assert found[1] == dict(
        type='KeypointOcclusion', target='left_hip', fill='black', radius=24
    )


def test_a_perfect_model_loses_nothing(cfg, crops, attacks):
    sweep = run_sweep(cfg, PlantedModel(), crops)
    clean, *attacked = rows(sweep)
    assert clean.score == 1
    assert clean.pck_clean == 1
    assert [row.drop for row in attacked] == [0] * len(attacks)
    assert {row.pck_attacked for row in attacked if row.people} == {1}


def test_only_changed_crops_are_computed(cfg, crops):
    model = PlantedModel()
    sweep = run_sweep(cfg, model, crops)
    people = len(sweep.sizes)
    assert model.forwards == people + sweep.changed.sum()
    # a joint is attacked where it is labelled and inside the crop
    for person in range(people):
        crop = crops.crops[person]
        xy = crop['transformed_keypoints'][0]
        inside = ((xy >= 0) & (xy < (96, 128))).all(axis=1)
        expected = inside & (crop['keypoints_visible'][0] > 0)
        changed = sweep.changed[: len(JOINTS), person]
        assert np.array_equal(changed, expected[INDICES])


def test_a_planted_fault_is_found_and_nothing_else(cfg, crops):
    def shift_the_wrist(answer, hidden):
        if 'left_elbow' in hidden:
            answer[0, LEFT_WRIST] += (1000, 0)

    sweep = run_sweep(cfg, PlantedModel(shift_the_wrist), crops)
    moved = np.linalg.norm(sweep.attacked - sweep.clean, axis=-1)
    elbow_hidden = sweep.hidden[..., LEFT_ELBOW]
    assert elbow_hidden[sweep.attacks.index('keypoint:left_elbow:black')].any()
    expected = np.zeros_like(moved)
    expected[..., LEFT_WRIST] = 1000 * elbow_hidden
    assert moved == pytest.approx(expected)
    for a, row in enumerate(rows(sweep)[1:]):
        hit = elbow_hidden[a] & sweep.labelled[:, LEFT_WRIST]
        assert (row.drop < 0) == bool(hit.any()), row


@pytest.mark.parametrize(('batch_size', 'workers'), [(1, 0), (7, 0), (64, 1)])
def test_batches_and_workers_change_nothing(cfg, crops, batch_size, workers):
    def jump(answer, hidden):
        answer += len(hidden)

    expected = run_sweep(cfg, PlantedModel(jump), crops)
    found = run_sweep(
        cfg,
        PlantedModel(jump),
        crops,
        batch_size=batch_size,
        num_workers=workers,
    )
    assert np.array_equal(found.attacked, expected.attacked)
    assert found.attacked_metrics == expected.attacked_metrics


def test_boxes_of_a_detector(cfg, attacks, synthetic_people):
    """The truth is that of the person in the box, if there is one."""
    boxes = 'person_detection_results/detections_val.json'
    cfg = cfg.copy()
    cfg.test_dataloader.dataset.bbox_file = str(synthetic_people / boxes)
    crops = build_crops(cfg, attacks)
    sweep = run_sweep(cfg, PlantedModel(), crops)
    matched = 0
    for i, size in enumerate(sweep.sizes):
        person = crops.crops.matched_person(i)
        box = crops.crops.get_data_info(i)['bbox'][0]
        if 'id' in person:
            matched += 1
            visible = person['keypoints_visible'][0] > 0
            np.testing.assert_array_equal(sweep.labelled[i], visible)
            np.testing.assert_array_equal(
                sweep.truth[i], person['keypoints'][0]
            )
            box = person['bbox'][0]
        else:
            assert not sweep.labelled[i].any()
            assert not sweep.changed[:, i].any()
        assert size == max(box[2] - box[0], box[3] - box[1])
    assert 0 < matched < len(sweep.sizes)
    assert sweep.changed.any()
    case = tuple(np.argwhere(sweep.changed)[0])
    (view,) = examples.views(crops, sweep, [case])
    assert ', box ' in view.title
    assert view.labelled.any()


def test_examples_are_the_cases_that_were_harmed(cfg, crops):
    def lose_the_nose(answer, hidden):
        if 'nose' in hidden:
            answer[0, 0] += 50

    sweep = run_sweep(cfg, PlantedModel(lose_the_nose), crops)
    harmed = examples.harm(sweep)
    (case,) = examples.pick(harmed, 1, quantile=1)
    assert sweep.hidden[case][0]
    growth = 50 * 2**0.5 / sweep.sizes[case[1]]
    assert harmed[case] == pytest.approx(growth) == harmed.max()
    (view,) = examples.views(crops, sweep, [case])
    assert (0, 'nose') in view.hidden()
    # the prediction is in the crop's pixels, as the truth is
    scale = crops.crops[case[1]]['input_scale']
    off = view.predicted[0] - view.joints[0]
    assert off[0] == pytest.approx(50 * np.array((96, 128)) / scale, rel=1e-3)
    assert np.abs(off[1:]).max() < 0.01


def test_pick_takes_nobody_twice():
    harmed = np.array([[0.9, 0.8, -np.inf], [0.7, 0.1, 0.2]])
    assert examples.pick(harmed, 3, quantile=1) == [(0, 0), (1, 2)]
    assert examples.pick(np.full((2, 2), -np.inf), 3, quantile=1) == []
