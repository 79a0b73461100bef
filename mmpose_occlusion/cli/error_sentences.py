"""One sentence for an error, whoever raised it.

Errors of libraries are recognised by their type's name and their text, since
nothing heavy is imported here.
"""

import errno
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmpose_occlusion.errors import DataError, UsageError

USER, MACHINE = 2, 1
"""Exit status after a user's mistake, and after a failure of data or
machine."""

_REMEDIES = {
    errno.ENOSPC: 'free some space; what is finished is stored, and the same '
    'command goes on from there',
    errno.EDQUOT: 'free some space; what is finished is stored, and the same '
    'command goes on from there',
    errno.EROFS: 'give a folder that can be written to',
    errno.EACCES: 'change its permissions, or give another',
    errno.EPERM: 'change its permissions, or give another',
    errno.ENOTDIR: 'a part of this path is a file; give another',
    errno.EEXIST: 'it exists as a file; give another',
    errno.EISDIR: 'it is a folder; give a file',
    errno.ENAMETOOLONG: 'give a shorter name',
    errno.ENOENT: 'check the path',
    errno.EMFILE: 'raise the limit of open files (ulimit -n), or use fewer '
    'workers',
}

_TEXTS = (
    # words of a library's error, exit status, sentence
    (
        r'out of memory|[Cc]annot allocate memory',
        MACHINE,
        'out of memory: use a smaller batch size or fewer workers',
    ),
    (
        r'EADDRINUSE|[Aa]ddress already in use',
        MACHINE,
        'the port of this run is in use: name a free one with PORT=... before '
        'the command',
    ),
    (
        r'DataLoader worker .*(killed|exited unexpectedly)',
        MACHINE,
        'a worker that makes crops was killed, perhaps for want of memory: '
        'run the same command again, with fewer workers',
    ),
    (
        r'Connection (closed|reset) by peer|Timed out waiting|[Ww]atchdog',
        MACHINE,
        'another process of this run has ended or does not answer: run the '
        'same command again, which resumes it',
    ),
    (
        r'Weights only load failed|Weights[Uu]npickler',
        MACHINE,
        'a checkpoint is damaged or holds more than weights: give another, '
        'or --trust-checkpoint where the command has it and the file is your '
        'own',
    ),
)


_CONFIG_KEY = (
    'model|optim_wrapper|train_cfg|(train|val|test)_(dataloader|evaluator|cfg)'
)


def explain(error: BaseException, config: Any = None) -> tuple[int, str]:
    """Exit status and sentence for an error.

    Args:
        error: Caught where a command ends.
        config: The command's loaded config, if it has one: the sentence then
            names the key of a class that cannot be built.
    """
    text = _message(error)
    if isinstance(error, DataError):
        return MACHINE, text
    if isinstance(error, UsageError):
        return USER, text
    if isinstance(error, MemoryError):
        return MACHINE, _TEXTS[0][2]
    unread = re.search(r'occurs when loading `(.+?)`', text)
    if unread:
        return MACHINE, (
            f'image "{unread[1]}" cannot be read: replace it, or leave such '
            'images out with --skip-unreadable'
        )
    for words, status, sentence in _TEXTS:
        if re.search(words, text):
            return status, sentence
    if isinstance(error, OSError) and error.errno:
        return MACHINE, _of_system(error)
    return _of_config(error, text, config) or (
        MACHINE,
        f'{type(error).__name__}: {_shortened(text)}: add --traceback to see '
        'where it happened',
    )


def _message(error: BaseException) -> str:
    """Its text in one line; of an error in a DataLoader's worker, which
    PyTorch wraps in a traceback, the last line."""
    text = str(error)
    if 'Original Traceback' in text:
        last = text.strip().rpartition('\n')[2]
        text = re.sub(r'^[\w.]+: ', '', last)
    return ' '.join(text.split())


def _of_system(error: OSError) -> str:
    path = f' "{error.filename}"' if error.filename is not None else ''
    remedy = _REMEDIES.get(error.errno or 0, 'check the disk or the network')
    return f'{(error.strerror or "failure").rstrip(".")}{path}: {remedy}'


def _of_config(
    error: BaseException, text: str, config: Any
) -> tuple[int, str] | None:
    """MMEngine's errors of what a config lacks or has too much."""
    unknown = re.search(r"'?([\w.]+) is not in the \S+ registry", text)
    if unknown:
        return USER, (
            f'{_key(config, unknown[1])}type="{unknown[1]}" is no class that '
            'MMPose or this package knows: correct the name, or import its '
            'module with custom_imports'
        )
    if isinstance(error, KeyError):
        text = text.strip('\'"')
    built = re.match(r'class `(\w+)` in \S+: (.*)', text)
    if built:
        return USER, (
            f'{_key(config, built[1])}{built[1]} cannot be built '
            f'({_shortened(_innermost(built[2]))}): correct its arguments in '
            'the config'
        )
    if re.match(r'(train|val|test)_dataloader, ', text):
        return USER, f'the config is incomplete: {_shortened(text)}'
    lacking = re.search(r"ConfigDict' object has no attribute '(\w+)'", text)
    key = lacking[1] if lacking else text
    if config is not None and re.fullmatch(_CONFIG_KEY, key):
        return USER, (
            f'the config lacks "{key}": add it, or give a complete config'
        )
    return None


def _innermost(text: str) -> str:
    """The reason in an error of nested builds."""
    return re.sub(r'^(class `\w+` in \S+: )+', '', text)


def _key(config: Any, name: str) -> str:
    """``model.head: ``, the first key whose type has this name."""
    last = name.rpartition('.')[2]
    return next((f'{key}: ' for key in _keys(config, last)), '')


def _keys(node: Any, name: str, key: str = '') -> Iterator[str]:
    entries: Any = ()
    if isinstance(node, Mapping):
        type_ = node.get('type', '')
        type_ = getattr(type_, '__name__', str(type_))
        if key and type_.rpartition('.')[2] == name:
            yield key
        entries = node.items()
    elif isinstance(node, list | tuple):
        entries = enumerate(node)
    for part, value in entries:
        yield from _keys(value, name, f'{key}.{part}' if key else str(part))


def _shortened(text: str, length: int = 200) -> str:
    return text if len(text) <= length else f'{text[: length - 4]} ...'


def printable(text: str) -> str:
    """A text in one line: control characters are shown as escapes."""
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode()
        for c in text
    )
