"""Train a pose model, with or without occlusions, on any MMPose config.

    python tools/train.py CONFIG [--work-dir DIR] [--resume]

In several processes, on GPUs or on the CPU: bash tools/dist_train.sh CONFIG N
"""

import argparse
import sys

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """MMPose's arguments."""
    parser = _cli.parser_of(__doc__)
    _cli.add_fields(parser, _cli.ConfigOptions)
    _cli.add_options(
        parser,
        (
            '--work-dir',
            'DIR',
            'folder of logs and checkpoints (default: work_dirs/CONFIG)',
        ),
        (
            '--exact-resume',
            '',
            'bit-exact resume: key all random numbers by epoch and sample; '
            'pass the flag on every run',
        ),
        ('--amp', '', 'train in mixed precision'),
        ('--no-validate', '', 'do not evaluate while training'),
        (
            '--auto-scale-lr',
            '',
            'scale the learning rate by the total batch size',
        ),
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint, or from the last of the work dir',
    )
    _cli.add_fields(parser, _cli.TrustOption, _cli.LaunchOptions)
    _cli.add_drawing(parser, 'draw predictions of the validation', 'sample')
    return parser.parse_args(argv)


def train(options: argparse.Namespace) -> None:
    """Check the options, then train."""
    import _train_config

    from mmpose_occlusion.engine import data_files
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import build_runner, prepare_launch

    cfg = load_config(options.config, options.cfg_options)
    _train_config.configure_training(cfg, options)
    for split in ('train', 'val'):
        if cfg.get(f'{split}_dataloader'):
            data_files.check_evaluator_file(cfg, split)
            data_files.check_data_files(
                cfg, split, skip_unreadable=options.skip_unreadable
            )
    start = _train_config.read_start(cfg, options.trust_checkpoint)
    prepare_launch(cfg, options.launcher)
    _train_config.fetch_pretrained(cfg)
    runner = build_runner(cfg)
    _train_config.check_start(runner, start)
    runner.train()


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(train, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
