"""Predictions of a run in a file, for comparison with a later run."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.files import write_bytes

_ARRAYS = ('keypoints', 'keypoint_scores', 'bbox')

Key = tuple[str, str]
"""Image and sample: their ids as text."""


def sample_key(image: Any, number: Any) -> Key:
    """The key of a sample."""
    return str(image), str(number)


def save_predictions(
    path: str | Path, predictions: Mapping[Key, Mapping[str, np.ndarray]]
) -> Path:
    """Write a new ``.npz`` file.

    Args:
        path: The file.
        predictions: Key -> ``keypoints`` (K, 2), ``keypoint_scores`` (K,)
            and ``bbox`` (4,) xywh, all float32 in image pixels.

    Raises:
        FileExistsError: The file exists.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise FileExistsError(
            f'predictions "{path}" exist already and are not overwritten: '
            'give another name, or delete them'
        ) from None
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        image=np.array([image for image, _ in predictions], str),
        id=np.array([number for _, number in predictions], str),
        **{
            name: np.array([entry[name] for entry in predictions.values()])
            for name in _ARRAYS
        },
    )
    return write_bytes(path, buffer.getvalue())


def load_predictions(path: str | Path) -> dict[Key, dict[str, np.ndarray]]:
    """Read a file of :func:`save_predictions`.

    Raises:
        ValueError: The file is not of this kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data = dict(file)
        keys = zip(data['image'], data['id'], strict=True)
        return {
            (str(image), str(number)): {n: data[n][i] for n in _ARRAYS}
            for i, (image, number) in enumerate(keys)
        }
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f'"{path}" holds no predictions of this package ({error}): make '
            'it with ForcedOcclusionMetric(save=...) in a run without attack'
        ) from error
