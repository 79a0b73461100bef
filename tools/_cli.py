"""Commands of a checkout: finds the package, and what commands share."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for _path in (ROOT / 'projects/synthetic_people', ROOT):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from mmpose_occlusion.cli.arguments import *  # noqa: E402, F403
from mmpose_occlusion.cli.run import run  # noqa: E402, F401
