"""Images of synthetic people with exact joints.

Bodies are posed in three dimensions, dressed, lit and drawn with a depth
buffer, one to four to an image. From random numbers to files: ``body``,
``appearance``, ``figure`` (solids), ``rendering`` (samples), ``scenery``,
``scene`` (an image and its ground truth), ``dataset`` (files).
"""

from .dataset import generate
from .scene import Person, Scene, make_scene

__all__ = ['Person', 'Scene', 'generate', 'make_scene']
