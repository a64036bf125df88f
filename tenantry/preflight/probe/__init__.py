"""Tests with pods: image pull, network policies and DNS, in a namespace that is deleted again."""
