"""What the audit knows of a cluster: labels, ports, addresses, pods, namespaces, policies, services."""
