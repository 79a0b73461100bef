"""Attacked crops per second of the benchmark.

    python tools/benchmarks/throughput.py [CONFIG] [--checkpoint FILE]
    python tools/benchmarks/throughput.py --stub

The first runs a network on crops (MMPose's HRNet-w32 by default, untrained
without a checkpoint); the second a stub whose heatmaps cost nothing, so that
what is left is the benchmark's and MMPose's own work. The network runs in one
thread, so that its share of the time is the fraction of the loop's time that
a network alone would need. OCCLUSION_REAL_DATA names a folder of photographs.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def build_runner(args: argparse.Namespace, folder: str):
    """MMEngine's runner of the benchmark."""
    import torch
    from _data import HRNET, coco
    from mmengine.runner import Runner

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine.config import load_config, prepare_run

    cfg = load_config(args.config or HRNET)
    cfg.custom_imports = dict(imports=['mmpose_occlusion'])
    if not args.config:
        file, images = coco(folder, 'coco_mini/person_keypoints.json', 40)
        cfg.test_dataloader.dataset.update(
            data_root='', ann_file=str(file), bbox_file=None
        )
        cfg.test_dataloader.dataset.data_prefix = dict(img=str(images))
        cfg.test_evaluator.ann_file = str(file)
    cfg.model.backbone.init_cfg = None
    prepare_run(cfg, f'{folder}/logs')
    cfg.test_cfg = dict(
        type='OcclusionBenchmarkLoop',
        out=f'{folder}/out',
        attacks=args.attack or ['keypoint:*:black:6'],
        max_images=args.max_images,
    )
    torch.set_num_threads(1)
    runner = Runner.from_cfg(cfg)
    if args.checkpoint:
        load_into(runner.model, args.checkpoint)
    if args.stub:
        head = runner.model.head
        width, height = head.decoder.heatmap_size
        maps = torch.rand(1, head.out_channels, height, width)
        maps = maps.to(next(head.parameters()).device)
        stub = runner.model.backbone
        stub.forward = lambda x: maps.expand(len(x), -1, -1, -1)
        head.forward = lambda maps: maps
    return runner


def measure(args: argparse.Namespace, folder: str) -> str:
    """The figures of a network on crops."""
    import torch

    runner = build_runner(args, folder)
    network = crops = 0

    def watched(counts: bool, forward, batch):
        nonlocal network, crops
        start = time.perf_counter()
        result = forward(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        network += time.perf_counter() - start
        crops += counts * len(batch)
        return result

    backbone, head = runner.model.backbone, runner.model.head
    backbone.forward = partial(watched, True, backbone.forward)
    head.forward = partial(watched, False, head.forward)
    loop = runner.build_test_loop(runner._test_loop)
    runner.call_hook('before_run')
    start = time.perf_counter()
    loop.run()
    seconds = time.perf_counter() - start
    crops //= 2 if runner.model.test_cfg.get('flip_test') else 1
    return (
        f'{crops:,} crops (clean and attacked) in {seconds:.1f} s: '
        f'{crops / seconds:.0f} per second; the network takes '
        f'{network / seconds:.0%} of the time'
    )


def main(argv: list[str] | None = None) -> None:
    """Run the loop and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add('config', nargs='?')
    add('--checkpoint', metavar='FILE')
    add('--stub', action='store_true')
    add('--attack', action='append', help='default: keypoint:*:black:6')
    add('--max-images', type=int, metavar='N')
    with tempfile.TemporaryDirectory() as folder:
        print(f'\n{measure(parser.parse_args(argv), folder)}')


if __name__ == '__main__':
    main()
