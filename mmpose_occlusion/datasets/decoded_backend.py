"""Pictures that are decoded once, through MMEngine's file backends.

Decoding a JPEG takes longer than anything else in a training pipeline.
``LoadImage(backend_args=dict(backend='decoded', folder=FOLDER))`` keeps what
came out the first time in FOLDER, as bitmaps that OpenCV reads at the speed
of the disk; ``PartMix(backend_args=...)`` takes its donors from there. The
pixels are the same, as long as they are read in colour, MMPose's default.

A picture takes width × height × 3 bytes, six or seven times its JPEG: some
50 GB for the people of COCO's train2017. A file that has changed is decoded
anew. Folders may be shared by any processes, and deleted at any time.
"""

import contextlib
import hashlib
import os
import tempfile
import warnings
from pathlib import Path

import cv2
import mmengine.fileio as fileio
import numpy as np
from mmengine.fileio import BaseStorageBackend, register_backend


@register_backend('decoded')
class DecodedBackend(BaseStorageBackend):
    """Reads pictures as bitmaps, and makes these; see the module.

    What is no picture is read as it is. Where a bitmap cannot be written,
    there is a warning, and the picture is decoded each time.

    Args:
        folder: Of the bitmaps; created if need be.
        backend_args: Where the pictures themselves are, as in MMPose's
            ``LoadImage``.
    """

    def __init__(
        self, folder: str | os.PathLike[str], backend_args: dict | None = None
    ) -> None:
        self.folder = Path(folder)
        self.backend_args = backend_args

    def get(self, filepath: str | Path) -> bytes:
        """The bytes of a bitmap of the picture.

        Raises:
            OSError: The picture cannot be read.
        """
        kept = self._place(str(filepath))
        try:
            with open(kept, 'rb', buffering=0) as file:
                return file.read()
        except FileNotFoundError:
            pass
        content = fileio.get(filepath, backend_args=self.backend_args)
        image = (
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            if content
            else None
        )
        if image is None:
            return content
        bitmap = cv2.imencode('.bmp', image)[1].tobytes()
        self._keep(kept, bitmap)
        return bitmap

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        content = fileio.get(filepath, backend_args=self.backend_args)
        return content.decode(encoding)

    def _place(self, path: str) -> str:
        """Where the bitmap is: by the picture's path, size and time."""
        with contextlib.suppress(OSError):  # not a file of this machine's
            found = os.stat(path)
            path = os.path.abspath(path)
            path = f'{path}|{found.st_size}|{found.st_mtime_ns}'
        name = hashlib.sha1(os.fsencode(path)).hexdigest()
        return f'{self.folder}/{name[:2]}/{name[2:]}.bmp'

    def _keep(self, place: str, bitmap: bytes) -> None:
        """Write a bitmap whole or not at all."""
        folder = os.path.dirname(place)
        try:
            os.makedirs(folder, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=folder, suffix='.partial', delete=False
            ) as file:
                partial = file.name
                try:
                    file.write(bitmap)
                    file.close()
                    os.replace(partial, place)
                except OSError:
                    os.unlink(partial)
                    raise
        except OSError as error:
            warnings.warn(
                f'decoded pictures are not kept in {self.folder}: {error}; '
                'make room there, or choose another folder in backend_args',
                stacklevel=2,
            )
