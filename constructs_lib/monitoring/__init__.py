"""A tenant's monitoring: recording and alerting rules, alert routing, the dashboard and its panels."""
