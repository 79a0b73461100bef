"""The options of tools/test.py, applied to a config."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.runner import Runner

from mmpose_occlusion.engine import config, data_files, insertion
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import write_json

_SHARED = (
    *('ann_file', 'use_area', 'score_mode', 'keypoint_score_thr'),
    *('nms_mode', 'nms_thr'),
)
"""Arguments that the added metrics take from the config's CocoMetric."""


def configure_test(cfg: Config, options: Any) -> str:
    """Change a config as MMPose's test tool does, and insert attacks, whose
    names are returned. The checkpoint is not set: the tool loads it."""
    if options.out:
        check_out(options.out)
    config.prepare_run(cfg, options.work_dir)
    cfg.load_from, cfg.resume = None, False
    attacks = insertion.read_attacks(cfg, options.attack)
    if options.gt_boxes:
        insertion.use_gt_boxes(cfg)
    data_files.check_data_files(
        cfg, 'test', skip_unreadable=options.skip_unreadable
    )
    if options.box_nms is not None:
        insertion.match_boxes(cfg, options.box_nms)
    shown = bool(options.show_dir or options.show)
    names = insertion.attack_config(
        cfg, attacks, options.attack_seed, keep_images=shown
    )
    hook = dict(type='AttackedCropsHook', names=names)
    hook.update(out_dir=options.show_dir, interval=options.interval)
    hook.update(show=options.show, wait_time=options.wait_time)
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    per_keypoint, added = _per_keypoint(cfg), []
    if options.per_keypoint:
        added.append(per_keypoint)
    if options.per_keypoint_paper:
        added.append(dict(per_keypoint, paper_exact=True, prefix='paper'))
    if options.dump:
        added.append(dict(type='DumpResults', out_file_path=options.dump))
    if added:
        evaluator = cfg.test_evaluator
        metrics = [evaluator] if isinstance(evaluator, Mapping) else evaluator
        cfg.test_evaluator = [*metrics, *added]
    return '+'.join(names) or 'clean'


@master_only
def write_metrics(
    runner: Runner, options: Any, attack: str, metrics: Mapping[str, float]
) -> None:
    """Write a new file ``WORK_DIR/ATTACK_TIME.json``: options and metrics, of
    which COCOeval's -1 is null, undefined."""
    name = re.sub(r'[^\w.+=-]+', '-', attack)[:100]
    path = Path(runner.work_dir, f'{name}_{runner.timestamp}.json')
    known = {k: None if v == -1 else v for k, v in metrics.items()}
    write_json(path, dict(vars(options), attack=attack, metrics=known))


def check_out(path: str) -> None:
    """Check the file of the metrics before hours of computing; only metrics
    in JSON are known as ours and replaced."""
    if not path.endswith(('.json', '.pkl', '.pickle')):
        raise UsageError(f'--out "{path}" must be a .json or .pkl file')
    try:
        found = dict(json.loads(Path(path).read_bytes()))
        sum(found.values())
    except FileNotFoundError:
        return
    except (OSError, TypeError, ValueError) as error:
        raise UsageError(
            f'--out "{path}" exists and does not hold metrics in JSON: give '
            'another name, or move it'
        ) from error


def _per_keypoint(cfg: Config) -> dict:
    """The metric with the scoring and NMS of the config's CocoMetric."""
    metrics = [m for _, m in config.walk_metrics(cfg.get('test_evaluator'))]
    coco = [m for m in metrics if config.type_name(m) == 'CocoMetric'] or [{}]
    given = {key: coco[0][key] for key in _SHARED if key in coco[0]}
    return {'type': 'PerKeypointMetric', **given}
