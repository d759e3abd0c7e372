locals {
  shell = aws_codepipeline_custom_action_type.shell
}

# A pipeline of type V2, with variables. Its executions wait for each other.
resource "aws_codepipeline" "web" {
  name           = "web"
  role_arn       = local.role
  pipeline_type  = "V2"
  execution_mode = "QUEUED"

  artifact_store {
    type     = "S3"
    location = aws_s3_bucket.artifacts.bucket
  }

  variable {
    name          = "Target"
    default_value = "all"
    description   = "The target that make builds"
  }

  stage {
    name = "Source"

    action {
      name             = "Fetch"
      category         = "Source"
      owner            = "AWS"
      provider         = "S3"
      version          = "1"
      namespace        = "Source"
      output_artifacts = ["Source"]

      configuration = {
        S3Bucket             = aws_s3_object.source.bucket
        S3ObjectKey          = aws_s3_object.source.key
        PollForSourceChanges = "false"
      }
    }
  }

  stage {
    name = "Test"

    action {
      name            = "Unit"
      category        = local.shell.category
      owner           = local.shell.owner
      provider        = local.shell.provider_name
      version         = local.shell.version
      run_order       = 1
      input_artifacts = ["Source"]

      configuration = {
        Project = "web"
        Command = "make test"
      }
    }

    action {
      name             = "Build"
      category         = local.shell.category
      owner            = local.shell.owner
      provider         = local.shell.provider_name
      version          = local.shell.version
      run_order        = 2
      namespace        = "Build"
      input_artifacts  = ["Source"]
      output_artifacts = ["Site"]

      configuration = {
        Project = "web"
        Command = "make #{variables.Target} REVISION=#{Source.ETag}"
      }
    }
  }

  dynamic "stage" {
    for_each = var.approval ? ["Approve"] : []

    content {
      name = stage.value

      action {
        name               = "Ask"
        category           = "Approval"
        owner              = "AWS"
        provider           = "Manual"
        version            = "1"
        timeout_in_minutes = 60

        configuration = {
          CustomData = "Execution #{codepipeline.PipelineExecutionId}"
        }
      }
    }
  }

  stage {
    name = "Deploy"

    action {
      name            = "Publish"
      category        = "Invoke"
      owner           = "AWS"
      provider        = "Lambda"
      version         = "1"
      input_artifacts = ["Site"]

      configuration = {
        # The emulator invokes the function of `serve --function`, even if the name here differs.
        FunctionName   = "publish"
        UserParameters = jsonencode({ target = "#{variables.Target}" })
      }
    }
  }

  tags = { Kind = "pipeline" }
}

# A pipeline of type V1. Its artifacts are encrypted with a key that it names.
resource "aws_codepipeline" "nightly" {
  name          = "nightly"
  role_arn      = local.role
  pipeline_type = "V1"

  artifact_store {
    type     = "S3"
    location = aws_s3_bucket.artifacts.bucket

    encryption_key {
      id   = local.key
      type = "KMS"
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Fetch"
      category         = "Source"
      owner            = "AWS"
      provider         = "S3"
      version          = "1"
      output_artifacts = ["Source"]

      configuration = {
        S3Bucket             = aws_s3_object.source.bucket
        S3ObjectKey          = aws_s3_object.source.key
        PollForSourceChanges = "false"
      }
    }
  }

  stage {
    name = "Test"

    action {
      name            = "Soak"
      category        = local.shell.category
      owner           = local.shell.owner
      provider        = local.shell.provider_name
      version         = local.shell.version
      input_artifacts = ["Source"]

      configuration = {
        Project = "nightly"
        Command = "make soak"
      }
    }
  }

  tags = { Kind = "pipeline" }
}
