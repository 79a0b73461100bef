"""Occlusions in MMPose's own recipes: from a file to the training targets."""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import json
from pathlib import Path

import cv2
import mmpose
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets import CocoDataset
from mmpose.registry import TRANSFORMS

from tests.golden.samples import names, photo, widen_visibility
from tests.records import under

RECIPES = Path(mmpose.__file__).parent / '.mim/configs/body_2d_keypoint'
HRNET = 'topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
UDP = 'topdown_heatmap/coco/td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192.py'
SIMCC = 'simcc/coco/simcc_res50_8xb64-210e_coco-256x192.py'
REGRESSION = (
    'topdown_regression/coco/td-reg_res50_rle-8xb64-210e_coco-256x192.py'
)
DEKR = 'dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512.py'

HIDE_ARM = dict(
    type='PartOcclusion',
    target='left_arm',
    fill='mean',
    remove_keypoints=True,
    seed=0,
)
LEFT_ARM = ('left_shoulder', 'left_elbow', 'left_wrist')
KEEP_RECORDS = dict(type='PackPoseInputs', meta_keys=('id', 'occlusions'))


def widen(results):
    """A step of a pipeline: visibility (N, K) to (N, K, 2)."""
    widen_visibility(results)
    return results


@pytest.fixture(scope='module')
def coco(tmp_path_factory):
    """Two people in one image, a third in another, as COCO on disk."""
    root = tmp_path_factory.mktemp('coco')
    images, anns = [], []
    for img_id, people in ((7, (60, 260)), (9, (180,))):
        name = f'{img_id}.png'
        cv2.imwrite(str(root / name), photo(320, 480, img_id))
        images.append(dict(id=img_id, file_name=name, height=320, width=480))
        for left in people:
            keypoints = []
            for k, joint in enumerate(names('coco')):
                # the face is not labelled
                side = 60 * joint.startswith('left') + left
                keypoints += [side, 40 + 14 * k, 2] if k > 4 else [0, 0, 0]
            anns.append(
                dict(
                    id=len(anns) + 1,
                    image_id=img_id,
                    category_id=1,
                    iscrowd=0,
                    keypoints=keypoints,
                    num_keypoints=12,
                    bbox=[left - 20, 20, 100, 270],
                    area=27000,
                )
            )
    content = dict(
        images=images,
        annotations=anns,
        categories=[dict(id=1, name='person')],
    )
    (root / 'people.json').write_text(json.dumps(content))
    return root


def samples(coco, steps, mode='topdown'):
    """All samples of the data set, packed, with reproducible augmentation."""
    people = CocoDataset(
        ann_file=str(coco / 'people.json'),
        data_prefix=dict(img=str(coco)),
        data_mode=mode,
        serialize_data=False,
        pipeline=steps,
    )
    packed = []
    for index in range(len(people)):
        np.random.seed(index)
        packed.append(people[index])
    return packed


def recipe(config, *occlusions, after='TopdownAffine'):
    """A recipe's own training pipeline with occlusions put in."""
    steps = []
    for step in Config.fromfile(RECIPES / config).train_pipeline:
        if step['type'] == 'PackPoseInputs':
            step = KEEP_RECORDS
        steps.append(step)
        if step['type'] == after:
            steps += occlusions
    assert len(steps) > len(occlusions) + 3
    return [s if callable(s) else TRANSFORMS.build(s) for s in steps]


def removed(sample):
    """Indices of the joints that lost their label."""
    return sorted(
        names('coco').index(name)
        for record in sample.occlusions
        for _, name in record['removed']
    )


@pytest.mark.parametrize('wide', [False, True])
@pytest.mark.parametrize('config', [HRNET, UDP, SIMCC, REGRESSION])
def test_removed_joints_have_no_weight(coco, config, wide):
    """The targets are those of the clean crop, less the removed joints."""
    steps = [widen] * wide + [HIDE_ARM]
    plain = samples(coco, recipe(config))
    hidden = samples(coco, recipe(config, *steps))
    assert len(plain) == len(hidden) == 3
    for before, after in zip(plain, hidden, strict=True):
        assert (before['inputs'] != after['inputs']).any()
        before, after = before['data_samples'], after['data_samples']
        drop = removed(after)
        keep = [k for k in range(17) if k not in drop]
        assert len(drop) >= 2  # the wrist may have left the crop
        assert not after.gt_instances.keypoints_visible[0, drop].any()
        old = before.gt_instance_labels.keypoint_weights
        new = after.gt_instance_labels.keypoint_weights
        assert old[0, drop].any()
        assert not new[0, drop].any()
        assert (new[0, keep] == old[0, keep]).all()
        if 'heatmaps' in after.get('gt_fields', ()):
            old, new = before.gt_fields.heatmaps, after.gt_fields.heatmaps
            assert old[drop].any()
            assert (new[keep] == old[keep]).all()
            if config == HRNET:  # its codec draws no joint without weight
                assert not new[drop].any()


def test_labels_stay_unless_removed(coco):
    hide = dict(HIDE_ARM, remove_keypoints=False)
    plain = samples(coco, recipe(HRNET))
    hidden = samples(coco, recipe(HRNET, hide))
    for before, after in zip(plain, hidden, strict=True):
        assert (before['inputs'] != after['inputs']).any()
        before, after = before['data_samples'], after['data_samples']
        assert (before.gt_fields.heatmaps == after.gt_fields.heatmaps).all()
        assert (
            before.gt_instance_labels.keypoint_weights
            == after.gt_instance_labels.keypoint_weights
        ).all()


def test_attack_in_the_test_pipeline(coco):
    """No GenerateTarget: the metric's truth stays, the record comes along."""
    steps = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=(192, 256)),
        dict(
            type='KeypointOcclusion', target='left_knee', fill='black', size=6
        ),
        KEEP_RECORDS,
    ]
    build = [TRANSFORMS.build(step) for step in steps]
    plain = samples(coco, build[:3] + build[4:])
    for before, after in zip(plain, samples(coco, build), strict=True):
        changed = (before['inputs'] != after['inputs']).any(0)
        (record,) = after['data_samples'].occlusions
        # a whole disc, some pixels of which may have been black before
        assert 107 <= record['pixels'] <= 119
        assert 0.9 * record['pixels'] <= changed.sum() <= record['pixels']
        assert [0, 'left_knee'] in under(record)
        truth = after['data_samples'].gt_instances
        clean = before['data_samples'].gt_instances
        assert (truth.keypoints == clean.keypoints).all()
        assert (truth.keypoints_visible == clean.keypoints_visible).all()


def test_whole_images_of_a_bottom_up_recipe(coco):
    """Everybody's arm, before DEKR's own augmentation."""
    steps = recipe(DEKR, HIDE_ARM, after='LoadImage')
    first, second = samples(coco, steps, mode='bottomup')
    for sample, people in ((first, 2), (second, 1)):
        sample = sample['data_samples']
        assert len(sample.occlusions) == people
        for record in sample.occlusions:
            i = record['instance']
            assert {i} == {person for person, _ in record['removed']}
            assert set(LEFT_ARM) <= {name for _, name in record['removed']}
