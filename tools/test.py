"""Test a pose model on any MMPose config, clean or under attack.

    python tools/test.py CONFIG CHECKPOINT
    python tools/test.py CONFIG CHECKPOINT --attack keypoint:nose:black \\
        --attack part:left_leg:blur --show-dir pictures
    python tools/test.py CONFIG CHECKPOINT --cfg-options \\
        attack.type=KeypointOcclusion attack.target=nose attack.fill=black

In several processes, on GPUs or on the CPU:
bash tools/dist_test.sh CONFIG CHECKPOINT N
"""

import argparse
import sys

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """MMPose's arguments and those of attacks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    _cli.add_config(parser)
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    _cli.add_attacks(parser)
    parser.add_argument(
        '--attack-seed',
        type=int,
        default=0,
        metavar='N',
        help='of what attacks leave to chance (default: 0)',
    )
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help='folder of logs (default: work_dirs/CONFIG)',
    )
    parser.add_argument(
        '--out', metavar='FILE', help='write the metrics to a .json or .pkl'
    )
    parser.add_argument(
        '--dump',
        metavar='FILE',
        help='write the predictions to a .pkl',
    )
    _cli.add_drawing(
        parser,
        'draw each crop as it came and under attack, with the hidden '
        'region, the prediction and the truth, into this folder',
        'crop',
    )
    parser.add_argument(
        '--badcase',
        action='store_true',
        help="turn MMPose's analysis of bad cases on",
    )
    _cli.add_launcher(parser)
    return parser.parse_args(argv)


def test(args: argparse.Namespace) -> None:
    """Check what can be checked, then test."""
    from mmengine.dist import master_only
    from mmengine.fileio import dump
    from mmengine.runner import Runner

    from mmpose_occlusion.engine import checks, test_config
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import prepare_launch

    cfg = load_config(args.config, args.cfg_options)
    test_config.apply_arguments(cfg, args)
    checks.check_data_files(cfg, 'test')
    checks.check_checkpoint(args.checkpoint)
    prepare_launch(cfg, args.launcher)
    metrics = Runner.from_cfg(cfg).test()
    if args.out:
        master_only(dump)(metrics, args.out)


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(test, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
