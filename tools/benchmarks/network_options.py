"""How much faster is a network with the benchmark's options?

    python tools/benchmarks/network_options.py CONFIG
    python tools/benchmarks/network_options.py CONFIG --checkpoint FILE \\
        --out DIR

The first gives the time of a forward pass of one crop, test-time flip and
decoding included, with each option and without, in turns, on batches of clean
crops that are ready; what compiling took is said beside. Weights are those of
the config, untrained unless --checkpoint is given. With --out, the benchmark
runs with each option on the whole data, into DIR, and APs are compared.

The layout that ChannelsLastHook gives a model is not counted as an option:
the hook is taken out of the config.
"""

import argparse
import contextlib
import copy
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _cli

CHOICES = {
    'none': {},
    'channels-last': dict(channels_last=True),
    'bfloat16': dict(autocast='bfloat16'),
    'float16': dict(autocast='float16'),
    'compile': dict(compile=True),
    'channels-last, compile': dict(channels_last=True, compile=True),
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to measure, and on what."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    _cli.add_config(parser)
    parser.add_argument('--checkpoint', metavar='FILE')
    parser.add_argument(
        '--batch-size', type=int, default=16, metavar='N', help='default: 16'
    )
    parser.add_argument(
        '--turns', type=int, default=5, metavar='N', help='default: 5'
    )
    parser.add_argument(
        '--only',
        choices=list(CHOICES),
        action='append',
        metavar='OPTION',
        help=f'some of the options: {"; ".join(CHOICES)}',
    )
    parser.add_argument('--out', metavar='DIR', help='compare APs as well')
    parser.add_argument(
        '--attack',
        action='append',
        default=[],
        metavar='SPEC',
        help='of the APs (default: keypoint:nose:black)',
    )
    parser.add_argument('--max-images', type=int, metavar='N')
    args = parser.parse_args(argv)
    args.attack = args.attack or ['keypoint:nose:black']
    args.suite, args.seed = [], 0
    args.gt_boxes, args.dry_run, args.resume = True, False, True
    args.profile, args.threads, args.num_workers = False, None, None
    args.autocast, args.channels_last, args.compile = None, False, False
    return args


def measure(args: argparse.Namespace) -> None:
    """Times, and APs if they are asked for."""
    names = ['none', *(n for n in args.only or CHOICES if n != 'none')]
    with tempfile.TemporaryDirectory() as folder:
        times = _times(args, folder, names)
    plain = statistics.median(times['none'])
    for name in names:
        ms = statistics.median(times[name])
        print(
            f'{name:<24}{1000 * ms:>9.2f} ms a pass of processor time, '
            f'{plain / ms:>6.2f} times as fast'
        )
    for name in names if args.out else ():
        chosen = argparse.Namespace(**{**vars(args), **CHOICES[name]})
        print(f'{name:<24}{_aps(chosen)}')


def _loop(args: argparse.Namespace):
    from mmengine.runner import Runner

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.predictors.mmpose_topdown import cli_config as start

    cfg = load_config(args.config, args.cfg_options)
    cfg.custom_hooks = [
        hook
        for hook in cfg.get('custom_hooks') or []
        if hook['type'] != 'ChannelsLastHook'
    ]
    start.apply_arguments(cfg, args)
    cfg.randomness = dict(seed=0)
    runner = Runner.from_cfg(cfg)
    loop = runner.build_test_loop(runner._test_loop)
    if args.checkpoint:
        load_into(runner.model, args.checkpoint)
    runner.call_hook('before_run')
    return loop


def _times(
    args: argparse.Namespace, folder: str, names: list[str]
) -> dict[str, list[float]]:
    """Processor seconds of one crop, in each turn."""
    from mmpose_occlusion.predictors.mmpose_topdown.batch import Batch
    from mmpose_occlusion.predictors.mmpose_topdown.crop_maker import Task
    from mmpose_occlusion.predictors.mmpose_topdown.options import Options
    from mmpose_occlusion.predictors.mmpose_topdown.predict import Predictor

    args = argparse.Namespace(**{**vars(args), 'out': folder})
    loop = _loop(args)
    maker, stop = loop._maker(), min(args.batch_size, len(loop.boxes))
    batch = Batch.of(
        [maker.make(Task(0, i, i + 1, ()))[0] for i in range(stop)]
    )
    times: dict[str, list[float]] = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        predictors = {
            name: stack.enter_context(
                Predictor(
                    copy.deepcopy(loop.runner.model),
                    len(loop.skeleton.names),
                    threads=1,
                    options=Options(**CHOICES[name]),
                )
            )
            for name in names
        }
        for name, predictor in predictors.items():
            start = time.perf_counter()
            predictor.predict(batch)
            if CHOICES[name].get('compile'):
                seconds = time.perf_counter() - start
                print(f'{name}: the first pass took {seconds:.0f} s')
        for _ in range(args.turns):
            for name, predictor in predictors.items():
                start = time.thread_time()
                predictor.predict(batch)
                used = time.thread_time() - start
                times[name].append(used / len(batch))
    return times


def _aps(args: argparse.Namespace) -> str:
    """Clean, and under each attack."""
    from mmpose_occlusion.benchmark.analysis import analyse
    from mmpose_occlusion.benchmark.runs import load_run
    from mmpose_occlusion.benchmark.table import rows

    loop = _loop(args)
    loop.run()
    run = load_run(loop.store, [attack.name for attack in loop.attacks])
    analyses, *_ = analyse([run])
    return ', '.join(f'{row[0]} {row[2]}' for row in rows(analyses[0]))


if __name__ == '__main__':
    sys.exit(_cli.run(measure, parse_args()))
