"""How does a pose model degrade under occlusion, where, and is it real?

    python tools/occlusion_benchmark.py CONFIG CHECKPOINT \\
        --suite paper --out DIR
    python tools/occlusion_benchmark.py CONFIG CHECKPOINT \\
        --attack 'keypoint:*:black:24' --max-images 200 --out DIR

Each crop is made once, and attacked and predicted as often as there are
attacks that change it. Predictions are kept in DIR: a run that was stopped
goes on where it was, and one with more attacks computes those alone.

The report calls the model by its config's file, or by the config's key
model_name: --cfg-options model_name=ours.

In several processes, on GPUs or on the CPU:
bash tools/dist_benchmark.sh CONFIG CHECKPOINT N --suite paper --out DIR
"""

import argparse
import sys
import time

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Everything but the model, the attacks and the folder has a default."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    _cli.add_config(parser)
    _cli.add_checkpoint(parser)
    parser.add_argument(
        '--suite',
        action='append',
        default=[],
        metavar='NAME',
        help='a list of attacks, by its name (paper, ...), or your own in a '
        'config file; several, each with its own --suite',
    )
    parser.add_argument(
        '--attack',
        action='append',
        default=[],
        metavar='SPEC',
        help='a further attack as KIND:NAME[:FILL[:RADIUS]], for example '
        "'keypoint:*:black:24', which is every joint by itself; several, "
        'each with its own --attack',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the results'
    )
    parser.add_argument(
        '--seed',
        type=_number(0),
        default=0,
        metavar='N',
        help='of what attacks leave to chance (default: 0)',
    )
    parser.add_argument(
        '--max-images',
        type=_number(1),
        metavar='N',
        help='take the first N images alone',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='say how many forward passes there are to do and how long they '
        'take, measured on a few; no prediction is stored',
    )
    parser.add_argument(
        '--resume',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='use the predictions of this run that DIR holds (the default); '
        '--no-resume deletes them',
    )
    parser.add_argument(
        '--gt-boxes',
        action='store_true',
        help="take the boxes of the annotations, not a detector's",
    )
    parser.add_argument(
        '--batch-size',
        type=_number(1),
        metavar='N',
        help='crops in one forward pass at most (default: 32 on a CPU, 64 '
        'elsewhere); predictions of another size are stored apart',
    )
    parser.add_argument(
        '--num-workers',
        type=_number(0),
        metavar='N',
        help="processes that make crops (default: the config's)",
    )
    parser.add_argument(
        '--threads',
        type=_number(1),
        metavar='N',
        help='batches that are in the network at a time (default: as many as '
        'PyTorch takes threads on a CPU, 1 elsewhere)',
    )
    add_options(parser)
    parser.add_argument(
        '--profile',
        action='store_true',
        help='say at the end where the time went, and write it to '
        'DIR/profile.json; predictions stay the same',
    )
    _cli.add_launcher(parser)
    return parser.parse_args(argv)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Faster ways to compute, see docs/benchmark_store.md."""
    group = parser.add_argument_group(
        'faster, with other last bits, so that predictions are stored apart'
    )
    group.add_argument(
        '--autocast',
        choices=['bfloat16', 'float16'],
        help='compute in mixed precision',
    )
    group.add_argument(
        '--channels-last',
        action='store_true',
        help="keep weights in PyTorch's channels-last layout",
    )
    group.add_argument(
        '--compile',
        action='store_true',
        help='compile the network with torch.compile, which takes a C++ '
        "compiler and Python's headers on a CPU",
    )


def _number(least: int):
    """Reads whole numbers from ``least`` on."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f'"{text}" is not a whole number from {least} on'
            )
        return value

    return read


def benchmark(args: argparse.Namespace) -> None:
    """Check what can be checked, predict, report."""
    from contextlib import nullcontext

    from mmengine.dist import is_main_process
    from mmengine.runner import Runner

    from mmpose_occlusion.benchmark.profile import table
    from mmpose_occlusion.benchmark.runs import load_run
    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine import checks
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import prepare_launch
    from mmpose_occlusion.predictors.mmpose_topdown import cli_config as start

    begin = time.time()
    cfg = load_config(args.config, args.cfg_options)
    start.apply_arguments(cfg, args)
    checks.check_data_files(cfg, 'test', evaluator=False)
    checks.check_checkpoint(args.checkpoint)
    prepare_launch(cfg, args.launcher)
    runner = Runner.from_cfg(cfg)
    load_into(runner.model, args.checkpoint, args.trust_checkpoint)
    runner.test()
    loop = runner.test_loop
    if args.dry_run or not is_main_process():
        return
    loop.store.note(start.facts(args, loop, begin))
    cfg.dump(loop.store.path / start.CONFIG)
    profile = loop.profile
    with profile.analysing() if profile else nullcontext():
        run = load_run(loop.store, [attack.name for attack in loop.attacks])
        start.report(run, loop.store, args.out)
    if profile:
        profile.write(args.out)
        print(table(profile.result()))


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(benchmark, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
