"""Measurements of speed, with the machine's own limit beside them; nothing here is a test."""
