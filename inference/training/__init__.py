"""Training: corpora, fitting, the report. Needs scikit-learn and is never part of the image."""
