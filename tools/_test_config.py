"""The options of tools/test.py, applied to a config, and its result file."""

import itertools
import json
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmpose_occlusion.engine import config, data_files, insertion
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import write_json

_SHARED = (
    *('ann_file', 'use_area', 'score_mode', 'keypoint_score_thr'),
    *('nms_mode', 'nms_thr'),
)
"""Arguments that the added metrics take from the config's CocoMetric."""

CLEAN = 'clean'
"""Name of the attack in a run without one."""

_COCO = re.compile(r'(^|/)A[PR]\b')
_LONGEST = 72


def configure_test(cfg: Config, options: Any) -> list[str]:
    """Change a config as MMPose's test tool does, and insert attacks, whose
    names are returned. The checkpoint is not set: the tool loads it."""
    if options.out:
        check_out(options.out)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    config.set_work_dir(cfg, options.config, options.work_dir)
    config.name_visualizer(cfg)
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
    hooks = [dict(type='OcclusionSummaryHook', names=names)]
    if shown:
        hooks.append(
            dict(
                type='OcclusionVisualizationHook',
                out_dir=options.show_dir,
                name='+'.join(names) or CLEAN,
                interval=options.interval,
                show=options.show,
                wait_time=options.wait_time,
            )
        )
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), *hooks]
    if options.per_keypoint:
        _add_metric(cfg, _per_keypoint(cfg))
    if options.per_keypoint_paper:
        paper = dict(paper_exact=True, prefix='paper')
        _add_metric(cfg, dict(_per_keypoint(cfg), **paper))
    if options.dump:
        if not options.dump.endswith(('.pkl', '.pickle')):
            raise UsageError(f'--dump "{options.dump}" must be a .pkl file')
        _add_metric(cfg, dict(type='DumpResults', out_file_path=options.dump))
    return names


def check_out(path: str) -> None:
    """Check the file of the metrics before hours of computing; only metrics
    in JSON are known as ours and replaced."""
    if not path.endswith(('.json', '.pkl', '.pickle')):
        raise UsageError(f'--out "{path}" must be a .json or .pkl file')
    if not Path(path).exists():
        return
    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(value, int | float) for value in found.values()
    ):
        raise UsageError(
            f'--out "{path}" exists and does not hold metrics in JSON: give '
            'another name, or move it'
        )


def _per_keypoint(cfg: Config) -> dict:
    """The metric with the scoring and NMS of the config's CocoMetric."""
    metrics = [metric for _, metric in config.walk_metrics(cfg.test_evaluator)]
    coco = [m for m in metrics if config.type_name(m) == 'CocoMetric'] or [{}]
    given = {key: coco[0][key] for key in _SHARED if key in coco[0]}
    return {'type': 'PerKeypointMetric', **given}


def _add_metric(cfg: Config, metric: dict) -> None:
    evaluator = cfg.test_evaluator
    metrics = [evaluator] if isinstance(evaluator, Mapping) else [*evaluator]
    if any('metrics' in each for each in metrics):
        raise UsageError(
            f'{metric["type"]} cannot be added to the evaluator of several '
            f'data sets of config "{cfg.filename}": test on one data set, '
            'with --cfg-options test_evaluator._delete_=True '
            'test_evaluator.type=CocoMetric'
        )
    cfg.test_evaluator = [*metrics, metric]


@master_only
def write_metrics(
    cfg: Config, options: Any, attacks: list[str], metrics: Mapping[str, float]
) -> None:
    """Write metrics and facts about the run into a new file in the work
    dir."""
    datasets = [dataset for _, dataset in config.walk_split(cfg, 'test')]
    facts = dict(
        model=Path(options.config.rpartition('::')[2]).stem,
        data=config.metainfo_of(datasets[0])['dataset_name'],
        attack='+'.join(attacks) or CLEAN,
        time=datetime.now().isoformat(timespec='seconds'),
    )
    for name in ('config', 'checkpoint', 'cfg_options', 'attack_seed'):
        facts[name] = getattr(options, name)
    for key in ('ann_file', 'bbox_file'):
        facts[f'{key}s'] = [each[key] for each in datasets if each.get(key)]
    facts['box_nms'] = options.box_nms
    facts['metrics'] = {k: defined(k, v) for k, v in metrics.items()}
    print_log(f'Wrote {write_result(cfg.work_dir, facts)}', 'current')


def defined(name: str, value: Any) -> Any:
    """A metric's value; None for COCOeval's -1, which means undefined.

    >>> defined('coco/AP (M)', -1.0), defined('EPE', -1.0)
    (None, -1.0)
    """
    return None if _COCO.search(name) and value == -1 else value


def write_result(folder: str | Path, facts: Mapping[str, Any]) -> Path:
    """Write a new file ``FOLDER/MODEL_DATA_ATTACK_TIME.json``; if there is
    such a file already, a number is added to its name."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    words = [_word(facts[name]) for name in ('model', 'data', 'attack')]
    time = re.sub('[-:]', '', facts['time']).replace('T', '_')
    stem = '_'.join([*words, time])
    for number in itertools.count(1):
        path = Path(folder, f'{stem}{f"_{number}" * (number > 1)}.json')
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            break
    return write_json(path, facts)


def _word(text: str) -> str:
    """Text in a form for file names; different texts stay different."""
    word = re.sub(r'[^\w.+=,-]+', '-', text).strip('-.') or 'unnamed'
    if len(word) <= _LONGEST:
        return word
    return f'{word[: _LONGEST - 9]}-{zlib.crc32(text.encode()):08x}'
