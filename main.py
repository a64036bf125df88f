"""The app of `cdk8s synth`: writes `dist/` from platform.yaml, completely or not at all."""

from constructs_lib.project import main

if __name__ == "__main__":
    main(__file__)
