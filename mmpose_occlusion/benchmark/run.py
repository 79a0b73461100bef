"""From a config and a checkpoint to a sweep."""

from collections.abc import Sequence

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmpose.apis import init_model

from mmpose_occlusion.checkpoints import load_into
from mmpose_occlusion.engine import checks
from mmpose_occlusion.engine.config import metainfo_of
from mmpose_occlusion.skeleton import Skeleton

from .crops import AttackedCrops, build_crops
from .suite import expand
from .sweep import Sweep, run_sweep

HIDE_EVERYTHING = (
    'keypoint:*:black',
    'keypoint:*:blur',
    'part:*:black',
    'part:*:blur',
)
"""Every joint and every part, in two paints."""


def sweep_checkpoint(
    cfg: Config,
    checkpoint: str,
    specs: Sequence[str] = HIDE_EVERYTHING,
    trust: bool = False,
) -> tuple[AttackedCrops, Sweep]:
    """Test a checkpoint clean and under attacks.

    Args:
        cfg: Its config; not modified.
        checkpoint: File or URL, of MMPose or of the reference.
        specs: Short forms of the attacks, see :func:`.suite.expand`.
        trust: See :func:`mmpose_occlusion.checkpoints.load_into`.

    Returns:
        The crops that were tested, and what the model said about them.

    Raises:
        UsageError: The checkpoint does not exist or does not fit.
    """
    checks.check_checkpoint(checkpoint)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    model = init_model(cfg.copy(), device=get_device())
    load_into(model, checkpoint, trust)
    metainfo = metainfo_of(cfg.test_dataloader.dataset)
    attacks = expand(specs, Skeleton.from_metainfo(metainfo))
    crops = build_crops(cfg, attacks)
    return crops, run_sweep(cfg, model, crops)
