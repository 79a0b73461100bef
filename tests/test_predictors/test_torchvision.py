"""Keypoint R-CNN with random weights."""

import numpy as np
import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors import load_predictor
from mmpose_occlusion.predictors.protocol import check_predictions

pytest.importorskip('torchvision')


def test_random_weights_run_through():
    predict = load_predictor(
        'torchvision:keypointrcnn_resnet50_fpn',
        dict(weights=None, threshold=0.0),
    )
    images = [np.full((90, 120, 3), 99, np.uint8)]
    found = check_predictions(predict, predict(images, [None]), [None])
    assert found[0].keypoints.shape[1:] == (17, 2)
    assert found[0].boxes is not None
    assert ((found[0].scores >= 0) & (found[0].scores <= 1)).all()


def test_another_model_is_refused():
    with pytest.raises(UsageError, match='write keypointrcnn_resnet50_fpn'):
        load_predictor('torchvision:fasterrcnn_resnet50_fpn')
