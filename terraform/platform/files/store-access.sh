#!/bin/sh
# Makes the object store's buckets, policies and users what Terraform says they are; run by one Job, again on any change.
# Everything here may be repeated. It needs only MinIO's client and a POSIX shell.
#
#   MC_HOST_store   the store's address with the root user's keys, as MinIO's client reads it
#   BUCKETS         names of the buckets, separated by blanks
#   USER_PREFIX     users of this prefix that have no file below are removed
#   ACCESS          folder with policies/<user>.json and users/<user> (the file's content is the user's secret key)
set -eu

say() { printf '%s\n' "$*"; }

attempts=60
until mc ready store >/dev/null 2>&1; do
  attempts=$((attempts - 1))
  if [ "$attempts" -eq 0 ]; then
    say "the object store was not ready within two minutes; is its pod running?" >&2
    exit 1
  fi
  sleep 2
done

for bucket in $BUCKETS; do
  mc mb --quiet --ignore-existing "store/$bucket"
done

for file in "$ACCESS"/users/*; do
  user=${file##*/}
  mc admin policy create store "$user" "$ACCESS/policies/$user.json" >/dev/null
  # The keys go in by standard input, so that no list of processes shows them. Adding a user that exists sets its key.
  printf '%s\n%s\n' "$user" "$(cat "$file")" | mc admin user add store >/dev/null
  if ! problem=$(mc admin policy attach store "$user" --user "$user" 2>&1); then
    # Attached before: no fault, as long as it is really this policy.
    case $(mc admin user info store "$user" --json) in
      *\"policyName\":\"$user\"*) ;;
      *) say "$problem" >&2; exit 1 ;;
    esac
  fi
  say "user $user: limited by the policy of that name"
done

mc admin user ls store | while read -r _ user _; do
  case $user in
    "$USER_PREFIX"*)
      if [ ! -e "$ACCESS/users/$user" ]; then
        mc admin user rm store "$user" >/dev/null
        mc admin policy rm store "$user" >/dev/null
        say "user $user: removed, its tenant is gone"
      fi
      ;;
  esac
done
say "the object store is as Terraform says"
