"""Result files, named by model, data, attack and time."""

import itertools
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mmpose_occlusion.files import write_json

CLEAN = 'clean'
"""Name of the attack in a run without one."""

_LONGEST = 72
_TIME = '%Y%m%d_%H%M%S'


def result_path(
    folder: str | Path,
    *,
    model: str,
    data: str,
    attack: str = CLEAN,
    time: datetime | None = None,
    suffix: str = '.json',
) -> Path:
    """A new path ``FOLDER/MODEL_DATA_ATTACK_TIME.json``.

    Args:
        folder: Is made if it does not exist.
        model: Name of the config or checkpoint; the last part of a path.
        data: Name of the data set.
        attack: Short form or forms, such as ``keypoint:nose:black``.
        time: Now, if None.
        suffix: Of the file.

    Returns:
        A path without a file: a number is added if there is one. With
        several writers, create the file with ``path.touch(exist_ok=False)``
        and try again, as :func:`write_result` does.
    """
    return next(
        path
        for path in _paths(folder, model, data, attack, time, suffix)
        if not path.exists()
    )


def write_result(
    folder: str | Path,
    result: Mapping[str, Any],
    *,
    model: str,
    data: str,
    attack: str = CLEAN,
) -> Path:
    """Write a new JSON file: ``model``, ``data``, ``attack``, ``time``, and
    the entries of the result.

    Args:
        folder: Is made if it does not exist.
        result: See :func:`mmpose_occlusion.files.plain`.
        model: See :func:`result_path`.
        data: See :func:`result_path`.
        attack: See :func:`result_path`.

    Returns:
        The file.
    """
    time = datetime.now()
    value = dict(
        model=model,
        data=data,
        attack=attack,
        time=time.isoformat(timespec='seconds'),
        **result,
    )
    for path in _paths(folder, model, data, attack, time, '.json'):
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return write_json(path, value)
    raise AssertionError('unreachable')


def _paths(
    folder: str | Path,
    model: str,
    data: str,
    attack: str,
    time: datetime | None,
    suffix: str,
) -> Iterator[Path]:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = re.split(r'[/\\]', model.rstrip('/\\'))[-1]
    stamp = (time or datetime.now()).strftime(_TIME)
    name = '_'.join([_word(model), _word(data), _word(attack), stamp])
    yield folder / f'{name}{suffix}'
    for number in itertools.count(2):
        yield folder / f'{name}_{number}{suffix}'


def _word(text: str) -> str:
    """Text in a form for file names; different texts stay different."""
    word = re.sub(r'[^\w.+=,-]+', '-', text).strip('-.') or 'unnamed'
    if len(word) <= _LONGEST:
        return word
    return f'{word[: _LONGEST - 9]}-{zlib.crc32(text.encode()):08x}'
