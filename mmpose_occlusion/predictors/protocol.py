"""What the benchmark asks of a model: images in, keypoints out."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import COCO_JOINTS, CONVENTIONS


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
            keypoint_confidence=np.float32(self.scores),
            detection_confidence=None
            if persons is None
            else np.float32(persons),
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
            people.data.get('boxes'),
            people.data.get('visibility'),
            people.detection_confidence,
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
        self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray | None]
    ) -> list[Prediction]:
        """Predict.

        Args:
            images: (H, W, 3) uint8 RGB each; not to be modified.
            boxes: (N, 4) float xyxy of each image, or None.

        Returns:
            One for each image.
        """


def as_predictor(
    predict: Any,
    name: str,
    keypoint_names: tuple[str, ...],
    needs_boxes: bool,
    identity: str,
) -> Predictor:
    """A function of images and boxes, with the attributes of a predictor."""
    predict.name, predict.keypoint_names = name, keypoint_names
    predict.needs_boxes, predict.identity = needs_boxes, lambda: identity
    return predict


def check_predictions(
    predictor: Predictor, found: object, boxes: Sequence[np.ndarray | None]
) -> list[Prediction]:
    """Refuse an answer of another shape than the protocol's; the sentence
    says what was found."""
    who = f'predictor "{predictor.name}"'
    if not isinstance(found, list | tuple) or len(found) != len(boxes):
        got = len(found) if isinstance(found, list | tuple) else type(found)
        raise UsageError(
            f'{who} was given {len(boxes)} images and answered with {got}: '
            'return a list with one Prediction for each image'
        )
    for one, box in zip(found, boxes, strict=True):
        if not isinstance(one, Prediction):
            raise UsageError(
                f'{who} returned {type(one).__name__} for an image: return '
                'mmpose_occlusion.predictors.Prediction'
            )
        people = len(one.keypoints) if box is None else len(box)
        shape = people, len(predictor.keypoint_names)
        must = dict(keypoints=(*shape, 2), scores=shape)
        may = dict(
            visibility=shape, boxes=(people, 4), person_scores=shape[:1]
        )
        for name, want in {**must, **may}.items():
            array = getattr(one, name)
            if np.shape(array) != want and (array is not None or name in must):
                raise UsageError(
                    f'{who} returned {name} of shape {np.shape(array)} '
                    f'instead of {want}'
                )
    return list(found)


@contextmanager
def reading(path: str, what: str) -> Iterator[None]:
    """Turns a library's error about a model's file into a sentence."""
    try:
        yield
    except Exception as error:
        why = ' '.join(str(error).split())
        raise UsageError(
            f'model "{path}" cannot be read as {what}: {why}'
        ) from error


def library(module: str, who: str, install: str) -> Any:
    """Import a library, or say how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(
            f'"{who}" needs {module.partition(".")[0]}: pip install {install}'
        ) from error


def literal(value: Any) -> Any:
    """The value that a text writes in Python, or the text itself."""
    try:
        return ast.literal_eval(value) if isinstance(value, str) else value
    except (ValueError, SyntaxError):
        return value


BLAZEPOSE = tuple(
    """nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye
    right_eye_outer left_ear right_ear mouth_left mouth_right left_shoulder
    right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky
    right_pinky left_index right_index left_thumb right_thumb left_hip
    right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel
    left_foot_index right_foot_index""".split()  # noqa: SIM905
)
"""MediaPipe's 33 landmarks."""

HALPE26 = COCO_JOINTS + tuple(
    """head neck hip left_big_toe right_big_toe left_small_toe right_small_toe
    left_heel right_heel""".split()  # noqa: SIM905
)

NAMED = {**CONVENTIONS, 'blazepose': BLAZEPOSE, 'halpe26': HALPE26}

_SYNONYMS = (
    {'head_top', 'top_head', 'head'},
    {'upper_neck', 'neck'},
    {'left_foot_index', 'left_big_toe'},
    {'right_foot_index', 'right_big_toe'},
)
"""Names that data sets give to the same place (within their accuracy)."""


def named_joints(names: str | Sequence[str]) -> tuple[str, ...]:
    """Joint names from the name of a convention, or as they are.

    >>> named_joints('coco')[:2]
    ('nose', 'left_eye')
    """
    if not isinstance(names, str):
        return tuple(names)
    if names not in NAMED:
        raise UsageError(
            f'joints "{names}" are unknown: write {", ".join(NAMED)}, or '
            'list the names'
        )
    return NAMED[names]


def joint_mapping(
    of_model: Sequence[str], of_data: Sequence[str], who: str = 'the model'
) -> np.ndarray:
    """``(K,)`` int, the index of the model's joint for each of the data set's,
    -1 where it has no such joint; ``who`` shares at least one.

    >>> joint_mapping(['neck', 'nose'], ['nose', 'left_hip', 'upper_neck'])
    array([ 1, -1,  0])
    """
    index = {name: i for i, name in enumerate(of_model)}
    out = []
    for name in of_data:
        same = next((s for s in _SYNONYMS if name in s), {name})
        found = [index[n] for n in (name, *sorted(same)) if n in index]
        out.append(found[0] if found else -1)
    if max(out, default=-1) < 0:
        raise UsageError(
            f'{who} and the data set share no joint: the model has '
            f'{", ".join(of_model)}; the data set {", ".join(of_data)}'
        )
    return np.array(out)
