"""Models of whole images that know the answers, and their people.

Processes that predict import this file alone.
"""

import json
import os
import signal
from pathlib import Path

import cv2
import numpy as np

from mmpose_occlusion.predictors import Prediction
from mmpose_occlusion.skeleton import COCO_JOINTS

NOSE, WRIST = COCO_JOINTS.index('nose'), COCO_JOINTS.index('left_wrist')
SIZE = (160, 240)
FAR = 1000.0


def write_people(folder):
    """Four images with two people each; the second has no left wrist."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(4):
        name = f'{i}.png'
        pixels = rng.integers(100, 256, (*SIZE, 3), np.uint8)
        cv2.imwrite(str(folder / name), pixels)
        height, width = SIZE
        images.append(dict(id=i, file_name=name, width=width, height=height))
        for j, left in enumerate((20, 130)):
            xy = rng.uniform((left + 5, 25), (left + 75, 135), (17, 2)).round()
            flags = np.full(17, 2)
            flags[WRIST] = 0 if j else 1
            annotations.append(
                dict(
                    id=10 * i + j,
                    image_id=i,
                    category_id=1,
                    iscrowd=0,
                    bbox=[left, 20, 80, 120],
                    area=80 * 120 * 0.5,
                    num_keypoints=int((flags > 0).sum()),
                    keypoints=np.c_[xy, flags].ravel().tolist(),
                )
            )
    category = dict(
        id=1, name='person', keypoints=list(COCO_JOINTS), skeleton=[[1, 2]]
    )
    path = folder / 'people.json'
    path.write_text(
        json.dumps(
            dict(images=images, annotations=annotations, categories=[category])
        )
    )
    return path


class Planted:
    """Knows the answers; a joint under black is placed far away."""

    name = 'planted'
    keypoint_names = COCO_JOINTS
    needs_boxes = True

    def __init__(self, path, names=COCO_JOINTS):
        content = json.loads(Path(path).read_text())
        self.keypoint_names = names
        self.calls = 0
        self._people = [
            (np.reshape(a['keypoints'], (17, 3)), np.array(a['bbox']), a)
            for a in content['annotations']
        ]
        self._images = {
            i['id']: cv2.imread(str(Path(path).parent / i['file_name']))
            for i in content['images']
        }

    def identity(self):
        return f'{self.name} {type(self).__name__} {self.keypoint_names}'

    def image_of(self, image):
        """The id of the image, whose first row no attack changes."""
        (key,) = (
            key
            for key, known in self._images.items()
            if np.array_equal(known[0, :, ::-1], image[0])
        )
        return key

    def answer(self, image, truth):
        xy = truth[:, :2].copy()
        for k, (x, y, flag) in enumerate(truth):
            if flag and not image[int(y), int(x)].any():
                xy[k] = FAR
        order = [
            COCO_JOINTS.index(n) if n in COCO_JOINTS else 0
            for n in self.keypoint_names
        ]
        return xy[order]

    def of_image(self, image):
        key = self.image_of(image)
        return [(t, b) for t, b, a in self._people if a['image_id'] == key]

    def __call__(self, images, boxes):
        self.calls += len(images)
        out = []
        for image, some in zip(images, boxes, strict=True):
            mine = self.of_image(image)
            found = []
            for box in some:
                truth = next(t for t, b in mine if abs(b[0] - box[0]) < 1)
                found.append(self.answer(image, truth))
            shape = (len(found), len(self.keypoint_names))
            out.append(Prediction(np.stack(found), np.full(shape, 0.9)))
        return out


class WholeImage(Planted):
    """Finds people by itself; one with a nose under black vanishes, and in
    the last image there is one who is not annotated."""

    needs_boxes = False

    def __call__(self, images, boxes):
        assert boxes == [None] * len(images)
        self.calls += len(images)
        out = []
        for image in images:
            found, scores = [], []
            for i, (truth, _) in enumerate(self.of_image(image)):
                xy = self.answer(image, truth)
                if xy[NOSE, 0] != FAR:
                    found.append(xy)
                    scores.append(0.8 + 0.1 * i)
            if self.image_of(image) == 3:
                found.append(np.full((17, 2), 5.0))
                scores.append(0.95)
            out.append(
                Prediction(
                    np.reshape(found, (-1, 17, 2)),
                    np.full((len(found), 17), 0.5),
                    person_scores=np.array(scores),
                )
            )
        return out


class Unmoved(Planted):
    """No attack changes its answers."""

    def answer(self, image, truth):
        return truth[:, :2]


class Wrong(Planted):
    def __call__(self, images, boxes):
        found = super().__call__(images, boxes)
        return [Prediction(f.keypoints[:, :16], f.scores) for f in found]


class Raising(Planted):
    def __call__(self, images, boxes):
        if self.calls:
            raise ZeroDivisionError('by nothing')
        return super().__call__(images, boxes)


class Crashing(Planted):
    def __call__(self, images, boxes):
        if self.calls > 6:
            os._exit(7)
        return super().__call__(images, boxes)


class Hanging(Planted):
    def __call__(self, images, boxes):
        if self.calls > 6:
            signal.pause()
        return super().__call__(images, boxes)


class Spot(Planted):
    """Fails for a person only when a known place is covered, one that is no
    joint: the middle of the person's shoulders and hips."""

    name = 'spot'

    @staticmethod
    def place(truth):
        return truth[[5, 6, 11, 12], :2].mean(axis=0).round()

    def answer(self, image, truth):
        x, y = self.place(truth).astype(int)
        xy = truth[:, :2].copy()
        if not image[y, x].any():
            xy[:] = FAR
        return xy


class Two(Spot):
    """The left wrist fails when the place of Spot is covered, all other joints
    when the nose is."""

    name = 'two'

    def answer(self, image, truth):
        place, nose = (
            not image[y, x].any()
            for x, y in (
                self.place(truth).astype(int),
                truth[0, :2].astype(int),
            )
        )
        xy = truth[:, :2].copy()
        xy[np.arange(17) != WRIST] += FAR * nose
        xy[WRIST] += FAR * place
        return xy


class Gradual(Planted):
    """Errs the more, the nearer black paint is to the place."""

    name = 'gradual'

    def answer(self, image, truth):
        rows, cols = np.nonzero(~image.any(axis=2))
        if not len(rows):
            return truth[:, :2]
        x, y = Spot.place(truth)
        far = np.hypot(cols.mean() - x, rows.mean() - y)
        return truth[:, :2] + 20 * np.exp(-far / 20)
