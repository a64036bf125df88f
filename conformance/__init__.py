"""A conformance kit for the Open Inference Protocol (version 2, REST).

It reads a model's metadata, generates requests from it, sends them, and compares every answer with a sentence of the
specification. It works with any server; it depends on httpx and imports nothing else of this repository.

`conformance.runner` runs the cases, `conformance.cases` has them, `conformance.reports` shows what they found, and
`conformance.pytest_plugin` runs them under pytest. Nothing is imported here: pytest loads the plugin in every project
that has the package, and must not wait for what only a test of a server needs.
"""
