output "buckets" {
  description = "The buckets to make."
  value       = local.buckets
}

output "user_prefix" {
  description = "What the name of each tenant's user begins with, and of no other user."
  value       = local.user_prefix
}

output "tenant_users" {
  description = "User of the object store of each tenant; the policy that limits it has the same name."
  value       = tomap({ for tenant in var.tenants : tenant => "${local.user_prefix}${tenant}" })
}

output "publisher_user" {
  description = "User that publishes models; the policy that limits it has the same name."
  value       = local.publisher_user
}

output "policies" {
  description = "Policy document (JSON) of each user, by the user's name."
  value       = { for user, policy in merge(local.tenant_policies, { (local.publisher_user) = local.publisher_policy }) : user => jsonencode(policy) }
}
