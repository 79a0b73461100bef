"""Attacked crops per second of the benchmark, and the network's share.

    python tools/benchmarks/throughput.py [CONFIG] [--checkpoint FILE]
    python tools/benchmarks/throughput.py --stub

The first runs a network (MMPose's HRNet-w32 by default, untrained without a
checkpoint); the second a stub whose heatmaps cost nothing, so that what is
left is the benchmark's and MMPose's own work. The network runs in one
thread, so that its share of the time is the fraction of the loop's time that
a network alone would need. OCCLUSION_REAL_DATA names a folder of photographs.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch


class FixedBackbone(torch.nn.Module):
    """Stands in for backbone and head: the same heatmaps for each crop."""

    def __init__(self, joints: int, size: tuple[int, int]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        maps = torch.rand((1, joints, *size[::-1]), generator=generator)
        self.register_buffer('maps', maps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) -> (N, K, h, w) without copies."""
        return self.maps.expand(len(x), -1, -1, -1)


class Stopwatch:
    """Wraps a function; sums up its calls' seconds.

    Attributes:
        seconds: The sum.
        crops: Samples in all calls.
    """

    def __init__(self, function) -> None:
        self.function = function
        self.seconds, self.crops = 0.0, 0

    def __call__(self, *args, **kwargs):
        start = time.perf_counter()
        result = self.function(*args, **kwargs)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - start
        self.crops += len(args[0])
        return result


def build_runner(args: argparse.Namespace, folder: str):
    """MMEngine's runner of the benchmark."""
    from _data import HRNET, repeated
    from mmengine.runner import Runner

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine.config import load_config

    cfg = load_config(args.config or HRNET)
    cfg.custom_imports = dict(imports=['mmpose_occlusion'])
    if not args.config:
        file, images = repeated(folder, args.copies)
        cfg.test_dataloader.dataset.update(
            data_root='', ann_file=str(file), bbox_file=None
        )
        cfg.test_dataloader.dataset.data_prefix = dict(img=str(images))
        cfg.test_evaluator.ann_file = str(file)
    cfg.model.backbone.init_cfg = None
    cfg.work_dir = f'{folder}/logs'
    cfg.test_cfg = dict(
        type='OcclusionBenchmarkLoop',
        out=f'{folder}/out',
        attacks=args.attack,
        max_images=args.max_images,
        threads=1,
    )
    runner = Runner.from_cfg(cfg)
    if args.checkpoint:
        load_into(runner.model, args.checkpoint)
    if args.stub:
        head = runner.model.head
        size = head.decoder.heatmap_size
        runner.model.backbone = FixedBackbone(head.out_channels, size)
        runner.model.backbone.to(next(head.parameters()).device)
        head.forward = lambda maps: maps
    return runner


def main(argv: list[str] | None = None) -> None:
    """Run the loop and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', nargs='?')
    parser.add_argument('--checkpoint', metavar='FILE')
    parser.add_argument('--stub', action='store_true')
    parser.add_argument(
        '--attack', action='append', help='default: keypoint:*:black'
    )
    parser.add_argument(
        '--copies', type=int, default=1, help='read the images so often'
    )
    parser.add_argument('--max-images', type=int, metavar='N')
    args = parser.parse_args(argv)
    args.attack = args.attack or ['keypoint:*:black']
    with tempfile.TemporaryDirectory() as folder:
        runner = build_runner(args, folder)
        network = Stopwatch(runner.model.backbone.forward)
        head = Stopwatch(runner.model.head.forward)
        runner.model.backbone.forward = network
        runner.model.head.forward = head
        loop = runner.build_test_loop(runner._test_loop)
        runner.call_hook('before_run')
        start = time.perf_counter()
        loop.run()
        seconds = time.perf_counter() - start
    flip = 2 if runner.model.test_cfg.get('flip_test') else 1
    crops = network.crops // flip
    share = (network.seconds + head.seconds) / seconds
    print(
        f'\n{crops:,} crops (clean and attacked) in {seconds:.1f} s: '
        f'{crops / seconds:.0f} per second; the network takes {share:.0%} '
        'of the time'
    )


if __name__ == '__main__':
    main()
