"""What BatchOcclusion costs per crop, beside the transform in the pipeline.

The same synthetic people, the same occlusion, in turn in one run: medians of
the processor's time per crop (of a GPU's time on the wall), and their ratio
(above 1: the batch is faster). The
transform gets uint8 crops, the batch is normalised float32, as in training.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
FILLS = ('black', 'grey', 'mean', 'blur')


def parse_args() -> argparse.Namespace:
    """What to measure, and where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument('--batch-size', type=int, default=64, metavar='N')
    parser.add_argument('--rounds', type=int, default=21, metavar='N')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1, metavar='N')
    return parser.parse_args()


def make_crops(count: int) -> list[dict]:
    """``results`` of crops of synthetic people, before packing."""
    from mmengine.dataset import Compose
    from mmpose.datasets import CocoDataset
    from mmpose.registry import TRANSFORMS

    from mmpose_occlusion.datasets.synthetic_people import generate

    with tempfile.TemporaryDirectory() as folder:
        generate(folder, train=count, val=1, workers=0)
        data = CocoDataset(
            data_root=folder,
            ann_file='annotations/person_keypoints_train.json',
            data_prefix=dict(img='train/'),
            pipeline=[],
        )
        steps = Compose(
            [
                TRANSFORMS.build(step)
                for step in (
                    dict(type='LoadImage'),
                    dict(type='GetBBoxCenterScale'),
                    dict(type='TopdownAffine', input_size=(192, 256)),
                )
            ]
        )
        return [
            steps(dict(data.get_data_info(i), dataset=data))
            for i in range(min(count, len(data)))
        ]


def timed(work: Callable, *args: object, device: str = 'cpu') -> float:
    """Seconds: of the processor, which other work on the machine spoils
    less; of a GPU's clock on the wall."""
    import torch

    clock = time.process_time if device == 'cpu' else time.perf_counter
    start = clock()
    work(*args)
    if device != 'cpu':
        torch.cuda.synchronize()
    return clock() - start


def each_of(transform: Callable, crops: list[dict]) -> None:
    """The pipeline's way."""
    for crop in crops:
        transform(crop)


def measure(args: argparse.Namespace) -> None:
    """Print a table."""
    import cv2
    import torch
    from mmpose.datasets.transforms import PackPoseInputs
    from mmpose.registry import MODELS, TRANSFORMS

    import mmpose_occlusion  # noqa: F401 (registers all)

    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    crops = make_crops(args.batch_size)
    pack = PackPoseInputs(pack_transformed=True)
    packed = [pack(dict(crop)) for crop in crops]
    samples = [each['data_samples'] for each in packed]
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, STD))
    inputs = torch.stack([each['inputs'] for each in packed])[:, [2, 1, 0]]
    batch = ((inputs - mean) / std).to(args.device)
    print(
        f'{len(crops)} crops of 256×192, {args.threads} thread(s), batch on '
        f'{args.device}; µs per crop\n'
        '| occlusion | fill | transform | batch | ratio |\n'
        '|---|---|--:|--:|--:|'
    )
    for kind in ('KeypointOcclusion', 'PartOcclusion'):
        for fill in FILLS:
            config = dict(type=kind, fill=fill, inplace=True)
            one = TRANSFORMS.build(config)
            all_ = MODELS.build(
                dict(
                    type='BatchOcclusion',
                    occlusion=config,
                    mean=MEAN,
                    std=STD,
                    bgr_to_rgb=True,
                )
            )
            times: tuple[list, list] = ([], [])
            for _ in range(args.rounds):
                copies = [dict(c, img=c['img'].copy()) for c in crops]
                times[0].append(timed(each_of, one, copies))
                fresh = batch.clone()
                times[1].append(
                    timed(all_, fresh, samples, device=args.device)
                )
            single, batched = (
                statistics.median(t) / len(crops) * 1e6 for t in times
            )
            print(
                f'| `{kind}` | {fill} | {single:.0f} | {batched:.0f} | '
                f'{single / batched:.2f} |'
            )


if __name__ == '__main__':
    measure(parse_args())
