# A custom action type, its pipelines and their buckets, which the AWS provider creates in codepipeline-local.
#
#   cargo run -p codepipeline-local -- serve
#   terraform init && terraform apply

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "endpoint" {
  description = "The address that `serve` prints"
  type        = string
  default     = "http://127.0.0.1:4566"
}

variable "team" {
  description = "The team in every tag"
  type        = string
  default     = "web"
}

variable "approval" {
  description = "Whether a person approves the output of the V2 pipeline's build"
  type        = bool
  default     = false
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true

  # The provider asks STS for the account, because every ARN contains it.
  endpoints {
    codepipeline = var.endpoint
    s3           = var.endpoint
    sts          = var.endpoint
  }

  default_tags {
    tags = { Team = var.team }
  }
}

# The emulator uses neither IAM nor KMS, so the role and the key need not exist.
locals {
  role = "arn:aws:iam::123456789012:role/pipeline"
  key  = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
}
