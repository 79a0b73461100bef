"""A page with the occlusions of a config's crops."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import check_replaceable, write_text
from mmpose_occlusion.hooks.attacked_crops import outcomes, summarize
from mmpose_occlusion.visualization import PoseStyle, gallery

from .config import load_config, metainfo_of
from .crops import crop_dataset, views
from .data_files import check_data_files
from .insertion import read_attacks, use_gt_boxes
from .pipelines import attack_name

PAGE = 'gallery.html'


def browse(
    config: str | Path,
    out: str | Path,
    *,
    split: str = 'train',
    attacks: Sequence[str] = (),
    num: int = 24,
    seed: int = 0,
    gt_boxes: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
    skip_unreadable: bool = False,
) -> tuple[Path, list[str]]:
    """Write a page with random crops of a config's data, clean and occluded,
    and every record.

    Args:
        config: File, or one of a package as ``mmpose::PATH``.
        out: Folder of the page.
        split: Data and pipeline: train, val or test.
        attacks: Short forms, which act on each crop in this order; by default
            the pipeline's own occlusions are shown.
        num: Number of crops.
        seed: Of all random draws.
        gt_boxes: Use annotated bboxes instead of a detector's.
        cfg_options: Dotted keys of the config -> values.
        skip_unreadable: Leave out images that cannot be read.

    Returns:
        Path of the page, and a line for each occlusion that says how many
        crops it changed.

    Raises:
        UsageError: A file is missing, an attack does not fit, or there is
            nothing to be seen.
    """
    check_replaceable(out, [PAGE])
    cfg = load_config(str(config), cfg_options)
    configs = read_attacks(cfg, attacks)
    if gt_boxes:
        use_gt_boxes(cfg, split)
    cfg.work_dir = str(out)
    check_data_files(cfg, split, False, skip_unreadable)
    dataset = crop_dataset(cfg, split, configs, seed)
    if not len(dataset):
        raise UsageError(f'the {split} data of "{config}" is empty')
    shown = sorted(  # changed crops first, unmatched boxes last
        views(dataset, num, seed),
        key=lambda view: (not view.is_changed, not view.labelled.any()),
    )
    names = [attack_name(each) for each in configs]
    records = [view.records for view in shown]
    counts = summarize(
        [outcomes(each) for each in records],
        names or _own_names(records),
        'Attack ' if names else '',
    )
    title = ' + '.join(names) or "the pipeline's own occlusions"
    metainfo = metainfo_of(cfg[f'{split}_dataloader']['dataset'])
    page = gallery(
        shown,
        PoseStyle.from_metainfo(metainfo),
        f'{title}, {split} data',
        [Path(config).name, *counts],
        shlex.join(['python', *sys.argv]),
    )
    Path(out).mkdir(parents=True, exist_ok=True)
    return write_text(Path(out, PAGE), page), counts


def _own_names(crops: Sequence[Sequence[Mapping]]) -> list[str]:
    """Classes of the occlusions of a pipeline."""
    found = {r['call']: r['transform'] for crop in crops for r in crop}
    calls = range(1 + max(found, default=-1))
    return [found.get(call, 'occlusion') for call in calls]
