"""How much time does the benchmark take beside the network's own?

    python tools/benchmarks/benchmark_loop.py CONFIG \\
        --attack 'keypoint:*:black' --max-images 200
    python tools/benchmarks/benchmark_loop.py CONFIG \\
        --attack 'keypoint:*:black' --tests 4

The first gives the time of the benchmark's loop, start-up excluded, as a
multiple of (clean + changed crops) times the network's own time per crop,
which is measured before and after on batches that are ready. The second
compares it with tools/test.py, whose test is run for some of the attacks, its
start-up excluded as well. Ratios of processor time are given beside those of
wall-clock time: other work on the machine spoils them less.

The weights are those of the config, untrained unless CHECKPOINT is given.
"""

import argparse
import contextlib
import io
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli
import test


def parse_args() -> argparse.Namespace:
    """What to measure, and on what."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    _cli.add_config(parser)
    parser.add_argument('--checkpoint', metavar='FILE')
    parser.add_argument(
        '--attack', action='append', default=[], metavar='SPEC'
    )
    parser.add_argument('--suite', action='append', default=[], metavar='NAME')
    parser.add_argument('--max-images', type=int, metavar='N')
    parser.add_argument('--batch-size', type=int, metavar='N')
    parser.add_argument('--num-workers', type=int, metavar='N')
    parser.add_argument(
        '--tests',
        type=int,
        default=0,
        metavar='N',
        help='attacks to run the ordinary test with, spread over the list',
    )
    args = parser.parse_args()
    args.gt_boxes, args.seed, args.dry_run, args.resume = True, 0, False, True
    args.profile, args.threads = False, None
    args.autocast, args.channels_last, args.compile = None, False, False
    return args


class Clock:
    """Wall-clock and processor seconds, those of workers included."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count what happens inside."""
        start = _now()
        yield
        end = _now()
        self.wall += end[0] - start[0]
        self.cpu += end[1] - start[1]


def _now() -> tuple[float, float]:
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return time.perf_counter(), used


def measure(args: argparse.Namespace) -> None:
    """Run the loop, and what it is compared with."""
    with tempfile.TemporaryDirectory() as folder:
        args.out = folder
        runner = _runner(args)
        loop = runner.build_test_loop(runner._test_loop)
        if args.checkpoint:
            from mmpose_occlusion.checkpoints import load_into

            load_into(runner.model, args.checkpoint)
        runner.call_hook('before_run')
        network, crops = Clock(), 0
        crops += _network(loop, network)
        whole = Clock()
        with whole.running():
            passes = loop.run()['passes']
        crops += _network(loop, network)
        print(
            f'\n{len(loop.boxes):,} crops, {len(loop.attacks)} attacks, '
            f'{passes:,} passes: {1000 * whole.wall / passes:.2f} ms each '
            f'({1000 * whole.cpu / passes:.2f} ms of processor time)\n'
            f'the network alone: {1000 * network.wall / crops:.2f} ms '
            f'({1000 * network.cpu / crops:.2f} ms of processor time)'
        )
        ratio = whole.wall / passes / (network.wall / crops)
        of_cpu = whole.cpu / passes / (network.cpu / crops)
        print(
            f'loop / (passes x network): {ratio:.3f} '
            f'(of processor time: {of_cpu:.3f})'
        )
        if args.tests:
            _compare(args, loop, whole)


def _runner(args: argparse.Namespace):
    from mmengine.runner import Runner

    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.predictors.mmpose_topdown import cli_config as start

    cfg = load_config(args.config, args.cfg_options)
    start.apply_arguments(cfg, args)
    cfg.randomness = dict(seed=0)  # of weights and what follows from them
    with contextlib.redirect_stdout(io.StringIO()):
        return Runner.from_cfg(cfg)


def _network(loop, clock: Clock, seconds: float = 8.0) -> int:
    """Batches that are ready, one after the other; returns their crops."""
    import torch

    from mmpose_occlusion.predictors.mmpose_topdown.batch import Batch
    from mmpose_occlusion.predictors.mmpose_topdown.crop_maker import Task

    maker = loop._maker()
    stop = min(loop.batch_size, len(loop.boxes))
    made = [maker.make(Task(0, i, i + 1, ()))[0] for i in range(stop)]
    model = loop.runner.model
    model.eval()

    def step(batch: Batch) -> None:
        inputs, samples = batch.inputs(), batch.samples()
        with torch.inference_mode():
            model.test_step(dict(inputs=inputs, data_samples=samples))

    step(Batch.of(made[:1]))
    crops = 0
    while clock.wall < seconds or not crops:
        batch = Batch.of(made)
        with clock.running():
            step(batch)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
        crops += len(batch)
        if clock.wall > seconds:
            break
    return crops


def _compare(args: argparse.Namespace, loop, whole: Clock) -> None:
    """The ordinary test under some of the attacks."""
    from mmengine.runner import Runner

    from mmpose_occlusion.engine import test_config
    from mmpose_occlusion.engine.config import load_config

    every = max(1, len(loop.attacks) // args.tests)
    chosen = loop.attacks[::every][: args.tests]
    tests, crops = Clock(), 0
    for attack in chosen:
        cfg = load_config(args.config, args.cfg_options)
        cfg.attack = list(attack.configs)
        cfg.load_from = None
        argv = [
            args.config,
            '-',
            '--gt-boxes',
            '--work-dir',
            f'{args.out}/test',
        ]
        test_config.apply_arguments(cfg, test.parse_args(argv))
        cfg.randomness = dict(seed=0)
        with contextlib.redirect_stdout(io.StringIO()):
            runner = Runner.from_cfg(cfg)
            test_loop = runner.build_test_loop(runner._test_loop)
            runner.call_hook('before_run')
            with tests.running():
                test_loop.run()
        crops += len(test_loop.dataloader.dataset)
    share = len(chosen) * len(loop.boxes) / crops  # --max-images
    for name, mine, theirs in (
        ('wall-clock', whole.wall, tests.wall),
        ('processor', whole.cpu, tests.cpu),
    ):
        all_tests = theirs * share * len(loop.attacks) / len(chosen)
        print(
            f'{name} time: {mine:.1f} s for all attacks, tools/test.py '
            f'{all_tests:.1f} s (from {len(chosen)} of them): '
            f'{mine / all_tests:.3f}'
        )


if __name__ == '__main__':
    sys.exit(_cli.run(measure, parse_args()))
