"""From the store to a benchmark run as the analysis takes it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_topdown.ground_truth import (
    from_arrays,
    joints_from,
)

from .data import Attacked, BenchmarkRun, Predictions
from .store import CLEAN, BlockResult, RunStore, open_runs


def load_runs(folder: str | Path) -> list[BenchmarkRun]:
    """All runs in a benchmark's folder that are complete, with all attacks
    that are.

    Args:
        folder: The ``--out`` of ``tools/occlusion_benchmark.py``.

    Returns:
        In the order of the models' names, then of their keys.

    Raises:
        UsageError: There is none, or a file is damaged.
    """
    stores = [store for store in open_runs(folder) if _has_clean(store)]
    if not stores:
        raise UsageError(
            f'no benchmark in folder "{folder}" is complete: run its command '
            'again, which goes on where it was'
        )
    stores.sort(key=lambda store: (store.info['model'], store.info['key']))
    return [load_run(store) for store in stores]


def _has_clean(store: RunStore) -> bool:
    return CLEAN in store.complete()


def load_run(
    store: RunStore, names: Sequence[str] | None = None
) -> BenchmarkRun:
    """One run.

    Args:
        store: Its part of a folder.
        names: Of the attacks that are wanted, in this order; all that are
            complete by default.

    Raises:
        UsageError: A wanted one, or the clean run, is not complete.
    """
    info = store.info
    boxes, people = from_arrays(store.people())
    listed = store.attacks
    complete = store.complete()
    if names is None:
        listed = [a for a in listed if a['key'] in complete]
    else:
        by_name = {attack['name']: attack for attack in listed}
        listed = [by_name[name] for name in names]
    _check_complete(store, complete, listed)
    found = store.read([CLEAN, *(a['key'] for a in listed)])
    blocks = [found[block.number] for block in store.blocks]
    clean = Predictions(
        np.concatenate([block[CLEAN].keypoints for block in blocks]),
        np.concatenate([block[CLEAN].scores for block in blocks]),
    )
    return BenchmarkRun(
        model=info['model'],
        data=info['data'],
        joints=joints_from(info['joints']),
        boxes=boxes,
        people=people,
        evaluation=info['evaluation'],
        crop_size=(info['crop_size'][0], info['crop_size'][1]),
        clean=clean,
        attacks=[
            _attacked(attack, [b[attack['key']] for b in blocks], clean)
            for attack in listed
        ],
        seed=info['seed'],
        run=dict(store.last, key=info['key'], depends_on=info['depends_on']),
    )


def _check_complete(
    store: RunStore, complete: Collection[str], listed: Sequence[Mapping]
) -> None:
    wanted = [('clean', CLEAN), *((a['name'], a['key']) for a in listed)]
    lacking = [name for name, key in wanted if key not in complete]
    if lacking:
        raise UsageError(
            f'{len(lacking)} of {len(wanted)} parts of the benchmark in '
            f'"{store.path}" are not complete ("{lacking[0]}" is one): run '
            'its command again, which goes on where it was'
        )


def _attacked(
    attack: Mapping[str, Any],
    results: Sequence[BlockResult],
    clean: Predictions,
) -> Attacked:
    changed = np.concatenate([r.changed for r in results])
    keypoints = clean.keypoints.copy()
    scores = clean.scores.copy()
    keypoints[changed] = np.concatenate([r.keypoints for r in results])
    scores[changed] = np.concatenate([r.scores for r in results])
    configs = attack['configs']
    return Attacked(
        name=attack['name'],
        suite=attack['suite'],
        config=configs[0] if len(configs) == 1 else configs,
        details=attack['details'],
        predictions=Predictions(keypoints, scores),
        changed=changed,
        excluded=np.concatenate([r.excluded for r in results]),
        targets=np.concatenate([r.hidden for r in results]),
        bystanders=np.zeros((len(changed), keypoints.shape[1]), bool),
        pixels=np.concatenate([r.pixels for r in results]).astype(np.int64),
    )
