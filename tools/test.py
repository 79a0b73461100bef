"""Test a pose model on any MMPose config, clean or under attack.

    python tools/test.py CONFIG CHECKPOINT
    python tools/test.py CONFIG CHECKPOINT --attack keypoint:nose:black \\
        --attack part:left_leg:blur --show-dir pictures
    python tools/test.py CONFIG CHECKPOINT --cfg-options \\
        attack.type=KeypointOcclusion attack.target=nose attack.fill=black

CHECKPOINT is MMPose's, or the reference's, which is converted on the way.
Each run writes its metrics into the work dir, named by model, data, attack
and time. A detector's boxes are attacked where they are of annotated people.

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
    _cli.add_checkpoint(parser)
    _cli.add_attacks(parser)
    parser.add_argument(
        '--box-nms',
        type=float,
        metavar='IOU',
        help="of two of a detector's boxes that overlap by more, drop the "
        'one with the lower score (default: keep all)',
    )
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
        help='folder of logs and results (default: work_dirs/CONFIG)',
    )
    parser.add_argument(
        '--out', metavar='FILE', help='write the metrics to a .json or .pkl'
    )
    parser.add_argument(
        '--per-keypoint',
        action='store_true',
        help='AP, AR and PCK of every joint by itself',
    )
    parser.add_argument(
        '--per-keypoint-paper',
        action='store_true',
        help='the same as the reference code counts it (names: paper/...)',
    )
    parser.add_argument(
        '--save-clean',
        metavar='FILE',
        help='in a run without attack: keep its predictions for --compare '
        '(.npz)',
    )
    parser.add_argument(
        '--compare',
        metavar='FILE',
        help='under attack: compare those who were hit with the run that '
        'kept this file',
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

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine import checks, test_config
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import prepare_launch
    from mmpose_occlusion.engine.test_results import write_metrics

    cfg = load_config(args.config, args.cfg_options)
    names = test_config.apply_arguments(cfg, args)
    checks.check_checkpoint(args.checkpoint)
    prepare_launch(cfg, args.launcher)
    runner = Runner.from_cfg(cfg)
    load_into(runner.model, args.checkpoint, args.trust_checkpoint)
    metrics = runner.test()
    write_metrics(cfg, args, names, metrics)
    if args.out:
        master_only(dump)(metrics, args.out)


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(test, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
