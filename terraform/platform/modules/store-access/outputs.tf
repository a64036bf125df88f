output "buckets" {
  description = "The buckets to create."
  value       = local.buckets
}

output "user_prefix" {
  description = "Prefix of the users of tenants; no other user has it."
  value       = local.user_prefix
}

output "tenant_users" {
  description = "Object store user of each tenant; its policy has the same name."
  value       = tomap({ for tenant in var.tenants : tenant => "${local.user_prefix}${tenant}" })
}

output "publisher_user" {
  description = "User that publishes models; its policy has the same name."
  value       = local.publisher_user
}

output "policies" {
  description = "Policy document (JSON) of each user, by the user's name."
  value       = { for user, policy in merge(local.tenant_policies, { (local.publisher_user) = local.publisher_policy }) : user => jsonencode(policy) }
}
