"""What one trained model can do: numbers with every resampled set of images.

All are the package's own measures. Every model is resampled alike, so that
differences between models are paired by image.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis.attack_costs import SWAP, error_types
from mmpose_occlusion.benchmark.analysis.bootstrap import weighted_mean
from mmpose_occlusion.benchmark.analysis.comparisons import (
    location_leaks,
    severity_curves,
)
from mmpose_occlusion.benchmark.analysis.run_measures import (
    OCCLUDED,
    VISIBLE,
    RunMeasures,
)
from mmpose_occlusion.benchmark.api import run_benchmark
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.files import write_bytes

SUITE = Path(__file__).parent / 'suite.json'
DRAWS = 1000
PAINTS = ('object', 'black', 'blur')


def judge(
    config: Path, checkpoint: Path, folder: Path, draws: int = DRAWS
) -> dict[str, np.ndarray]:
    """Predict the people without and with the attacks of the suite, into a
    folder, and measure on B = ``draws`` resampled sets of images."""
    options = dict(out=folder, suites=[str(SUITE)], gt_boxes=True)
    options |= dict(num_workers=0, threads=1)
    options['trust_checkpoint'] = True  # this process's own
    found = run_benchmark(config, checkpoint, **options)
    return measured(found.runs[0], draws)


def measured(run: BenchmarkRun, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """Measure -> ``(1 + B,)`` values, and the clean predictions.

    ``AP``, ``AR``: all people, clean. ``OKS v=1``, ``OKS v=2``: mean
    per-keypoint OKS of joints that are occluded in the images, and of visible
    ones. ``rPC PAINT``: of the suite, by paint, and ``rPC`` over all of them.
    ``drop on_person``, ``drop off_person``: mean fall of OKS50 of the joints
    that stay visible by an object of 10 % elsewhere on the person and off it.
    ``decoy``: net fraction of predictions that a black decoy attracts. Clean,
    and ``hidden``, of the joints under objects of 20 %: ``OKS50``,
    ``confident wrong`` (fraction of labelled joints that are wrong with a
    score above .3) and ``swaps`` (joints at the place of the other side).
    """
    measures = RunMeasures(run, draws, measure='AP')
    labelled = measures.labelled
    clean = measures.clean_predictions
    out = {name: measures.all_people[name] for name in ('AP', 'AR')}

    def mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        weights, image = measures.weights, measures.image
        return weighted_mean(weights, image, values.astype(float), mask)

    for flag in (OCCLUDED, VISIBLE):
        mask = labelled & (run.boxes.visible == flag)
        out[f'OKS v={flag}'] = mean(clean.similar, mask)
    out |= _joint_measures('', clean, labelled, mean)
    groups: dict[str, list] = {}
    for attack in run.attacks:
        groups.setdefault(attack.details['question'], []).append(attack)
    curves = severity_curves(measures, groups['cost'])
    for paint in ('', *PAINTS):
        mine = [c for c in curves if paint in c.paint]
        steps = [c for c in mine if c.target != 'mean']
        means = [np.mean(c.points[1:], axis=0) for c in steps]
        values = np.mean(means, axis=0)
        base = np.mean([c.points[0] for c in steps], axis=0)
        out[f'rPC {paint}'.strip()] = values / base
    for place in ('on_person', 'off_person'):
        falls = [_fall(measures, attack, mean) for attack in groups[place]]
        out[f'drop {place}'] = np.mean(falls, axis=0)
    each = []
    for attack in groups['cost']:
        if 'object' in attack.name and attack.details['severity'] == 0.2:
            mask = attack.targets & attack.changed[:, None] & labelled
            under = measures.under(attack)
            each.append(_joint_measures(' hidden', under, mask, mean))
    out |= {name: np.mean([e[name] for e in each], axis=0) for name in each[0]}
    for leak in location_leaks(measures):
        if leak.discs == 'decoy':
            out['decoy'] = leak.net
    arrays = {k: np.asarray(v, np.float32) for k, v in out.items()}
    arrays['keypoints'] = run.clean.keypoints.astype(np.float32)
    arrays['scores'] = run.clean.scores.astype(np.float16)
    arrays['instance_ids'] = run.boxes.instance_ids
    return arrays


def _joint_measures(
    suffix: str, found: Any, mask: np.ndarray, mean: Any
) -> dict[str, np.ndarray]:
    wrong = found.joint_values['OKS50'] == 0
    sure = wrong & (found.predictions.scores > 0.3)
    return {
        f'OKS50{suffix}': mean(~wrong, mask),
        f'confident wrong{suffix}': mean(sure, mask),
        f'swaps{suffix}': mean(error_types(found) == SWAP, mask),
    }


def _fall(measures: RunMeasures, attack: Any, mean: Any) -> np.ndarray:
    """Fall of OKS50 of the joints that stay visible, by one attack."""
    mask = measures.labelled & attack.changed[:, None] & ~attack.hidden
    under, clean = measures.under(attack), measures.clean_predictions
    before, after = (p.joint_values['OKS50'] for p in (clean, under))
    return mean(before - after, mask)


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """A compressed file, complete or not there."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_bytes(path, stream.getvalue())
