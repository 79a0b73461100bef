"""Convert a checkpoint of the reference code to MMPose's format."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli
from _cli import option, position


@dataclass(frozen=True)
class ConvertOptions:
    """Which file."""

    source: str = position('checkpoint file or URL', 'IN')
    target: str = position('file to write', 'OUT')
    force: bool = option('replace OUT if it exists')


@_cli.command(ConvertOptions, 'convert_checkpoint.py', True)
def main(options: ConvertOptions) -> None:
    """Convert a checkpoint of the reference code to MMPose's format.

        python projects/tilting_at_windmills/convert_checkpoint.py \\
            pose_hrnet_w32_256x192.pth OUT.pth

    Takes HRNet and SimpleBaseline (ResNet) checkpoints, bare or as written
    during training, and recognises the model; every key must fit MMPose's.
    The file is read without running any code in it. tools/test.py also takes
    such checkpoints directly.
    """
    from reference_checkpoints import convert, save, summarize

    from mmpose_occlusion.checkpoints import load_checkpoint_safely
    from mmpose_occlusion.errors import UsageError

    if Path(options.target).exists() and not options.force:
        raise UsageError(
            f'checkpoint "{options.target}" exists: add --force to replace '
            'it, or choose another name'
        )
    loaded = load_checkpoint_safely(options.source)
    converted = convert(loaded, options.source)
    save(converted, options.target)
    print('\n'.join(summarize(converted, options.target)))


if __name__ == '__main__':
    sys.exit(main())
