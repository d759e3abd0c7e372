"""Reads a CloudFormation template with the defaults of its parameters, and turns resources into what the services' APIs take."""

import re
from pathlib import Path

import yaml

PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::StackName": "stack"}


class Tagged:
    """A short tag of CloudFormation, such as !Ref."""

    def __init__(self, name, value):
        self.name, self.value = name, value


class Loader(yaml.SafeLoader):
    pass


def tagged(loader, suffix, node):
    construct = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    return Tagged(suffix, construct[type(node)](node, **({"deep": True} if isinstance(node, yaml.SequenceNode) else {})))


Loader.add_multi_constructor("!", tagged)


class Template:
    """`attributes` are the values of resources: of !Ref by name, of !GetAtt by name and attribute."""

    def __init__(self, path, **attributes):
        self.template = yaml.load(Path(path).read_text("utf-8"), Loader)
        defaults = {name: parameter.get("Default", "") for name, parameter in self.template["Parameters"].items()}
        self.values = {**PSEUDO, **defaults, **attributes}

    def properties(self, resource):
        return self.resolved(self.template["Resources"][resource]["Properties"])

    def resolved(self, value):
        if isinstance(value, dict):
            return {key: self.resolved(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.resolved(member) for member in value]
        if not isinstance(value, Tagged):
            return value
        if value.name in ("Ref", "GetAtt"):
            return self.values[value.value]
        if value.name == "Sub" and isinstance(value.value, str):
            return re.sub(r"\$\{([^}]+)\}", lambda name: self.values[name[1]], value.value)
        raise NotImplementedError(f"!{value.name} {value.value}")


def to_api(value, plain=("Configuration",)):
    """Members with a small first letter, as in the APIs. The keys of `plain` members are data."""
    if isinstance(value, list):
        return [to_api(member, plain) for member in value]
    if not isinstance(value, dict):
        return value
    return {key[0].lower() + key[1:]: member if key in plain else to_api(member, plain) for key, member in value.items()}
