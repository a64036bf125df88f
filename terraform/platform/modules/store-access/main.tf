# Who may do what in the object store, as S3 policies: computed here, without a provider, so that it can be tested.
locals {
  # The store's users that are a tenant's carry this prefix, and no other user does: the Job removes those that are no
  # longer listed.
  user_prefix    = "tenantry-"
  publisher_user = "publisher"
  buckets        = tolist([var.models_bucket, var.datasets_bucket, var.artifacts_bucket])

  tenant_policies = {
    for tenant in var.tenants : "${local.user_prefix}${tenant}" => {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadOwnModels"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["arn:aws:s3:::${var.models_bucket}/${tenant}/*"]
        },
        {
          Sid      = "WriteOwnArtifacts"
          Effect   = "Allow"
          Action   = ["s3:PutObject"]
          Resource = ["arn:aws:s3:::${var.artifacts_bucket}/${tenant}/*"]
        },
      ]
    }
  }

  # Who publishes models for all tenants (`make up`, `tenantry publish`): no deletion, and nothing beside the models.
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
