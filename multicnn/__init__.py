"""Convolutional classifiers for images, sounds and texts, from the shell."""

__version__ = "0.1.0"
