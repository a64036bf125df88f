"""What commands do on a cluster: kubectl, Terraform, rollouts, admission, access to the object store."""
