"""What a model is: the sealed artifact, its tensors, and the scorers that answer with it."""
