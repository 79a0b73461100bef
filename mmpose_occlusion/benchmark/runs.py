"""Complete runs, read from the store into the arrays of the analysis."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .data import Attacked, BenchmarkRun, Joints, Predictions, from_arrays
from .store import CLEAN, BlockResult, RunStore, open_runs, optional_arrays

_PER_CROP = ('changed', 'excluded', 'targets', 'bystanders', 'pixels')


def load_runs(folder: str | Path) -> list[BenchmarkRun]:
    """All runs of a benchmark's folder that are complete without an attack,
    each with the attacks that are complete.

    Args:
        folder: The ``--out`` of ``occlusion-benchmark``.

    Returns:
        Sorted by model name, then by key.

    Raises:
        UsageError: There is none, or a file is damaged.
    """
    stores = [s for s in open_runs(folder) if CLEAN in s.complete()]
    if not stores:
        raise UsageError(
            f'no benchmark in folder "{folder}" is complete: run its command '
            'again, which resumes it'
        )
    stores.sort(key=lambda store: (store.info['model'], store.info['key']))
    return [load_run(store) for store in stores]


def load_run(
    store: RunStore, names: Sequence[str] | None = None
) -> BenchmarkRun:
    """One run.

    Args:
        store: Its part of a benchmark's folder.
        names: Names of the attacks to load, in this order; by default all
            that are complete.

    Raises:
        UsageError: One of them, or the clean run, is incomplete.
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
    clean = Predictions(**_joined([block[CLEAN] for block in blocks]))
    return BenchmarkRun(
        model=info['model'],
        data=info['data'],
        joints=Joints.from_json(info['joints']),
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
        dataset=info.get('dataset', {}),
    )


def _check_complete(
    store: RunStore, complete: Collection[str], listed: Sequence[Mapping]
) -> None:
    wanted = [('clean', CLEAN), *((a['name'], a['key']) for a in listed)]
    missing = [name for name, key in wanted if key not in complete]
    if missing:
        raise UsageError(
            f'{len(missing)} of {len(wanted)} parts of the benchmark in '
            f'"{store.path}" are incomplete, for example "{missing[0]}": run '
            'its command again, which resumes it'
        )


def _attacked(
    attack: Mapping[str, Any],
    results: Sequence[BlockResult],
    clean: Predictions,
) -> Attacked:
    columns = {
        name: np.concatenate([getattr(r, name) for r in results])
        for name in _PER_CROP
    }
    columns['pixels'] = columns['pixels'].astype(np.int64)
    predicted = {
        name: array.copy()
        for name, array in vars(clean).items()
        if array is not None
    }
    for name, array in _joined(results).items():
        if name in predicted:
            predicted[name][columns['changed']] = array
    configs = attack['configs']
    return Attacked(
        name=attack['name'],
        suite=attack['suite'],
        config=configs[0] if len(configs) == 1 else configs,
        details=attack['details'],
        predictions=Predictions(**predicted),
        checksum=attack.get('checksum', ''),
        **columns,
    )


def _joined(results: Sequence[BlockResult]) -> dict[str, np.ndarray]:
    """The arrays of :class:`.data.Predictions`."""
    return {
        name: np.concatenate([getattr(r, name) for r in results])
        for name in ('keypoints', 'scores')
    } | optional_arrays(results)
