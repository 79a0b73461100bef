"""Which data are there, and which configs can run on them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from mmengine.config import Config
from mmengine.hub import get_config

from mmpose_occlusion.datasets.inventory import (
    BROKEN,
    MISSING,
    OK,
    Annotations,
    Finding,
    check_boxes,
    check_head_boxes,
    check_images,
    read_annotations,
)
from mmpose_occlusion.datasets.layout import candidates
from mmpose_occlusion.errors import UsageError

from .config import SPLITS
from .data_files import DataFile, data_files

DATA = 'data'
"""The folder that configs say the data is in."""

_MADE_BY = {
    'synthetic_people': 'projects/synthetic_people/make.py',
    'mpii_': "tools/prepare_data.py mpii, from MPII's release",
}
"""Part of a missing file's path -> the tool that makes it."""


@dataclass
class Checked:
    """What :class:`Checker` found.

    Attributes:
        findings: For each file or folder, by the words that name it.
        needs: Config -> split -> the words of what it needs.
        failed: Config -> why it cannot be read.
    """

    findings: dict[str, Finding] = field(default_factory=dict)
    needs: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def lacks(self, config: str, split: str) -> list[str]:
        """What a split of a config needs and is not as it should be."""
        needed = self.needs[config].get(split, [])
        return [name for name in needed if self.findings[name].state != OK]

    def runs(self, config: str, split: str) -> bool | None:
        """Whether a config's split can run; None where it has none."""
        if config in self.failed:
            return False
        if split not in self.needs[config]:
            return None
        return not self.lacks(config, split)

    def runs_wholly(self, config: str) -> bool:
        """Whether a config can train, validate and test, as far as it
        says that it does."""
        return all(self.runs(config, split) is not False for split in SPLITS)


class Checker:
    """Checks the files that configs read, each file once.

    Args:
        folder: Where the data is; takes the place of ``data`` in the
            configs' paths.
        say: Told what is being read, since large files take a while.
    """

    def __init__(
        self, folder: str = DATA, say: Callable[[str], object] = str
    ) -> None:
        if not Path(folder).is_dir():
            raise UsageError(
                f'"{folder}" is not a folder: name the one that holds coco/ '
                'and mpii/'
            )
        self.folder = folder
        self.say = say
        self.result = Checked()
        self._annotations: dict[str, Annotations | Finding] = {}

    def check(self, configs: Sequence[str]) -> Checked:
        """Check the data of configs.

        Args:
            configs: Files, or MMPose's own as ``mmpose::PATH``.
        """
        for name in configs:
            try:
                cfg = _read(name)
            except Exception as error:
                # whatever a config's own code may raise
                reason = ' '.join(str(error).split())
                self.result.failed[name] = f'{type(error).__name__}: {reason}'
                continue
            self.result.needs[name] = {
                split: list(dict.fromkeys(self._check_split(cfg, split)))
                for split in SPLITS
                if cfg.get(f'{split}_dataloader')
            }
        return self.result

    def _check_split(self, cfg: Mapping, split: str) -> Iterator[str]:
        files = (self._rebased(file) for file in data_files(cfg, split))
        for _, group in groupby(files, lambda file: file.owner):
            yield from self._check_group(list(group))

    def _check_group(self, files: Sequence[DataFile]) -> Iterator[str]:
        """Check the files of one data set or metric against each other."""
        main = next((f for f in files if f.name == 'ann_file'), None)
        for file in files:
            words = file.found or os.path.normpath(file.path)
            if file.is_images and main and file.found:
                words = f'{words} for {Path(main.path).name}'
            if words not in self.result.findings:
                self.result.findings[words] = self._find(file, main, words)
            yield words

    def _find(
        self, file: DataFile, main: DataFile | None, words: str
    ) -> Finding:
        found = file.found
        if found is None:
            return Finding(MISSING, _remedy(file))
        annotations = self._read(main.found) if main and main.found else None
        if file is main and annotations:
            if isinstance(annotations, Finding):
                return annotations
            return annotations.finding
        if not isinstance(annotations, Annotations):
            return Finding(OK, 'there; not checked without annotations')
        self.say(f'looking through {words}')
        if file.name == 'bbox_file':
            return check_boxes(found, annotations)
        if file.name == 'headbox_file':
            return check_head_boxes(found, annotations)
        return check_images(found, annotations.images)

    def _read(self, path: str) -> Annotations | Finding:
        if path not in self._annotations:
            self.say(f'reading {path}')
            try:
                self._annotations[path] = read_annotations(path)
            except ValueError as error:
                self._annotations[path] = Finding(BROKEN, str(error))
        return self._annotations[path]

    def _rebased(self, file: DataFile) -> DataFile:
        """The file in the folder that was asked for."""
        below = file.path.removeprefix(f'{DATA}/')
        if below == file.path or self.folder == DATA:
            return file
        return replace(file, path=os.path.join(self.folder, below))


def _remedy(file: DataFile) -> str:
    others = candidates(file.path)[1:]
    words = [f'nor at {" or ".join(others)}'] if others else []
    words += [f'made by {_MADE_BY[p]}' for p in _MADE_BY if p in file.path]
    return '; '.join(words)


def _read(name: str) -> Config:
    if '::' in name:
        return get_config(name)
    # no custom imports: nothing is built here
    return Config.fromfile(name, import_custom_modules=False)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text, in columns as wide as they need."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ('  '.join(map(str.ljust, row, widths)) for row in rows)
    return '\n'.join(line.rstrip() for line in lines)


def report(checked: Checked) -> str:
    """The tables of :class:`Checked`: numbered files, then configs."""
    numbers = {
        name: f'#{index}'
        for index, name in enumerate(sorted(checked.findings), 1)
    }
    files = [
        (number, name, finding.state, finding.words)
        for name, number in numbers.items()
        for finding in [checked.findings[name]]
    ]
    words = {True: 'yes', False: 'no', None: '-'}
    configs = []
    for name in [*checked.needs, *checked.failed]:
        cells = [words[checked.runs(name, split)] for split in SPLITS]
        configs.append((name, *cells, _why_not(checked, name, numbers)))
    return '\n\n'.join(
        [
            table([('', 'file or folder', 'state', ''), *files]),
            table([('config', *SPLITS, 'lacks'), *configs]),
        ]
    )


def _why_not(checked: Checked, config: str, numbers: Mapping[str, str]) -> str:
    if config in checked.failed:
        return f'cannot be read: {checked.failed[config]}'
    lacking = {
        name for split in SPLITS for name in checked.lacks(config, split)
    }
    return ' '.join(numbers[name] for name in numbers if name in lacking)
