"""occlusion-image on an image, a folder and a video."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmpose_occlusion.cli.images import main_image
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.predictors import Prediction
from mmpose_occlusion.skeleton import COCO_JOINTS
from mmpose_occlusion.visualization.occluded_image import ImageOccluder

WRIST = 9
SIZE = (120, 160)
PREDICTOR = '''
import numpy as np

def find(images, boxes):
    """One person, whose left wrist is the only one that is seen if bright."""
    out = []
    for image in images:
        xy = np.stack([np.full(17, 60.0), np.linspace(10, 90, 17)], axis=1)
        scores = np.full(17, 0.9)
        scores[9] = 0.8 if image[int(xy[9, 1]), 60].any() else 0.1
        out.append((xy[None], scores[None]))
    return out

find.needs_boxes = False
'''


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'finder.py').write_text(PREDICTOR)
    (tmp_path / 'images').mkdir()
    pixels = np.full((*SIZE, 3), 200, np.uint8)
    for name in ('a', 'b'):
        cv2.imwrite(f'images/{name}.png', pixels)
    return tmp_path


def pose(x, y):
    """One person with a left wrist, a nose and an ankle."""
    out = np.zeros((17, 3))
    out[[0, WRIST, 15]] = (20, 10, 2), (x, y, 2), (20, 110, 2)
    return out.tolist()


def black(pixels):
    """Centre and extent of what is black."""
    rows, cols = np.nonzero((pixels < 40).all(axis=2))
    return cols.mean(), rows.mean(), np.ptp(cols) + 1


def test_an_image(files, capsys):
    (files / 'pose.json').write_text(json.dumps(pose(80, 50)))
    argv = ['images/a.png', '--keypoints', 'pose.json', '--out', 'out.png']
    argv += ['--attack', 'keypoint:left_wrist:black:20%']
    assert main_image(argv) == 0
    x, y, width = black(cv2.imread('out.png'))
    assert (x, y) == (80, 50)
    assert width == pytest.approx(0.2 * 100, abs=1)  # of nose to ankle
    argv[-1] = 'keypoint:left_wrist:black:30%'
    assert main_image(argv) == 2
    assert capsys.readouterr().err == (
        'error: "out.png" exists: give another --out, or --overwrite\n'
    )
    assert main_image([*argv, '--overwrite']) == 0
    argv[-1] = 'keypoint:left_hand:black'
    assert main_image([*argv, '--overwrite']) == 2
    assert 'left_hand' in capsys.readouterr().err


def test_an_offset_and_an_own_part():
    keypoints = np.array([pose(80, 50)])
    white = np.full((*SIZE, 3), 200, np.uint8)
    attack = parse_attack('keypoint:left_wrist:black:20%:offset=3:uncovered')
    x, y, _ = black(ImageOccluder([attack])(white, keypoints))
    assert 1 < np.hypot(x - 80, y - 50) <= 30.5  # 3 radii of 10
    own = Attack('part', ('hand',), 'black', parts={'hand': ['left_wrist']})
    x, y, _ = black(ImageOccluder([own])(white, keypoints))
    assert (x, y) == pytest.approx((80, 50), abs=1)


@pytest.mark.parametrize(
    'attack',
    [
        Attack('keypoint', ('nose',), 'black', options={'prob': 0.5}),
        Attack('part', ('random_all',), 'black'),
        Attack('keypoint', ('*',), 'black'),
    ],
)
def test_attacks_without_a_meaning_for_an_image_are_refused(attack):
    with pytest.raises(UsageError, match='is not for single images'):
        ImageOccluder([attack])


def test_a_person_without_keypoints_has_no_box():
    """In a frame of a video, for example; the model needs boxes."""
    given = []

    class Predictor:
        name, keypoint_names, needs_boxes = 'fake', COCO_JOINTS, True

        def __call__(self, images, boxes):
            given.extend(boxes)
            shape = len(boxes[0]), 17
            return [Prediction(np.zeros((*shape, 2)), np.ones(shape))]

    attack = parse_attack('keypoint:left_wrist:black:20%')
    occluder = ImageOccluder([attack], Predictor())
    occluder(
        np.zeros((*SIZE, 3), np.uint8),
        np.array([pose(80, 50), 17 * [[0] * 3]]),
    )
    for boxes in given:  # 20..80 x 10..110, and a tenth of the longer side
        np.testing.assert_allclose(boxes, [[10, 0, 90, 120]])


def test_a_folder_by_a_predictor(files, capsys):
    argv = ['images', '--predictor', 'finder:find', '--out', 'out']
    argv += ['--attack', 'keypoint:left_wrist:black:20%']
    assert main_image(argv) == 0
    assert '2 images' in capsys.readouterr().out
    drawn = cv2.imread('out/b.png')
    assert drawn.shape[1] == 2 * SIZE[1]
    assert drawn.shape[0] > SIZE[0]
    # black on the right side alone
    inside = drawn[48:58, :, :].max(axis=2) < 40
    assert inside[:, SIZE[1] :].sum() > 20 > inside[:, : SIZE[1]].sum()


def test_an_interrupted_folder_is_finished_by_the_same_command(files, capsys):
    argv = ['images', '--predictor', 'finder:find', '--out', 'out']
    argv += ['--attack', 'keypoint:left_wrist:noise:20%']
    assert main_image(argv) == 0
    one, two = files / 'out/a.png', files / 'out/b.png'
    whole, written = two.read_bytes(), one.stat().st_mtime_ns
    two.unlink()
    assert main_image(argv) == 0
    assert two.read_bytes() == whole
    assert one.stat().st_mtime_ns == written  # kept
    # files that another command has written, or someone else
    assert main_image([*argv, '--seed', '1']) == 2
    assert f'"{Path("out/a.png")}" exists' in capsys.readouterr().err
    assert one.stat().st_mtime_ns == written
    two.write_bytes((files / 'images/b.png').read_bytes())
    assert main_image(argv) == 2
    assert f'"{Path("out/b.png")}" exists' in capsys.readouterr().err
    assert main_image([*argv, '--overwrite']) == 0
    assert two.read_bytes() == whole


def test_the_occluder_follows_the_joint_of_a_video(files, capsys):
    size = SIZE[::-1]
    writer = cv2.VideoWriter(
        'in.mp4', cv2.VideoWriter.fourcc(*'mp4v'), 10.0, size
    )
    for _ in range(4):
        writer.write(np.full((*SIZE, 3), 200, np.uint8))
    writer.release()
    places = [(40 + 20 * i, 40 + 10 * i) for i in range(4)]
    poses = [[pose(*place)] for place in places]
    (files / 'poses.json').write_text(json.dumps(poses))
    argv = ['in.mp4', '--keypoints', 'poses.json', '--out', 'out.mp4']
    argv += ['--attack', 'keypoint:left_wrist:black:20%']
    assert main_image(argv) == 0
    reader = cv2.VideoCapture('out.mp4')
    for place in places:
        _, frame = reader.read()
        assert black(frame)[:2] == pytest.approx(place, abs=1.5)
    assert not reader.read()[0]
    (files / 'poses.json').write_text(json.dumps(poses[:2]))
    assert main_image([*argv, '--overwrite']) == 2
    assert 'more frames than the 2' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('argv', 'words'),
    [
        (['no.png'], '"no.png" does not exist'),
        (['images/a.png'], 'neither keypoints nor a predictor'),
        (['images', '--keypoints', 'bad.json'], 'neither a COCO-style file'),
        (['twice', '--keypoints', 'coco.json'], 'differ in the ending alone'),
        (['images', '--keypoints', 'coco.json'], '"a.png" has no keypoints'),
    ],
)
def test_refused(files, capsys, argv, words):
    (files / 'bad.json').write_text('[[1, 2, 3]]')
    (files / 'twice').mkdir()
    for name in ('a.jpg', 'a.png'):
        (files / 'twice' / name).touch()
    coco = dict(
        images=[dict(id=1, file_name='b.png')],
        annotations=[
            dict(
                **dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 9, 9]),
                keypoints=[9, 9, 2],
            )
        ],
        categories=[dict(id=1, keypoints=['nose'])],
    )
    (files / 'coco.json').write_text(json.dumps(coco))
    argv = [*argv, '--attack', 'keypoint:nose:black', '--out', 'o.png']
    assert main_image(argv) == 2
    assert words in capsys.readouterr().err
