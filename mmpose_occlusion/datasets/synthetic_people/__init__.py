"""Synthetic people: drawn pictures of people with exact joints.

A small world to train and test in when there are no photographs at hand.
Bodies are posed in three dimensions, dressed, lit and drawn with a depth
buffer, several to a picture; see :mod:`.writer` for what a data set holds
and ``tools/make_synthetic_people.py`` for the command.

From chance to files: ``poses`` and ``body`` (skeleton), ``wardrobe`` and
``colors`` and ``patterns`` (looks), ``figure`` and ``head`` (solids),
``raster`` (pixels), ``backdrop`` and ``furniture`` (places), ``stage``,
``truth`` and ``scene`` (a picture), ``formats`` and ``writer`` (files).
"""

from .scene import Scene, make_scene
from .truth import Person
from .writer import generate

__all__ = ['Person', 'Scene', 'generate', 'make_scene']
