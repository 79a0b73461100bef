"""Predictions in a file, to compare a later run with."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

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
        FileExistsError: There is such a file already.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        name: np.array([entry[name] for entry in predictions.values()])
        for name in ('keypoints', 'keypoint_scores', 'bbox')
    }
    try:
        with open(path, 'xb') as file:
            np.savez_compressed(
                file,
                image=np.array([image for image, _ in predictions], str),
                id=np.array([number for _, number in predictions], str),
                **arrays,
            )
    except FileExistsError:
        raise FileExistsError(
            f'predictions "{path}" exist already and are not overwritten: '
            'give another name, or delete them'
        ) from None
    return path


def load_predictions(path: str | Path) -> dict[Key, dict[str, np.ndarray]]:
    """Read what :func:`save_predictions` wrote.

    Raises:
        ValueError: The file is none of these.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data = dict(file)
        names = ('keypoints', 'keypoint_scores', 'bbox')
        return {
            (str(image), str(number)): {name: data[name][i] for name in names}
            for i, (image, number) in enumerate(
                zip(data['image'], data['id'], strict=True)
            )
        }
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f'"{path}" holds no predictions of this package ({error}): make '
            'it with ForcedOcclusionMetric(save=...) in a run without attack'
        ) from error
