"""Configs of trainings and tests: reading, checking and changing them."""

from .insertion import insert_occlusion

__all__ = ['insert_occlusion']
