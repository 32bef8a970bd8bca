"""From images to probabilities: the one place where an image meets a trained network."""
