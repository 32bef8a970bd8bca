"""One folder a run: its log, checkpoints, weights and report; the room that writes for keeps."""
