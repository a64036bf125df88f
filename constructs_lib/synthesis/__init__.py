"""From a platform to manifests: what has not changed is kept or comes from a cache, the rest from several processes."""
