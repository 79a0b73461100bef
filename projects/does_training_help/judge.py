"""What one trained model can do: numbers with every resampled set of images.

All are the package's own measures. Every model is resampled alike, so that
differences between models are paired by image.
"""

import numpy as np

from mmpose_occlusion.benchmark.analysis.attack_costs import SWAP, error_types
from mmpose_occlusion.benchmark.analysis.comparisons import (
    location_leaks,
    severity_curves,
)
from mmpose_occlusion.benchmark.analysis.run_measures import (
    OCCLUDED,
    VISIBLE,
    PredictionMeasures,
    RunMeasures,
)
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.confidence import CONFIDENT

PAINTS = ('object', 'black', 'blur')


def measured(run: BenchmarkRun, draws: int) -> dict[str, np.ndarray]:
    """Measure -> ``(1 + B,)`` values, and the ids of the people.

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
    mean, labelled = measures.mean, measures.labelled
    clean = measures.clean_predictions
    out = {name: measures.all_people[name] for name in ('AP', 'AR')}
    for flag in (OCCLUDED, VISIBLE):
        mask = labelled & (run.boxes.visible == flag)
        out[f'OKS v={flag}'] = mean(clean.similar, mask)
    out |= joint_measures(measures, clean, labelled)
    groups: dict[str, list] = {}
    for attack in run.attacks:
        groups.setdefault(attack.details['question'], []).append(attack)
    curves = severity_curves(measures)
    for paint in ('', *PAINTS):
        mine = [
            c.points for c in curves if paint in c.paint and c.target != 'mean'
        ]
        values = np.mean([np.mean(p[1:], axis=0) for p in mine], axis=0)
        base = np.mean([points[0] for points in mine], axis=0)
        out[f'rPC {paint}'.strip()] = values / base
    for place in ('on_person', 'off_person'):
        falls = []
        for attack in groups[place]:
            seen = labelled & attack.changed[:, None] & ~attack.hidden
            under = measures.under(attack)
            before, after = (p.joint_values['OKS50'] for p in (clean, under))
            falls.append(mean(before - after, seen))
        out[f'drop {place}'] = np.mean(falls, axis=0)
    hidden = [
        joint_measures(
            measures,
            measures.under(attack),
            attack.targets & attack.changed[:, None] & labelled,
        )
        for attack in groups['cost']
        if 'object' in attack.name and attack.details['severity'] == 0.2
    ]
    for name in hidden[0]:
        each = [found[name] for found in hidden]
        out[f'{name} hidden'] = np.mean(each, axis=0)
    (decoy,) = (x for x in location_leaks(measures) if x.discs == 'decoy')
    out['decoy'] = decoy.net
    arrays = {name: np.float32(values) for name, values in out.items()}
    return arrays | {'instance_ids': run.boxes.instance_ids}


def joint_measures(
    measures: RunMeasures, found: PredictionMeasures, mask: np.ndarray
) -> dict[str, np.ndarray]:
    """``OKS50``, ``confident wrong`` and ``swaps`` of the joints of a mask."""
    wrong = found.joint_values['OKS50'] == 0
    sure = wrong & (found.predictions.scores > CONFIDENT)
    rates = {'OKS50': ~wrong, 'confident wrong': sure}
    rates['swaps'] = error_types(found) == SWAP
    return {name: measures.mean(each, mask) for name, each in rates.items()}
