"""HTTP: the application, its routes, the Open Inference Protocol, limits, problems and metrics."""
