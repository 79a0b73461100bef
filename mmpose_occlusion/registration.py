"""Registration in MMPose without imports.

MMEngine's registries have a list of modules that are imported at their first
use; the modules of this package are added to it. A config that names the
package is then read without importing its models, and a spawned worker of a
data loader starts without them.
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
    """Add this package's modules to MMPose's registries.

    Where a registry has been used before, or stores its locations otherwise
    than MMEngine 0.10's, the modules are imported at once.
    """
    from mmpose import registry as registries

    for name, modules in LOCATIONS.items():
        registry = getattr(registries, name)
        known = getattr(registry, '_locations', None)
        if not isinstance(known, list) or getattr(registry, '_imported', True):
            for module in modules:
                import_module(module)
            continue
        # first, so that a missing module raises our one-sentence error
        known[:0] = [module for module in modules if module not in known]
