"""One sentence for each kind of error."""

import errno
import os

import pytest

from mmpose_occlusion.cli.run import explain
from mmpose_occlusion.errors import DataError, UsageError, printable

CONFIG = dict(
    model=dict(type='A', head=dict(type='Heatmapp')), hooks=[dict(type='B')]
)


@pytest.mark.parametrize(
    ('error', 'status', 'words'),
    [
        (UsageError('a\nb'), 2, 'a b'),
        (DataError('x'), 1, 'x'),
        (
            UsageError(
                'Caught UsageError in DataLoader worker process 0.\n'
                'Original Traceback (most recent call last):\n  File "x"\n'
                'mmpose_occlusion.errors.UsageError: no nose here\n'
            ),
            2,
            'no nose here',
        ),
        (
            FileNotFoundError(
                "`[Errno 2]: 'a.png'` occurs when loading `a.png`. Please"
            ),
            1,
            'image "a.png" cannot be read: replace it, or leave',
        ),
        (MemoryError(), 1, 'out of memory'),
        (RuntimeError('CUDA out of memory'), 1, 'fewer workers'),
        (
            RuntimeError('The server socket has failed ... EADDRINUSE'),
            1,
            'PORT=',
        ),
        (
            RuntimeError('DataLoader worker (pid 9) is killed by signal: K'),
            1,
            'a worker',
        ),
        (RuntimeError('Connection closed by peer'), 1, 'another process'),
        (RuntimeError('Weights only load failed. x'), 1, '--trust-checkpoint'),
        (
            KeyError('Heatmapp is not in the mmpose::model registry. Please'),
            2,
            'model.head: type="Heatmapp" is no class',
        ),
        (
            KeyError('mmpretrai.ViT is not in the mmpose::model registry.'),
            2,
            'type="mmpretrai.ViT" is no class that MMPose or this package',
        ),
        (
            TypeError("class `B` in a/b.py: unexpected argument 'c'"),
            2,
            "hooks.0: B cannot be built (unexpected argument 'c')",
        ),
        (
            AttributeError("'ConfigDict' object has no attribute 'model'"),
            2,
            'the config lacks "model"',
        ),
        (KeyError('test_evaluator'), 2, 'lacks "test_evaluator"'),
        (KeyError('nose'), 1, "KeyError: 'nose': add --traceback"),
        (ValueError('a bug'), 1, 'ValueError: a bug: add --traceback'),
    ],
)
def test_sentences(error, status, words):
    found, sentence = explain(error, CONFIG)
    assert found == status
    assert words in sentence
    assert '\n' not in sentence


@pytest.mark.parametrize(
    'code',
    ['ENOSPC', 'EROFS', 'ENOTDIR', 'ENAMETOOLONG', 'EACCES', 'EISDIR', 'EIO'],
)
def test_errors_of_the_system_name_the_path(code):
    number = getattr(errno, code)
    status, sentence = explain(OSError(number, os.strerror(number), 'a/b'))
    assert status == 1
    assert f'{os.strerror(number)} "a/b": ' in sentence


def test_control_characters_are_shown():
    assert printable('a\nb\x1b[0m $_<\u0394') == ('a\\nb\\x1b[0m $_<\u0394')
