"""From a text to a predictor, and what is refused."""

import numpy as np
import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors import Prediction, Predictor, load_predictor
from mmpose_occlusion.predictors.protocol import check_predictions

MODULE = '''
import numpy as np

def centre(images, boxes):
    """Every joint is in the middle of the box."""
    out = []
    for box in boxes:
        middle = (box[:, :2] + box[:, 2:]) / 2
        out.append((np.repeat(middle[:, None], 17, axis=1),
                    np.ones((len(box), 17))))
    return out
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'my_pose_function.py').write_text(MODULE)
    return tmp_path


def test_a_function(module):
    predict = load_predictor('my_pose_function:centre')
    assert isinstance(predict, Predictor)
    assert predict.needs_boxes
    boxes = [np.array([[0, 0, 10, 20], [4, 4, 8, 8]], float)]
    (found,) = check_predictions(
        predict, predict([np.zeros((9, 9, 3), np.uint8)], boxes), boxes
    )
    assert found.keypoints[0, 3].tolist() == [5, 10]
    before = predict.identity()
    (module / 'my_pose_function.py').write_text(MODULE + '# changed\n')
    assert load_predictor('my_pose_function:centre').identity() != before


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('nothing', 'is not known: write model.onnx'),
        ('my_pose_function:nobody', 'has no function "nobody"'),
    ],
)
def test_what_does_not_exist(module, text, words):
    with pytest.raises(UsageError, match=words):
        load_predictor(text)


def test_a_module_that_does_not_exist(module):
    with pytest.raises(ModuleNotFoundError, match='no_such_module'):
        load_predictor('no_such_module:f')


def test_a_file_that_does_not_exist(module):
    pytest.importorskip('onnxruntime')
    with pytest.raises(FileNotFoundError, match=r'missing\.onnx'):
        load_predictor('missing.onnx')


def test_an_unknown_option_lists_the_known():
    with pytest.raises(UsageError, match=r'no option "paddign".*names'):
        load_predictor('model.onnx', dict(paddign='1.1'))


@pytest.mark.parametrize(
    ('answer', 'words'),
    [
        ([], 'given 1 images and answered with 0'),
        ([3], 'returned int'),
        (
            [Prediction(np.zeros((2, 17, 3)), np.zeros((2, 17)))],
            r'keypoints of shape \(2, 17, 3\) instead of \(2, 17, 2\)',
        ),
        (
            [Prediction(np.zeros((1, 17, 2)), np.zeros((1, 17)))],
            r'\(1, 17, 2\) instead of \(2, 17, 2\)',
        ),
        (
            [
                Prediction(
                    np.zeros((2, 17, 2)),
                    np.zeros((2, 17)),
                    person_scores=np.zeros((2, 1)),
                )
            ],
            r'person_scores of shape \(2, 1\) instead of \(2,\)',
        ),
    ],
)
def test_answers_of_another_shape(module, answer, words):
    predict = load_predictor('my_pose_function:centre')
    with pytest.raises(UsageError, match=words):
        check_predictions(predict, answer, [np.zeros((2, 4))])
