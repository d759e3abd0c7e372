# The bucket of the pipelines' source. S3 sources need a bucket with versions.
resource "aws_s3_bucket" "sources" {
  bucket        = "web-sources"
  force_destroy = true
  tags          = { Kind = "sources" }
}

resource "aws_s3_bucket_versioning" "sources" {
  bucket = aws_s3_bucket.sources.id

  versioning_configuration {
    status = "Enabled"
  }
}

# A zip archive with a Makefile.
resource "aws_s3_object" "source" {
  bucket         = aws_s3_bucket_versioning.sources.bucket
  key            = "source.zip"
  content_type   = "application/zip"
  content_base64 = "UEsDBBQAAAAIAAAAQQCqNRbeIAAAAB4AAAAIAAAATWFrZWZpbGVLzMlRKEktLlEozk/MtuLidEhNzshXyE1MSVVQceACAFBLAQIUAxQAAAAIAAAAQQCqNRbeIAAAAB4AAAAIAAAAAAAAAAAAAACkAQAAAABNYWtlZmlsZVBLBQYAAAAAAQABADYAAABGAAAAAAA="
}

# The bucket of the pipelines' artifacts.
resource "aws_s3_bucket" "artifacts" {
  bucket        = "web-artifacts"
  force_destroy = true
  tags          = { Kind = "artifacts" }
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.key
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "old-artifacts"
    status = "Enabled"

    filter {
      prefix = "nightly/"
    }

    expiration {
      days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyUnEncryptedObjectUploads"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.artifacts.arn}/*"
      Condition = { StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" } }
    }]
  })
}
