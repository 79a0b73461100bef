"""Result files that say what they are of, and overwrite nothing."""

import itertools
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

CLEAN = 'clean'
"""Stands for the attack where there is none."""

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
        model: Name of the config or checkpoint; of a path, its last part.
        data: Name of the data set.
        attack: Short form or forms, such as ``keypoint:nose:black``.
        time: Now, if None.
        suffix: Of the file.

    Returns:
        A path at which there is no file; where there is one, a number is
        added to the time. To be sure of that with several writers, open it
        with mode 'x', as :func:`write_result` does.
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
    """Write a JSON file with ``model``, ``data``, ``attack`` and ``time``,
    and with the result after them.

    Numbers that are not finite become null.

    Args:
        folder: Is made if it does not exist.
        result: Plain values.
        model: See :func:`result_path`.
        data: See :func:`result_path`.
        attack: See :func:`result_path`.

    Returns:
        The file, which is a new one.
    """
    time = datetime.now()
    text = json.dumps(
        _plain(
            dict(
                model=model,
                data=data,
                attack=attack,
                time=time.isoformat(timespec='seconds'),
                **result,
            )
        ),
        indent=1,
        allow_nan=False,
    )
    for path in _paths(folder, model, data, attack, time, '.json'):
        try:
            with open(path, 'x', encoding='utf-8') as file:
                file.write(text + '\n')
        except FileExistsError:
            continue
        return path
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
    """Text as a part of a file name, different for different texts."""
    word = re.sub(r'[^\w.+=,-]+', '-', text).strip('-.') or 'unnamed'
    if len(word) <= _LONGEST:
        return word
    return f'{word[: _LONGEST - 9]}-{zlib.crc32(text.encode()):08x}'


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, 'tolist'):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
