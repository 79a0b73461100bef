"""The file that a run of the test tool leaves."""

import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.logging import print_log

from mmpose_occlusion.evaluation.results import CLEAN, write_result

from .config import dataloader, metainfo_of, walk_datasets

_COCO = re.compile(r'(^|/)A[PR]\b')


@master_only
def write_metrics(
    cfg: Config,
    args: Namespace,
    attacks: Sequence[str],
    metrics: Mapping[str, float],
) -> Path:
    """Write metrics and what they are of into the work dir.

    Args:
        cfg: Of the run.
        args: Of ``tools/test.py``.
        attacks: Their names.
        metrics: What the evaluator says.

    Returns:
        The file, a new one, ``MODEL_DATA_ATTACK_TIME.json`` with the names
        of the config, the data set and the attacks.
    """
    dataset = dataloader(cfg, 'test')['dataset']
    entries = [entry for _, entry in walk_datasets(dataset)]
    path = write_result(
        cfg.work_dir,
        dict(
            config=args.config,
            checkpoint=args.checkpoint,
            cfg_options=dict(args.cfg_options),
            attack_seed=args.attack_seed,
            ann_files=_all_of(entries, 'ann_file'),
            bbox_files=_all_of(entries, 'bbox_file'),
            box_nms=args.box_nms,
            metrics={
                name: judged(name, value) for name, value in metrics.items()
            },
        ),
        model=Path(args.config.rpartition('::')[2]).stem,
        data=metainfo_of(dataset)['dataset_name'],
        attack='+'.join(attacks) or CLEAN,
    )
    print_log(f'Wrote {path}', 'current')
    return path


def judged(name: str, value: Any) -> Any:
    """A metric's value; None for COCOeval's -1, which says that there was
    nothing to judge.

    >>> judged('coco/AP (M)', -1.0), judged('EPE', -1.0)
    (None, -1.0)
    """
    return None if _COCO.search(name) and value == -1 else value


def _all_of(entries: Sequence[Mapping], key: str) -> list[str]:
    return [entry[key] for entry in entries if entry.get(key)]
