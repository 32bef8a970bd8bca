"""The door in the terminal: one file a command."""
