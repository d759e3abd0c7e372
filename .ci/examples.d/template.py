"""Reads a CloudFormation template with the defaults of its parameters, and turns resources into what the services' APIs take."""

import sys
from pathlib import Path

sys.path.insert(0, "deploy")
from generator import cloudformation  # noqa: E402
from generator.evaluate import evaluated  # noqa: E402

PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::StackName": "stack"}


class Template:
    """`attributes` are the values of resources: of !Ref by name, of !GetAtt by name and attribute."""

    def __init__(self, path, **attributes):
        self.template = cloudformation.load(Path(path).read_text("utf-8"))
        defaults = {name: parameter.get("Default", "") for name, parameter in self.template["Parameters"].items()}
        self.values = {**PSEUDO, **defaults, **attributes}

    def properties(self, resource):
        return evaluated(self.template["Resources"][resource]["Properties"], (), self.values)


def to_api(value, plain=("Configuration",)):
    """Members with a small first letter, as in the APIs. The keys of `plain` members are data."""
    if isinstance(value, list):
        return [to_api(member, plain) for member in value]
    if not isinstance(value, dict):
        return value
    return {key[0].lower() + key[1:]: member if key in plain else to_api(member, plain) for key, member in value.items()}
