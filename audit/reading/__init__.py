"""YAML and JSON to typed objects that know their file and line."""
