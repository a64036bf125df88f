variables {
  tenants = ["tenant-a", "tenant-b"]
}

run "gives_each_tenant_a_user_and_a_policy_of_its_own" {
  command = plan

  assert {
    condition     = output.tenant_users == tomap({ tenant-a = "tenantry-tenant-a", tenant-b = "tenantry-tenant-b" })
    error_message = "each tenant must have one user, named after it with the prefix that marks it as ours"
  }

  assert {
    condition     = toset(keys(output.policies)) == toset(concat(values(output.tenant_users), [output.publisher_user]))
    error_message = "each user must have a policy of its own name, and there is none without a user"
  }
}

run "lets_a_tenant_read_its_models_and_write_its_artifacts_and_nothing_else" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(output.policies["tenantry-tenant-a"]).Statement : join(",", statement.Action) => statement.Resource
      } == {
      "s3:GetObject" = ["arn:aws:s3:::models/tenant-a/*"]
      "s3:PutObject" = ["arn:aws:s3:::artifacts/tenant-a/*"]
    }
    error_message = "a tenant's policy must allow exactly two actions, each in the tenant's own folder"
  }

  assert {
    condition     = alltrue([for statement in jsondecode(output.policies["tenantry-tenant-a"]).Statement : statement.Effect == "Allow"])
    error_message = "a policy says what is allowed; all else is denied without being named"
  }
}

run "names_no_other_tenant_in_a_policy" {
  command = plan

  variables {
    tenants = ["a", "ab"] # the folder of one is the beginning of the other's
  }

  assert {
    condition     = !strcontains(output.policies["tenantry-a"], "/ab/") && !strcontains(output.policies["tenantry-a"], "/a*")
    error_message = "the policy of `a` must end its folder with a slash, so that it does not hold for `ab`"
  }
}

run "keeps_the_publisher_out_of_data_and_artifacts" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(output.policies[output.publisher_user]).Statement : [
        for resource in statement.Resource : startswith(resource, "arn:aws:s3:::models")
      ]
    ]))
    error_message = "the publisher may touch the models' bucket alone"
  }

  assert {
    condition = !anytrue(flatten([
      for statement in jsondecode(output.policies[output.publisher_user]).Statement : [
        for action in statement.Action : strcontains(action, "Delete") || strcontains(action, "*")
      ]
    ]))
    error_message = "the publisher may delete nothing and has no action by wildcard"
  }

  assert {
    condition     = !startswith(output.publisher_user, output.user_prefix)
    error_message = "the publisher must not look like a tenant's user: the Job would take it for one that was removed"
  }
}

run "makes_the_three_buckets" {
  command = plan

  assert {
    condition     = output.buckets == tolist(["models", "datasets", "artifacts"])
    error_message = "the buckets must be models, datasets and artifacts"
  }
}

run "fits_three_thousand_tenants_into_one_secret" {
  command = plan

  variables {
    # Of the longest names; range() gives at most 1,024 values.
    tenants = flatten([for thousand in range(3) : [for number in range(1000) : format("t%02d%043d", thousand, number)]])
  }

  assert {
    condition     = sum([for policy in values(output.policies) : length(policy) + 40]) < 1048576 - 8192
    error_message = "policies and keys of 40 characters, with the script, must fit into a Secret of 1 MiB"
  }
}
