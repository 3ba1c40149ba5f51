"""Readers of the data sets: each yields frames, one module or package a source."""
