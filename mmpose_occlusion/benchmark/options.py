"""The options of a benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BenchmarkOptions:
    """The arguments of :func:`.api.run_benchmark`."""

    model: str
    checkpoint: str
    out: str
    data: Mapping[str, Any] = field(default_factory=dict)
    suites: Sequence[str] = ()
    attacks: Sequence[str] = ()
    seed: int = 0
    max_images: int | None = None
    resume: bool = True
    gt_boxes: bool = False
    batch_size: int | None = None
    num_workers: int | None = None
    threads: int | None = None
    dry_run: bool = False
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    trust_checkpoint: bool = False
    launcher: str = 'none'
    skip_unreadable: bool = False
