#!/bin/sh
# Creates the object store's buckets, policies and users as Terraform defines them. One Job runs it, again after every change.
# It is idempotent, and needs only MinIO's client and a POSIX shell.
#
#   MC_HOST_store   address of the store with the credentials of the root user, in the format of MinIO's client
#   BUCKETS         names of the buckets, separated by spaces
#   USER_PREFIX     users with this prefix that have no file below are removed
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
  # Keys are passed on standard input, so that process lists do not show them. Adding an existing user sets its key.
  printf '%s\n%s\n' "$user" "$(cat "$file")" | mc admin user add store >/dev/null
  if ! problem=$(mc admin policy attach store "$user" --user "$user" 2>&1); then
    # Already attached: not an error if it is this policy.
    case $(mc admin user info store "$user" --json) in
      *\"policyName\":\"$user\"*) ;;
      *) say "$problem" >&2; exit 1 ;;
    esac
  fi
  say "user $user: has the policy of the same name"
done

mc admin user ls store | while read -r _ user _; do
  case $user in
    "$USER_PREFIX"*)
      if [ ! -e "$ACCESS/users/$user" ]; then
        mc admin user rm store "$user" >/dev/null
        mc admin policy rm store "$user" >/dev/null
        say "user $user: removed, because its tenant was removed"
      fi
      ;;
  esac
done
say "buckets, policies and users are up to date"
