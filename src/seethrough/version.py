"""The version of the program, read by the build and printed by `seethrough --version`."""

__version__ = "0.1.0"
