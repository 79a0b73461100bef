"""Test a pose model on any MMPose config, clean or under attack.

    python tools/test.py CONFIG CHECKPOINT
    python tools/test.py CONFIG CHECKPOINT --attack keypoint:nose:black \\
        --attack part:left_leg:blur --show-dir images
    python tools/test.py CONFIG CHECKPOINT --cfg-options \\
        attack.type=KeypointOcclusion attack.target=nose attack.fill=black

CHECKPOINT is MMPose's, or the reference's, which is converted on the way.
Each run writes its metrics into the work dir, named after model, data, attack
and time. A detector's bboxes are attacked if they match annotated people.

In several processes, on GPUs or on the CPU:
bash tools/dist_test.sh CONFIG CHECKPOINT N
"""

import argparse
import sys

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """MMPose's arguments and those of attacks."""
    parser = _cli.parser_of(__doc__)
    _cli.add_fields(
        parser,
        _cli.ConfigOptions,
        _cli.CheckpointOptions,
        _cli.AttackOptions,
    )
    parser.add_argument(
        '--box-nms',
        type=_cli.fraction,
        metavar='IOU',
        help="of two of a detector's boxes that overlap by more, drop the "
        'one with the lower score (default: keep all)',
    )
    parser.add_argument(
        '--attack-seed',
        type=int,
        default=0,
        metavar='N',
        help="of the attacks' random draws (default: 0)",
    )
    _cli.add_options(
        parser,
        (
            '--work-dir',
            'DIR',
            'folder of logs and results (default: work_dirs/CONFIG)',
        ),
        ('--out', 'FILE', 'write the metrics to a .json or .pkl'),
        ('--per-keypoint', '', 'AP, AR and PCK of every joint'),
        (
            '--per-keypoint-paper',
            '',
            'the same as computed by the reference code (names: paper/...)',
        ),
        ('--dump', 'FILE', 'write the predictions to a .pkl'),
        ('--badcase', '', "turn MMPose's analysis of bad cases on"),
    )
    _cli.add_drawing(
        parser,
        'draw each crop before and under attack, with the hidden region, the '
        'prediction and the ground truth, into this folder',
        'crop',
    )
    _cli.add_fields(parser, _cli.LaunchOptions)
    return parser.parse_args(argv)


def test(options: argparse.Namespace) -> None:
    """Check the options, then test."""
    from _test_config import configure_test, write_metrics
    from mmengine.dist import master_only
    from mmengine.fileio import dump

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import (
        build_runner,
        check_checkpoint,
        prepare_launch,
    )

    cfg = load_config(options.config, options.cfg_options)
    names = configure_test(cfg, options)
    check_checkpoint(options.checkpoint)
    prepare_launch(cfg, options.launcher)
    runner = build_runner(cfg)
    load_into(runner.model, options.checkpoint, options.trust_checkpoint)
    metrics = runner.test()
    write_metrics(cfg, options, names, metrics)
    if options.out:
        master_only(dump)(metrics, options.out)


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(test, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
