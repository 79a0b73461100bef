"""Convert a checkpoint of the reference code to MMPose's format."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli
from _cli import position


@dataclass(frozen=True)
class ConvertOptions:
    """Which file."""

    source: str = position('checkpoint file or URL', 'IN')
    target: str = position('file to write', 'OUT')


@_cli.command(ConvertOptions, 'convert_checkpoint.py', True)
def main(options: ConvertOptions) -> None:
    """Convert a checkpoint of the reference code to MMPose's format.

        python projects/tilting_at_windmills/convert_checkpoint.py \\
            pose_hrnet_w32_256x192.pth OUT.pth

    Takes HRNet and SimpleBaseline (ResNet) checkpoints, bare or as written
    during training. The file is read without running any code in it.
    tools/test.py also takes such checkpoints directly.
    """
    from mmengine.runner import save_checkpoint
    from reference_checkpoints import convert, is_reference

    from mmpose_occlusion.checkpoints import load_checkpoint_safely
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.files import replaced

    source, target = options.source, Path(options.target)
    if target.exists():
        raise UsageError(
            f'checkpoint "{target}" exists: choose another name, or delete it'
        )
    loaded = load_checkpoint_safely(source)
    if not is_reference(loaded):
        raise UsageError(
            f'checkpoint "{source}" is not one of the reference code, it has '
            'no "conv1.weight" and "layer1.0.conv1.weight": use it as it is'
        )
    converted = convert(loaded, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced(target) as temporary:
        save_checkpoint(converted, str(temporary))
    print(
        f'Wrote {target}: test it with --gt-boxes and the config of the same '
        'model and size of crops'
    )


if __name__ == '__main__':
    sys.exit(main())
