"""The picture of the architecture, drawn from what is deployed: `dist/` and the files of `terraform/`."""
