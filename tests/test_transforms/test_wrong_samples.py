"""Names and samples: what is accepted, and what is refused."""

import numpy as np
import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import disc_radius
from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden import naive_reference as reference
from tests.golden.person import PERSON, painted_by
from tests.golden.samples import (
    crop,
    crowd,
    dataset,
    detected,
    names,
    photo,
    white,
)
from tests.records import named, under

# --- names -------------------------------------------------------------------


def test_names_without_a_data_set():
    """``inference_topdown`` puts the metainfo's keys into the results."""
    results = crop(PERSON, white(256, 192))
    del results['dataset']
    results['keypoint_id2name'] = dict(enumerate(names('coco')))
    results = KeypointOcclusion('left_wrist', fill='black')(results)
    assert under(results['occlusions'][0]) == [[0, 'left_wrist']]


def test_names_that_are_a_joint_and_a_part():
    """Halpe has joints ``head`` and ``hip``: the transform decides."""
    joints = dict(
        head=(40, 20), nose=(44, 30), hip=(40, 100), left_hip=(50, 104),
        right_hip=(30, 104),
    )  # fmt: skip
    for name in ('hip', 'head'):
        transform = KeypointOcclusion(name, fill='black')
        _, results = painted_by(transform, joints, layout='halpe')
        (record,) = results['occlusions']
        assert named(record) == f'keypoint:{name}'
        assert record['region']['center'] == list(joints[name])
        transform = PartOcclusion(name, fill='black')
        _, results = painted_by(transform, joints, layout='halpe')
        (record,) = results['occlusions']
        assert named(record) == f'part:{name}'
        assert record['region']['shape'] == 'box'


# --- errors ------------------------------------------------------------------


def one_sentence(info):
    message = str(info.value)
    return '\n' not in message and 20 < len(message) < 1500


@pytest.mark.parametrize(('cls', 'kwargs', 'word'), [
    (KeypointOcclusion, dict(fill='purple'), 'purple'),
    (PartOcclusion, dict(fill='purple'), 'purple'),
    (KeypointOcclusion, dict(prob=1.5), '1.5'),
    (PartOcclusion, dict(prob=-0.1), '-0.1'),
    (PartOcclusion, dict(prob=float('nan')), 'nan'),
    (KeypointOcclusion, dict(prob='often'), 'often'),
    (KeypointOcclusion, dict(size=0), 'size=0'),
    (KeypointOcclusion, dict(size=-6), '-6'),
    (KeypointOcclusion, dict(size=float('nan')), 'nan'),
    (KeypointOcclusion, dict(size='big'), 'big'),
])  # fmt: skip
def test_bad_arguments_are_refused_at_construction(cls, kwargs, word):
    with pytest.raises((ValueError, TypeError), match=word) as info:
        cls('random', **kwargs)
    assert one_sentence(info)
    assert next(iter(kwargs)) in str(info.value)


@pytest.mark.parametrize(('transform', 'wrong', 'valid'), [
    (KeypointOcclusion('noze'), 'noze', names('coco')),
    (KeypointOcclusion(['nose', 'upper_neck']), 'upper_neck', names('coco')),
    (KeypointOcclusion('keypoint:noze'), 'noze', names('coco')),
    (KeypointOcclusion('left_arm'), 'left_arm', names('coco')),
    (PartOcclusion('tail'), 'tail', reference.PARTS),
    (PartOcclusion(['head', 'part:tail']), 'tail', reference.PARTS),
    (PartOcclusion('nose'), 'nose', reference.PARTS),
    (PartOcclusion('face', parts=dict(face=['nose', 'noze'])), 'noze',
     names('coco')),
])  # fmt: skip
def test_unknown_names_list_the_valid(transform, wrong, valid):
    clean = photo(256, 192)
    results = crop(PERSON, clean)
    with pytest.raises(ValueError, match=wrong) as info:
        transform(results)
    assert one_sentence(info)
    for name in valid:
        assert name in str(info.value)


def test_a_part_that_the_data_set_lacks():
    """A zebra has a head, after its fashion, and no arms."""
    results = crop(dict(head=(40, 40)), photo(160, 160), 'zebra')
    with pytest.raises(ValueError, match='left_arm') as info:
        PartOcclusion('left_arm')(results)
    assert one_sentence(info)
    assert 'head' in str(info.value)


@pytest.mark.parametrize(('transform', 'warped'), [
    (KeypointOcclusion('nose'), True),
    (KeypointOcclusion('nose'), False),
    (KeypointOcclusion('random', prob=0.5), True),
    (PartOcclusion('head'), True),
    (PartOcclusion('head'), False),
    (PartOcclusion('random', paper_exact=True), True),
])  # fmt: skip
def test_dummy_joints_are_refused(transform, warped):
    """MMPose's ``bbox_file`` brings zeros that claim to be visible."""
    clean = photo(256, 192)
    results = detected(clean.copy(), warped=warped)
    with pytest.raises((ValueError, RuntimeError), match='bbox_file') as info:
        transform(results)
    assert one_sentence(info)


@pytest.mark.parametrize(('spoil', 'words'), [
    # what inference_topdown's pipeline delivers: no joints at all
    (dict(keypoints=None, transformed_keypoints=np.zeros([]),
          keypoints_visible=np.ones((1, 1, 1))), 'joints'),
    (dict(keypoints=None, transformed_keypoints=None), 'keypoints'),
    (dict(dataset=None), 'keypoint_id2name'),
    (dict(dataset=dataset('mpii')), '16'),  # names of another data set
    (dict(transformed_keypoints=None, bbox=None), 'bbox'),
    (dict(img=None), 'LoadImage'),
])  # fmt: skip
def test_what_is_missing_is_named(spoil, words):
    results = {**crop(PERSON, photo(256, 192)), **spoil}
    results = {k: v for k, v in results.items() if v is not None}
    for transform in (KeypointOcclusion('nose'), PartOcclusion('head')):
        with pytest.raises((ValueError, TypeError), match=words) as info:
            transform(dict(results))
        assert one_sentence(info)


def test_paper_exact_is_for_crops():
    results = crowd([PERSON], photo(256, 192), warped=False)
    with pytest.raises(ValueError, match='TopdownAffine') as info:
        PartOcclusion('head', paper_exact=True)(results)
    assert one_sentence(info)


def test_one_joint_at_the_origin_is_no_dummy():
    painted, _ = painted_by(
        KeypointOcclusion('nose', fill='black'), dict(nose=(0, 0))
    )
    assert painted[0, 0]


@pytest.mark.parametrize('dtype', ['float16', 'bool', 'int64'])
def test_types_of_images(dtype):
    results = crop(PERSON, white(256, 192))
    results['img'] = results['img'].astype(dtype)
    with pytest.raises(UsageError, match=f'is of {dtype}: put it'):
        KeypointOcclusion('nose', fill='black')(results)


@pytest.mark.parametrize('height', [float('inf'), float('nan')])
def test_boxes_that_are_not_finite(height):
    with pytest.raises(ValueError, match='give a finite box'):
        disc_radius(6, height)
