"""One data set loaded in a process of its own; prints a line of JSON.

    python tools/benchmarks/_load_job.py VARIANT FOLDER SAMPLES

``scale.py`` starts it, once for each variant and round. The pictures that
the annotations name are not there: a file backend of this process gives the
same one for any path.
"""

import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'
os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

VARIANTS = {
    'plain': "MMPose's CocoDataset",
    'occlusion': 'KeypointOcclusion in its pipeline',
    'donors': 'PartMix, inside DonorDataset',
    'views': 'both of these as views, OcclusionViewsDataset',
    'boxes': "MMPose's CocoDataset, boxes of a detector",
    'matched': 'DetectionMatchedDataset and KeypointOcclusion',
}
"""Name -> what is loaded; the last two are of a test set."""

WORKERS = 4
BATCH = 16
COLLECT_EVERY = 64
"""Samples between two full garbage collections in a worker."""

HRNET = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)


def dataset_config(variant: str, folder: str) -> dict:
    """MMPose's own training or test set of HRNet, and what is around it."""
    from mmengine.hub import get_config

    split = 'test' if variant in ('boxes', 'matched') else 'train'
    config = get_config(HRNET)[f'{split}_dataloader'].dataset.to_dict()
    config['data_root'] = folder
    config['ann_file'] = f'{split}.json'
    if split == 'test':
        config['bbox_file'] = f'{folder}/boxes.json'
    same = dict(backend='same')
    steps = config['pipeline']
    steps[0] = dict(type='LoadImage', backend_args=same)
    steps.insert(0, dict(type='CollectNow'))
    at = [step['type'] for step in steps].index('TopdownAffine') + 1
    keypoint = dict(type='KeypointOcclusion', prob=0.5)
    partmix = dict(type='PartMix', prob=0.5, backend_args=same)
    if variant == 'occlusion':
        steps.insert(at, keypoint)
    elif variant == 'donors':
        steps.insert(at, partmix)
        config = dict(type='DonorDataset', dataset=config)
    elif variant == 'views':
        config = dict(
            type='OcclusionViewsDataset',
            dataset=dict(type='DonorDataset', dataset=config),
            views=dict(keypoint_view=[keypoint], part_view=[partmix]),
        )
    elif variant == 'matched':
        steps.insert(at, keypoint)
        config = dict(type='DetectionMatchedDataset', dataset=config)
    return config


def register_helpers() -> None:
    """The picture for any path, and the collections in a worker."""
    import cv2
    import numpy as np
    from mmcv.transforms import BaseTransform
    from mmengine.fileio import BaseStorageBackend, register_backend
    from mmpose.registry import TRANSFORMS

    noise = np.random.default_rng(0).integers(256, size=(24, 32, 3))
    image = cv2.resize(noise.astype(np.uint8), (640, 480))
    content = cv2.imencode('.jpg', image)[1].tobytes()

    class Same(BaseStorageBackend):
        def get(self, filepath):
            return content

        def get_text(self, filepath):
            raise NotImplementedError

    register_backend('same', Same)

    class CollectNow(BaseTransform):
        """As happens in a long training sooner or later: a collection looks
        at every object of Python's, and so copies the pages they are on."""

        def __init__(self):
            self.count = 0

        def transform(self, results):
            self.count += 1
            if self.count % COLLECT_EVERY == 0:
                gc.collect()
            return results

    TRANSFORMS.register_module(module=CollectNow)


def unique_bytes(pid: int | str = 'self') -> int | None:
    """Unique set size of a process: pages that nobody shares with it."""
    file = Path(f'/proc/{pid}/smaps_rollup')
    if not file.is_file():
        return None
    fields = dict(
        line.split(':', 1) for line in file.read_text().splitlines()[1:]
    )
    names = ('Private_Clean', 'Private_Dirty')
    return sum(int(fields[name].split()[0]) * 1024 for name in names)


def resident_bytes() -> int | None:
    """Memory of this process now."""
    file = Path('/proc/self/statm')
    if not file.is_file():
        return None
    return int(file.read_text().split()[1]) * resource.getpagesize()


def measure(variant: str, folder: str, samples: int) -> dict:
    """Load, then have workers make ``samples`` samples each.

    Returns:
        ``load_s`` and ``load_cpu_s``; ``resident`` and ``peak`` bytes of the
        process then; ``count`` of samples in the data set; ``workers``,
        unique bytes of each (empty where the system does not tell);
        ``import_s``.
    """
    start = time.perf_counter()
    from mmpose.registry import DATASETS
    from mmpose.utils import register_all_modules

    register_all_modules()
    if variant not in ('plain', 'boxes'):
        import mmpose_occlusion  # noqa: F401
    imported = time.perf_counter() - start
    register_helpers()
    config = dataset_config(variant, folder)
    gc.collect()
    before = resident_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    dataset = DATASETS.build(config)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    gc.collect()
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    now = resident_bytes()
    return dict(
        import_s=imported,
        load_s=wall,
        load_cpu_s=cpu,
        resident=None if now is None else now - before,
        peak=usage * (1 if sys.platform == 'darwin' else 1024),
        count=len(dataset),
        workers=workers_memory(dataset, samples) if samples else [],
    )


def workers_memory(dataset, samples: int) -> list[int]:
    """Unique bytes of each worker after it has made ``samples`` samples."""
    import torch
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader

    torch.set_num_threads(1)
    if unique_bytes() is None:
        return []
    loader = DataLoader(
        dataset,
        batch_size=BATCH,
        shuffle=True,
        num_workers=WORKERS,
        collate_fn=pseudo_collate,
        multiprocessing_context='fork',
        generator=torch.Generator().manual_seed(0),
    )
    batches = iter(loader)
    for _ in range(min(samples * WORKERS // BATCH, len(loader) - WORKERS)):
        next(batches)
    return [unique_bytes(worker.pid) for worker in batches._workers]


if __name__ == '__main__':
    name, where, number = sys.argv[1:]
    print(json.dumps(measure(name, where, int(number))))
