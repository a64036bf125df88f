"""Inspects a cluster before anything is applied: what each check found, what is required, and which key to set.

`check.py` and `finding.py` say what a check is and what it reports. `api.py` reads the cluster, `checks/` has one
module per subject, `catalog.py` lists the checks, `probe/` tests with pods, `inspection.py` runs everything, and
`report.py` prints it. To add a check, write a function that takes an `Inspected` and yields findings, and add it to the
catalog.
"""
