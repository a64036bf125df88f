"""Alert rules, service level objectives, alert routing and the dashboard, as plain data. Imports no jsii."""
