"""Registering in MMPose without importing: that waits for who asks.

MMEngine's registries know modules that they import when they are first asked
for something; those of this package are added to them. A config that names
the package is then read without its models, and a data loader's worker that
is spawned starts without them.
"""

from importlib import import_module

LOCATIONS = {
    'DATASETS': ('mmpose_occlusion.datasets',),
    'TRANSFORMS': ('mmpose_occlusion.transforms',),
    'KEYPOINT_CODECS': ('mmpose_occlusion.transforms',),
    'MODELS': ('mmpose_occlusion.models',),
    'METRICS': ('mmpose_occlusion.evaluation',),
    'HOOKS': ('mmpose_occlusion.hooks',),
    'LOOPS': ('mmpose_occlusion.predictors.mmpose_topdown.loop',),
}
"""Registry of MMPose -> modules of this package that register in it."""


def register() -> None:
    """Tell MMPose's registries where to look.

    Where a registry has been asked for something before, or does not keep
    its locations as MMEngine 0.10's do, the modules are imported at once.
    """
    from mmpose import registry as registries

    for name, modules in LOCATIONS.items():
        registry = getattr(registries, name)
        known = getattr(registry, '_locations', None)
        if not isinstance(known, list) or getattr(registry, '_imported', True):
            for module in modules:
                import_module(module)
            continue
        # first, so that what is missing is said in one sentence of ours
        known[:0] = [module for module in modules if module not in known]
