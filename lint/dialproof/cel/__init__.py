"""Conditions as CEL: text, syntax tree, types, programs, and cel-python as the reference."""
