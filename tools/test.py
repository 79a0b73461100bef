"""Test a pose model on any MMPose config, clean or under attack."""

import sys
from dataclasses import dataclass

import _cli
from _cli import option


@dataclass(frozen=True)
class TestOptions(
    _cli.CheckpointOptions,
    _cli.DrawOptions,
    _cli.AttackOptions,
    _cli.ConfigOptions,
):
    """MMPose's options and those of attacks."""

    checkpoint: str = _cli.position('checkpoint file or URL')
    box_nms: float | None = option(
        "of two of a detector's boxes that overlap by more, drop the one with "
        'the lower score (default: keep all)',
        type=_cli.fraction,
        metavar='IOU',
    )
    attack_seed: int = option("of the attacks' random draws", default=0)
    out: str | None = option(
        'write the metrics to a .json or .pkl', metavar='FILE'
    )
    per_keypoint: bool = option('AP, AR and PCK of every joint')
    per_keypoint_paper: bool = option(
        'the same as computed by the reference code (names: paper/...)'
    )
    dump: str | None = option(
        'write the predictions to a .pkl', metavar='FILE'
    )


@_cli.command(TestOptions, 'tools/test.py', True)
def main(options: TestOptions) -> None:
    """Test a pose model on any MMPose config, clean or under attack.

        python tools/test.py CONFIG CHECKPOINT
        python tools/test.py CONFIG CHECKPOINT --attack keypoint:nose:black \\
            --attack part:left_leg:blur --show-dir images
        python tools/test.py CONFIG CHECKPOINT --cfg-options \\
            attack.type=KeypointOcclusion attack.target=nose attack.fill=black

    CHECKPOINT is MMPose's, or the reference's, which is converted on the way.
    Metrics and options are written to WORK_DIR/ATTACK_TIME.json.
    A detector's bboxes are attacked if they match annotated people. In several
    processes, on GPUs or on the CPU:
    bash tools/dist_test.sh CONFIG CHECKPOINT N
    """
    from _test_config import configure_test, write_metrics
    from mmengine.dist import master_only
    from mmengine.fileio import dump

    from mmpose_occlusion.checkpoints import load_into, local_file
    from mmpose_occlusion.engine.config import load_config
    from mmpose_occlusion.engine.launch import build_runner, prepare_launch

    cfg = load_config(options.config, options.cfg_options)
    attack = configure_test(cfg, options)
    local_file(options.checkpoint)  # exists
    prepare_launch(cfg, options.launcher)
    runner = build_runner(cfg)
    load_into(runner.model, options.checkpoint, options.trust_checkpoint)
    metrics = runner.test()
    write_metrics(runner, options, attack, metrics)
    if options.out:
        master_only(dump)(metrics, options.out)


if __name__ == '__main__':
    sys.exit(main())
