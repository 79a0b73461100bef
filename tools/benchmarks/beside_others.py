"""This project's occlusions in turn with those of others.py."""

import gc
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from others import once, timed, yardstick_of

from mmpose_occlusion.errors import UsageError

SCRIPT = Path(__file__).with_name('others.py')
LIMBS = ('left_arm', 'left_leg', 'corpus')
LIKE = (
    ('joint black', 'keypoint black'),
    ('joint one colour', 'keypoint mean'),
    ('joint inpainted', 'keypoint blur'),
    ('part black', 'part black'),
    ('part one colour', 'part mean'),
    ('part inpainted', 'part blur'),
    ('anywhere', 'keypoint black'),
    ('RandomErasing', 'keypoint black'),
)
"""Words of a row of theirs, and our row that comes nearest."""


def rows(
    python: str, crops: list, rounds: int, whole_call: Callable
) -> Iterator[str]:
    """Lines of the table, and one on the yardstick.

    Args:
        python: The interpreter that has the other libraries.
        crops: People, as transforms.py loads them.
        rounds: How often each call of each program is timed.
        whole_call: transforms.py's way to call a transform.

    Raises:
        UsageError: If the other program does not start.
    """
    ours, boxes = _ours(crops, whole_call)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'crops.npz'
        np.savez(file, **_arrays(crops), **boxes)
        versions, times, theirs = _in_turns(python, file, ours, crops, rounds)
    stick = {
        name: np.median([each['yardstick'] for each in side], axis=1)
        for name, side in (('ours', times), ('theirs', theirs))
    }

    def in_sticks(side: list[dict], which: str, name: str) -> np.ndarray:
        return (
            np.array([np.median(each[name]) for each in side]) / stick[which]
        )

    for name in theirs[0]:
        if name == 'yardstick':
            continue
        like = next(our for words, our in LIKE if words in name)
        share = np.median(
            in_sticks(theirs, 'theirs', name) / in_sticks(times, 'ours', like)
        )
        micros = np.median([np.median(each[name]) for each in theirs])
        yield (
            f'| {name} | {micros:.0f} | – | – | – '
            f'| {share:.1f} of our {like} |'
        )
    yield ''
    in_turn = ', '.join(
        f'{name} {np.median([np.median(each[name]) for each in times]):.0f}'
        for name in ours
    )
    yield f'Ours in turn with them, µs: {in_turn}.'
    yield (
        f'The yardstick took {np.median(stick["ours"]):.0f} µs here, '
        f'{np.median(stick["theirs"]):.0f} µs there, in '
        + ', '.join(f'{name} {number}' for name, number in versions.items())
        + '.'
    )


def _arrays(crops: list) -> dict[str, np.ndarray]:
    people = [crop.results for crop in crops]
    return dict(
        images=np.stack([each['img'] for each in people]),
        joints=np.stack([each['transformed_keypoints'][0] for each in people]),
        visible=np.stack([
            (each['keypoints_visible'][0] > 0)
            & (each['transformed_keypoints'][0] >= 0).all(axis=1)
            & (
                each['transformed_keypoints'][0]
                < each['img'].shape[1::-1]
            ).all(axis=1)
            for each in people
        ]),
    )  # fmt: skip


def _ours(
    crops: list, whole_call: Callable
) -> tuple[dict[str, list[Callable]], dict[str, np.ndarray]]:
    """Our calls by row, and the boxes that they paint in."""
    from mmpose_occlusion import transforms as t

    calls: dict[str, list[Callable]] = {}
    boxes: dict[str, list] = dict(joint_boxes=[], part_boxes=[])
    for fill in ('black', 'mean', 'blur'):
        for number, crop in enumerate(crops):
            joint = crop.joints[number % len(crop.joints)]
            wanted = [('keypoint', t.KeypointOcclusion(joint, fill))]
            wanted += [('part', t.PartOcclusion(limb, fill)) for limb in LIMBS]
            for kind, transform in wanted:
                (record,) = whole_call(transform, crop, 0)()['occlusions']
                if record['paint'] is None:
                    continue
                calls.setdefault(f'{kind} {fill}', []).append(
                    lambda a=transform, b=crop: whole_call(a, b, 0)
                )
                if fill == 'black':
                    name = 'joint' if kind == 'keypoint' else kind
                    boxes[f'{name}_boxes'].append((number, *record['box']))
    return calls, {name: np.array(rows) for name, rows in boxes.items()}


def _in_turns(
    python: str, file: Path, ours: dict, crops: list, rounds: int
) -> tuple[dict, list[dict], list[dict]]:
    """The others' versions, and the times of both in each round."""
    environ = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    sticks = [yardstick_of(crop.results['img']) for crop in crops]
    times, theirs = [], []
    try:
        other = subprocess.Popen(
            [python, str(SCRIPT), str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        )
    except OSError as error:
        raise UsageError(f'--others {python}: {error.strerror}.') from None
    with other:

        def answer() -> dict:
            line = other.stdout.readline()
            if not line:
                raise UsageError(
                    f'--others {python}: {SCRIPT.name} has ended (above is '
                    'what it said). Is that the Python of an environment '
                    f'made by "pip install -r {SCRIPT.with_suffix(".txt")}"?'
                )
            return json.loads(line)

        versions = answer()
        for _ in range(rounds + 1):
            other.stdin.write('\n')
            other.stdin.flush()
            theirs.append(answer())
            here = {
                name: [_fresh(make) for make in makes]
                for name, makes in ours.items()
            }
            here['yardstick'] = [timed(stick) for stick in sticks]
            times.append(here)
            gc.collect()
        other.stdin.close()
    return versions, times[1:], theirs[1:]


def _fresh(make: Callable) -> float:
    """As theirs are timed, but on samples of their own: a call changes its
    sample."""
    make()()
    return once(make())
