"""Checks of files before a run is built."""

import filecmp
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner, find_latest_checkpoint

from mmpose_occlusion.checkpoints.load import without_wrapper
from mmpose_occlusion.checkpoints.read import load_checkpoint_safely
from mmpose_occlusion.errors import UsageError

from .annotation_check import check_annotations
from .data_files import DataFile, data_files


def check_data_files(
    cfg: Config,
    split: str,
    evaluator: bool = True,
    skip_unreadable: bool = False,
) -> None:
    """Check that the files of a split's data and evaluator exist, and what
    is in them, see :func:`.annotation_check.check_annotations`.

    Paths that are not on a local disk are not checked.

    Raises:
        UsageError: One is missing; the message names its key.
        DataError: One cannot be used.
    """
    for file in data_files(cfg, split):
        scores = file.key.startswith(f'{split}_evaluator')
        if os.path.exists(file.path) or (scores and not evaluator):
            continue
        kind = 'folder' if file.is_images else 'file'
        raise UsageError(
            f'{file.key}: {kind} "{os.path.normpath(file.path)}" does not '
            f'exist: {_remedy(file, split, scores)}'
        )
    check_annotations(cfg, split, skip_unreadable)


def _remedy(file: DataFile, split: str, scores: bool) -> str:
    if scores:
        return (
            f'set --cfg-options {file.key}=None to score against the data '
            "set's own annotation file"
        )
    if file.name == 'bbox_file':
        gt_boxes = ' (or --gt-boxes)' if split == 'test' else ''
        return (
            'put it there, or use annotated bboxes with '
            f'--cfg-options {file.key}=None{gt_boxes}'
        )
    return (
        'put the data there, or set its place with --cfg-options '
        f'{file.owner}.data_root=FOLDER {file.key}=PATH_BELOW_IT'
    )


def check_checkpoint(path: str, what: str = 'checkpoint') -> None:
    """Check that a checkpoint exists, if it is on a local disk.

    Raises:
        UsageError: It does not exist.
    """
    if _is_missing(path):
        raise UsageError(
            f'{what} "{path}" does not exist: give a .pth file or its URL'
        )


def check_resume(cfg: Config, trust: bool = False) -> None:
    """Check the checkpoint that a training starts from: MMEngine unpickles
    files of all kinds.

    Args:
        cfg: The run's config.
        trust: See :func:`.load_checkpoint_safely`.

    Raises:
        UsageError: It does not exist, is damaged, or would have to be
            trusted.
    """
    path = cfg.get('load_from')
    if path:
        what = (
            'checkpoint to resume from' if cfg.get('resume') else 'load_from'
        )
        check_checkpoint(path, what)
    elif cfg.get('resume'):
        path = find_latest_checkpoint(cfg.work_dir)
    if path and (Path(path).is_file() or path.startswith('http')):
        load_checkpoint_safely(path, trust)


def check_start(runner: Runner) -> None:
    """Check that a training's checkpoint fits its model and leaves work.

    MMEngine skips keys that do not fit and trains from random weights.

    Raises:
        UsageError: The checkpoint is of another model (in ``load_from``: no
            key fits), or the training to be resumed has finished.
    """
    path = runner._load_from
    if runner._resume and not path:
        path = find_latest_checkpoint(runner.work_dir)
    if not path:
        return
    # check_resume has refused what is not trusted
    checkpoint = load_checkpoint_safely(path, trust=True)
    theirs = without_wrapper(checkpoint.get('state_dict', checkpoint))
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    ours = {k: v.shape for k, v in model.state_dict().items()}
    fit = [
        k for k, v in theirs.items() if ours.get(k) == getattr(v, 'shape', 0)
    ]
    if len(fit) < len(ours) and (runner._resume or not fit):
        raise UsageError(
            f'checkpoint "{path}" is of another model: {len(fit):,} of the '
            f"model's {len(ours):,} parameters are in it with their shape; "
            'give a checkpoint of this config'
        )
    meta = checkpoint.get('meta') or {}
    for unit in ('epoch', 'iter') if runner._resume else ():
        limit = runner.cfg.train_cfg.get(f'max_{unit}s')
        if limit and meta.get(unit, 0) >= limit:
            raise UsageError(
                f'the training in "{path}" has finished ({unit} '
                f'{meta[unit]} of {limit}): raise --cfg-options '
                f'train_cfg.max_{unit}s to train on'
            )


def check_evaluator_file(cfg: Config, split: str) -> None:
    """Check that a metric reads the annotations that the data set reads.

    Raises:
        UsageError: It reads another file.
    """
    files = list(data_files(cfg, split))
    scored = [f for f in files if f.key.startswith(f'{split}_evaluator')]
    read = [f for f in files if f.name == 'ann_file' and f not in scored]
    for file in scored if read else []:
        if any(_are_equal(file.path, other.path) for other in read):
            continue
        raise UsageError(
            f'{file.key} is "{file.path}" and {read[0].key} is '
            f'"{read[0].path}", a file of other contents: predictions of one '
            'would be scored against people of the other; set '
            f'--cfg-options {file.key}=None'
        )


def _are_equal(path: str, other: str) -> bool:
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:  # reported by check_data_files
        return True


def fetch_pretrained(cfg: Config) -> None:
    """Download the pretrained weights of the model's parts.

    MMEngine would download them later and fail with a long traceback; it
    reads them from PyTorch's cache.

    Raises:
        UsageError: They cannot be downloaded; the message names the option.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    for key, path in _pretrained(cfg.model, 'model'):
        try:
            CheckpointLoader.load_checkpoint(path, map_location='cpu')
        except Exception as error:
            # of many types, from a refused connection to a damaged file
            reason = ' '.join(str(error).split()) or type(error).__name__
            raise UsageError(
                f'the weights {key} starts from, "{path}", cannot be read '
                f'({reason}): start without them by --cfg-options '
                f'{key}=None, or name a file on disk by '
                f'--cfg-options {key}.checkpoint=FILE'
            ) from error


def _pretrained(node: Any, key: str) -> Iterator[tuple[str, str]]:
    """Dotted key of each ``init_cfg`` that loads a file, and the file."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == 'init_cfg':
                inits = value if isinstance(value, list) else [value]
                for init in inits:
                    if init and init.get('checkpoint'):
                        yield f'{key}.init_cfg', init['checkpoint']
            else:
                yield from _pretrained(value, f'{key}.{name}')
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _pretrained(value, f'{key}.{index}')


def _is_missing(path: str) -> bool:
    """Whether a path would be on a local disk and does not exist."""
    elsewhere = re.match(r'^[\w.+-]{2,}:', path)
    return not elsewhere and not Path(path).exists()
