"""Training: reading labelled texts, fitting, the report. Requires scikit-learn and is not part of the image."""
