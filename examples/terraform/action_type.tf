# A type can't be changed: Terraform replaces it. Raise the version with every change, then update the pipelines that use it.
resource "aws_codepipeline_custom_action_type" "shell" {
  category      = "Test"
  provider_name = "Check"
  version       = "1"

  settings {
    entity_url_template    = "https://ci.example.com/{Config:Project}"
    execution_url_template = "https://ci.example.com/{Config:Project}/builds/{ExternalExecutionId}"
    revision_url_template  = "https://ci.example.com/{Config:Project}/edit"
  }

  configuration_property {
    name        = "Project"
    description = "The worker polls for jobs with this value"
    type        = "String"
    required    = true
    key         = true
    secret      = false
    queryable   = true
  }

  configuration_property {
    name        = "Command"
    description = "Bash runs it in the folder of the first input artifact"
    type        = "String"
    required    = true
    key         = false
    secret      = false
  }

  configuration_property {
    name     = "ApiToken"
    required = false
    key      = false
    secret   = true
  }

  input_artifact_details {
    minimum_count = 0
    maximum_count = 5
  }

  output_artifact_details {
    minimum_count = 0
    maximum_count = 5
  }

  tags = { Kind = "action-type" }
}
