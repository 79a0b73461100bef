"""Files of a test: predictions for a later comparison, and results."""

import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.files import write_bytes, write_json

CLEAN = 'clean'
"""Name of the attack in a run without one."""

_ARRAYS = ('keypoints', 'keypoint_scores', 'bbox')
_LONGEST = 72

Key = tuple[str, str]
"""Image and sample: their ids as text."""


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


def write_result(
    folder: str | Path,
    result: Mapping[str, Any],
    *,
    model: str,
    data: str,
    attack: str = CLEAN,
    time: datetime | None = None,
) -> Path:
    """Write a new file ``FOLDER/MODEL_DATA_ATTACK_TIME.json``.

    It holds ``model``, ``data``, ``attack``, ``time``, and the entries of the
    result. If there is such a file already, a number is added to its name.

    Args:
        folder: Created if it does not exist.
        result: See :func:`mmpose_occlusion.files.plain`.
        model: Name of the config or checkpoint; the last part of a path.
        data: Name of the data set.
        attack: Short form or forms, such as ``keypoint:nose:black``.
        time: Now, if None.

    Returns:
        The file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    time = time or datetime.now()
    words = [re.split(r'[/\\]', model.rstrip('/\\'))[-1], data, attack]
    stem = '_'.join([*map(_word, words), time.strftime('%Y%m%d_%H%M%S')])
    for number in itertools.count(1):
        path = folder / f'{stem}{f"_{number}" if number > 1 else ""}.json'
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        break
    facts = dict(model=model, data=data, attack=attack)
    facts['time'] = time.isoformat(timespec='seconds')
    return write_json(path, {**facts, **result})


def _word(text: str) -> str:
    """Text in a form for file names; different texts stay different."""
    word = re.sub(r'[^\w.+=,-]+', '-', text).strip('-.') or 'unnamed'
    if len(word) <= _LONGEST:
        return word
    return f'{word[: _LONGEST - 9]}-{zlib.crc32(text.encode()):08x}'
