# Permissions in the object store, as S3 policies: computed without a provider, so that they can be tested offline.
locals {
  # Only the users of tenants have this prefix: the Job removes users with this prefix that are no longer listed.
  user_prefix    = "tenantry-"
  publisher_user = "publisher"
  buckets        = tolist([var.models_bucket, var.datasets_bucket, var.artifacts_bucket])

  # Without `Sid`: one Secret, of at most 1 MiB, holds the policies and keys of all tenants.
  tenant_policies = {
    for tenant in var.tenants : "${local.user_prefix}${tenant}" => {
      Version = "2012-10-17"
      Statement = [
        {
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["arn:aws:s3:::${var.models_bucket}/${tenant}/*"]
        },
        {
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = ["arn:aws:s3:::${var.artifacts_bucket}/${tenant}/*"]
        },
      ]
    }
  }

  # Publishes models for all tenants (`make up`, `tenantry publish`). It cannot delete, and has no access to other buckets.
  publisher_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListModels"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
        Resource = ["arn:aws:s3:::${var.models_bucket}"]
      },
      {
        Sid      = "ReadAndAddModels"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["arn:aws:s3:::${var.models_bucket}/*"]
      },
    ]
  }
}
