"""What the benchmark asks of a model: images in, keypoints out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mmpose_occlusion.errors import UsageError


@dataclass(frozen=True)
class Prediction:
    """The people that a model finds in one image.

    Args:
        keypoints: (N, K, 2) in image pixels; the centre of the first pixel
            is (0, 0). NaN for a keypoint that was not found.
        scores: (N, K), larger is surer.
        boxes: (N, 4) xyxy in image pixels of a whole-image model.
        visibility: (N, K) probability that the keypoint is visible, of models
            that have such an output.
        person_scores: (N,) of a whole-image model; the mean score of the
            keypoints where it is missing.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray | None = None
    visibility: np.ndarray | None = None
    person_scores: np.ndarray | None = None

    @classmethod
    def empty(cls, joints: int) -> 'Prediction':
        """Of an image without people."""
        return cls(np.zeros((0, joints, 2)), np.zeros((0, joints)))

    def to_supervision(self) -> Any:
        """The people as ``supervision.KeyPoints``.

        A keypoint that was not found is (0, 0) there, and not ``visible``;
        boxes and visibility are in ``data``.

        Raises:
            UsageError: supervision is not installed.
        """
        supervision = library('supervision', 'to_supervision', 'supervision')
        found = np.isfinite(self.keypoints).all(axis=-1)
        more = dict(boxes=self.boxes, visibility=self.visibility)
        persons = self.person_scores
        return supervision.KeyPoints(
            xy=np.where(found[..., None], self.keypoints, 0).astype('f4'),
            keypoint_confidence=np.asarray(self.scores, np.float32),
            detection_confidence=(
                None if persons is None else np.asarray(persons, np.float32)
            ),
            visible=found,
            data={k: np.asarray(v) for k, v in more.items() if v is not None},
        )

    @classmethod
    def from_supervision(cls, people: Any) -> 'Prediction':
        """The people of ``supervision.KeyPoints``, whose (0, 0) is a keypoint
        that was not found; scores are 1 where it has none."""
        keypoints = np.array(people.xy, np.float32)
        keypoints[(keypoints == 0).all(axis=-1)] = np.nan
        scores = people.keypoint_confidence
        return cls(
            keypoints,
            np.ones(keypoints.shape[:2]) if scores is None else scores,
            boxes=people.data.get('boxes'),
            visibility=people.data.get('visibility'),
            person_scores=people.detection_confidence,
        )


@runtime_checkable
class Predictor(Protocol):
    """A pose model, of any library.

    Attributes:
        name: To be shown.
        keypoint_names: Length K, in the order of its keypoints.
        needs_boxes: Whether it is top-down: it gets each person's box and
            answers with one person a box, in the same order. A whole-image
            model gets None.
    """

    name: str
    keypoint_names: tuple[str, ...]
    needs_boxes: bool

    def identity(self) -> str:
        """A text that is another one whenever predictions may be others:
        weights, options, versions."""

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """Predict.

        Args:
            images: (H, W, 3) uint8 RGB each; not to be modified.
            boxes: (N, 4) float xyxy of each image, or None.

        Returns:
            One for each image.
        """


def check_predictions(
    predictor: Predictor,
    found: object,
    boxes: Sequence[np.ndarray | None],
) -> list[Prediction]:
    """Refuse an answer of another shape than the protocol's.

    Raises:
        UsageError: It is; the sentence says what was found.
    """
    who = f'predictor "{predictor.name}"'
    if not isinstance(found, list | tuple) or len(found) != len(boxes):
        got = len(found) if isinstance(found, list | tuple) else type(found)
        raise UsageError(
            f'{who} was given {len(boxes)} images and answered with {got}: '
            'return a list with one Prediction for each image'
        )
    joints = len(predictor.keypoint_names)
    for one, box in zip(found, boxes, strict=True):
        if not isinstance(one, Prediction):
            raise UsageError(
                f'{who} returned {type(one).__name__} for an image: return '
                'mmpose_occlusion.predictors.Prediction'
            )
        people = len(one.keypoints) if box is None else len(box)
        wanted = (people, joints)
        shapes: list[tuple[str, np.ndarray, tuple[int, ...]]]
        shapes = [('keypoints', one.keypoints, (*wanted, 2))]
        shapes += [('scores', one.scores, wanted)]
        if one.visibility is not None:
            shapes += [('visibility', one.visibility, wanted)]
        if one.boxes is not None:
            shapes += [('boxes', one.boxes, (people, 4))]
        for name, array, shape in shapes:
            if np.shape(array) != shape:
                raise UsageError(
                    f'{who} returned {name} of shape {np.shape(array)} '
                    f'instead of {shape}: (people, keypoints'
                    f'{", 2" if len(shape) == 3 else ""})'
                )
    return list(found)


def library(module: str, who: str, install: str) -> Any:
    """Import an adapter's library, or say how to install it.

    Raises:
        UsageError: It cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(
            f'"{who}" needs {module.partition(".")[0]}: pip install {install}'
        ) from error


def checksum(path: str) -> str:
    """SHA-256 of a model's file.

    Raises:
        UsageError: It does not exist.
    """
    if not Path(path).is_file():
        raise UsageError(f'model "{path}" does not exist')
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
