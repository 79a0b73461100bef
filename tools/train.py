"""Train a pose model, with or without occlusions, on any MMPose config."""

import sys
from dataclasses import dataclass

import _cli
from _cli import option


@dataclass(frozen=True)
class TrainOptions(
    _cli.CheckpointOptions, _cli.DrawOptions, _cli.ConfigOptions
):
    """MMPose's options."""

    exact_resume: bool = option(
        'bit-exact resume: key all random numbers by epoch and sample; pass '
        'the flag on every run'
    )
    amp: bool = option('train in mixed precision')
    no_validate: bool = option('do not evaluate while training')
    auto_scale_lr: bool = option(
        'scale the learning rate by the total batch size'
    )
    resume: str | None = option(
        'resume from this checkpoint, or from the last of the work dir',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
    )


@_cli.command(TrainOptions, 'tools/train.py', True)
def main(options: TrainOptions) -> None:
    """Train a pose model, with or without occlusions, on any MMPose config.

        python tools/train.py CONFIG [--work-dir DIR] [--resume]

    In several processes, on GPUs or on the CPU:
    bash tools/dist_train.sh CONFIG N
    """
    import _train_config

    from mmpose_occlusion.engine import data_files
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import build_runner, prepare_launch

    cfg = load_config(options.config, options.cfg_options)
    _train_config.configure_training(cfg, options)
    for split in ('train', 'val'):
        if cfg.get(f'{split}_dataloader'):
            data_files.check_data_files(
                cfg, split, skip_unreadable=options.skip_unreadable
            )
    start = _train_config.read_start(cfg, options.trust_checkpoint)
    prepare_launch(cfg, options.launcher)
    _train_config.fetch_pretrained(cfg)
    runner = build_runner(cfg)
    _train_config.check_start(runner, start)
    runner.train()


if __name__ == '__main__':
    sys.exit(main())
