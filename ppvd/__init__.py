"""Pixel-perfect monocular and video depth."""
