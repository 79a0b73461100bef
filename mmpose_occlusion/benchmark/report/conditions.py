"""The conditions under which a run's numbers were measured, in one line.

They stand beside every table, and in a column of every CSV file.
"""

from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.data import UNMATCHED, BenchmarkRun

_PACKAGES = ('mmpose_occlusion', 'mmpose', 'torch', 'onnxruntime')


def suite_checksums(run: BenchmarkRun) -> dict[str, str]:
    """Suite -> checksum, empty where it is unknown or has none."""
    return {attack.suite: attack.checksum for attack in run.attacks}


def conditions(analysis: Analysis) -> dict[str, str]:
    """What -> how, in words; what is unknown is left out."""
    run, how = analysis.run, analysis.run.evaluation
    width, height = run.crop_size
    out = dict(boxes=_boxes(run))
    flip = _flip_test(run.run)
    if flip is not None:
        out['flip test'] = 'yes' if flip else 'no'
    if how.get('frame') != 'image':  # whose models have sizes of their own
        out['input'] = f'{width}x{height}'
    if 'score_mode' in how:
        out['pose score'] = str(how['score_mode'])
    if 'nms_mode' in how:
        out['NMS'] = f'{how["nms_mode"]} {how.get("nms_thr", "")}'.strip()
    out['people'] = f'{analysis.people:,} in {analysis.images:,} images'
    suites = suite_checksums(run).items()
    if suites:
        out['suites'] = ', '.join(
            f'{name} ({digest})' if digest else name for name, digest in suites
        )
    versions = run.run.get('versions', {})
    known = [f'{p} {versions[p]}' for p in _PACKAGES if p in versions]
    if known:
        out['versions'] = ', '.join(known)
    return out


def conditions_line(analysis: Analysis) -> str:
    """The conditions in one line."""
    found = conditions(analysis)
    return '; '.join(f'{what}: {how}' for what, how in found.items())


def _boxes(run: BenchmarkRun) -> str:
    boxes = run.boxes
    same = np.allclose(boxes.boxes, boxes.person_boxes, atol=0.01)
    alone = UNMATCHED not in boxes.instance_ids
    return 'annotated' if alone and same else 'detected'


def _flip_test(facts: Any) -> bool | None:
    """Whether predictions are the mean of a crop and its mirror image."""
    for key in ('depends_on', 'config', 'model', 'test_cfg', 'flip_test'):
        if not isinstance(facts, dict):
            return None
        facts = facts.get(key)
    return facts if isinstance(facts, bool) else None
