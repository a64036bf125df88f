variable "tenants" {
  description = "Names of the tenants."
  type        = set(string)
}

variable "models_bucket" {
  description = "Bucket of the models; each tenant can read its own folder."
  type        = string
  default     = "models"
}

variable "datasets_bucket" {
  description = "Bucket of the training data; tenants have no access."
  type        = string
  default     = "datasets"
}

variable "artifacts_bucket" {
  description = "Bucket of files that tenants write; each tenant can write to its own folder and cannot read."
  type        = string
  default     = "artifacts"
}
