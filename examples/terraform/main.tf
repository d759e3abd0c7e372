# A custom action type, its pipelines and their buckets, made in codepipeline-local by the AWS provider.
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
  description = "The team that everything is tagged with"
  type        = string
  default     = "web"
}

variable "approval" {
  description = "Whether a person approves what the V2 pipeline has built"
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

  # STS tells the provider the account, which is a part of every ARN that the provider makes.
  endpoints {
    codepipeline = var.endpoint
    s3           = var.endpoint
    sts          = var.endpoint
  }

  default_tags {
    tags = { Team = var.team }
  }
}

# The emulator asks neither IAM nor KMS, so that the role and the key need not exist.
locals {
  role = "arn:aws:iam::123456789012:role/pipeline"
  key  = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
}
