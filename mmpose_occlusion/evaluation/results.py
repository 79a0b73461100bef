"""Result files, named by model, data, attack and time."""

import itertools
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mmpose_occlusion.files import write_json

CLEAN = 'clean'
"""Name of the attack in a run without one."""

_LONGEST = 72


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
    entries = dict(
        model=model,
        data=data,
        attack=attack,
        time=time.isoformat(timespec='seconds'),
    )
    return write_json(path, {**entries, **result})


def _word(text: str) -> str:
    """Text in a form for file names; different texts stay different."""
    word = re.sub(r'[^\w.+=,-]+', '-', text).strip('-.') or 'unnamed'
    if len(word) <= _LONGEST:
        return word
    return f'{word[: _LONGEST - 9]}-{zlib.crc32(text.encode()):08x}'
