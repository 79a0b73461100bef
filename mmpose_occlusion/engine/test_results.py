"""The result file of tools/test.py."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.logging import print_log

from mmpose_occlusion.evaluation.run_files import CLEAN, write_result

from .config import dataloader, metainfo_of, walk_datasets
from .test_config import TestOptions

_COCO = re.compile(r'(^|/)A[PR]\b')


@master_only
def write_metrics(
    cfg: Config,
    options: TestOptions,
    attacks: Sequence[str],
    metrics: Mapping[str, float],
) -> Path:
    """Write metrics and facts about the run into the work dir.

    Args:
        cfg: The run's config.
        options: The tool's options.
        attacks: Names of the attacks.
        metrics: The evaluator's.

    Returns:
        The new file, ``MODEL_DATA_ATTACK_TIME.json``.
    """
    dataset = dataloader(cfg, 'test')['dataset']
    entries = [entry for _, entry in walk_datasets(dataset)]
    path = write_result(
        cfg.work_dir,
        dict(
            config=options.config,
            checkpoint=options.checkpoint,
            cfg_options=dict(options.cfg_options),
            attack_seed=options.attack_seed,
            ann_files=_all_of(entries, 'ann_file'),
            bbox_files=_all_of(entries, 'bbox_file'),
            box_nms=options.box_nms,
            metrics={
                name: defined(name, value) for name, value in metrics.items()
            },
        ),
        model=Path(options.config.rpartition('::')[2]).stem,
        data=metainfo_of(dataset)['dataset_name'],
        attack='+'.join(attacks) or CLEAN,
    )
    print_log(f'Wrote {path}', 'current')
    return path


def defined(name: str, value: Any) -> Any:
    """A metric's value; None for COCOeval's -1, which means undefined.

    >>> defined('coco/AP (M)', -1.0), defined('EPE', -1.0)
    (None, -1.0)
    """
    return None if _COCO.search(name) and value == -1 else value


def _all_of(entries: Sequence[Mapping], key: str) -> list[str]:
    return [entry[key] for entry in entries if entry.get(key)]
