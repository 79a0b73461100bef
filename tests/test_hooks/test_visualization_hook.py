"""Images of tested samples: the pixel frame of the joints."""

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmpose_occlusion.engine.insertion import IMAGES
from mmpose_occlusion.hooks.attacked_crops import view_of_sample
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY
from mmpose_occlusion.visualization import PoseStyle, draw_pair

CROP = dict.fromkeys(IMAGES, np.zeros((64, 48, 3), np.uint8))
STYLE = PoseStyle(('nose', 'tail'), ())
RECORD = {
    'kind': 'keypoint',
    'target': 'tail',
    'fill': 'black',
    'region': None,
    'box': [1, 1, 9, 9],
    'pixels': 64,
    'targets': [[0, 'tail']],
    'bystanders': [],
    'instance': 0,
    'call': 0,
}


@pytest.fixture
def sample():
    """A crop twice as large as its part of the image, at (100, 200)."""
    meta = {
        'img_id': 7,
        'id': 9,
        'input_size': (48, 64),
        'input_center': np.array([112.0, 216.0]),
        'input_scale': np.array([24.0, 32.0]),
        'occlusions': [RECORD],
    }
    sample = PoseDataSample(metainfo=meta)
    sample.gt_instances = InstanceData(
        keypoints=np.array([[[110.0, 210.0], [105.0, 205.0]]]),
        transformed_keypoints=np.array([[[20.0, 20.0], [10.0, 10.0]]]),
        keypoints_visible=np.array([[1.0, 1.0]]),
    )
    sample.pred_instances = InstanceData(
        keypoints=np.array([[[110.0, 210.0], [105.0, 207.0]]]),
        keypoint_scores=np.array([[0.9, 0.1]]),
    )
    return sample


def test_crop(sample):
    view = view_of_sample(sample, CROP)
    np.testing.assert_allclose(view.predicted, [[[20, 20], [10, 14]]])
    np.testing.assert_allclose(view.joints, [[[20, 20], [10, 10]]])
    assert view.title == 'image 7, person 9'
    assert view.listed('targets', 'bystanders') == {(0, 'tail')}


def test_whole_image(sample):
    """A bottom-up model finds people in an order of its own."""
    image = np.zeros((300, 200, 3), np.uint8)
    sample.set_metainfo({'id': [9, 10]})
    sample.pred_instances = InstanceData(
        keypoints=np.zeros((0, 2, 2)), keypoint_scores=np.zeros((0, 2))
    )
    view = view_of_sample(sample, dict.fromkeys(IMAGES, image))
    np.testing.assert_allclose(view.joints, sample.gt_instances.keypoints)
    assert view.title == 'image 7'
    assert draw_pair(view, STYLE, 64).shape[0] > 300


def test_dummy_joints_of_detector_boxes_are_not_shown(sample):
    sample.gt_instances.keypoints = np.zeros((1, 2, 2))
    assert not view_of_sample(sample, CROP).labelled.any()


def test_the_person_in_a_detector_box(sample):
    """The dummies are in the way, warped like joints."""
    dummies = np.zeros((1, 2, 2))
    sample.gt_instances.keypoints = dummies
    sample.gt_instances.transformed_keypoints = dummies - 99
    person = {
        'id': 3,
        'keypoints': np.array([[[110.0, 210.0], [105.0, 205.0]]]),
        'keypoints_visible': np.array([[2.0, 0.0]]),
        'transformed_keypoints': np.array([[[20.0, 20.0], [10.0, 10.0]]]),
    }
    view = view_of_sample(sample, {**CROP, MATCHED_KEY: person})
    np.testing.assert_allclose(view.joints, [[[20, 20], [10, 10]]])
    assert view.labelled.tolist() == [[True, False]]
    assert view.title == 'image 7, box 9, person 3'
    view = view_of_sample(sample, {**CROP, MATCHED_KEY: {'reason': 'nobody'}})
    assert not view.labelled.any()
    assert view.title == 'image 7, box 9, unmatched'
