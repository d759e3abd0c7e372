"""CloudFormation's YAML: its short functions such as !Ref, and the marked blocks of a template."""

import re
from dataclasses import dataclass

import yaml


@dataclass(frozen=True)
class Function:
    """A function in its short form. `name` is Ref, Sub, GetAtt, If or another."""

    name: str
    value: object


NO_VALUE = Function("Ref", "AWS::NoValue")


def ref(name):
    return Function("Ref", name)


def sub(text):
    return Function("Sub", text)


def if_(condition, value, otherwise=NO_VALUE):
    return Function("If", [condition, value, otherwise])


class Loader(yaml.SafeLoader):
    """Keeps the functions, and rejects a member that stands twice."""


def _construct_function(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        return Function(name, loader.construct_scalar(node))
    if isinstance(node, yaml.SequenceNode):
        return Function(name, loader.construct_sequence(node, deep=True))
    return Function(name, loader.construct_mapping(node, deep=True))


def _construct_mapping(loader, node):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key, (name, _) in zip(keys, node.value):
        if isinstance(key, (list, dict)):
            raise yaml.constructor.ConstructorError(None, None, "the name of a member must be a text", name.start_mark)
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the member {key} stands twice", name.start_mark)
    return dict(zip(keys, (loader.construct_object(value, deep=True) for _, value in node.value)))


Loader.add_multi_constructor("!", _construct_function)
Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


class Dumper(yaml.SafeDumper):
    """Writes in the style of template.yaml: the elements of a list are indented."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True


def _represent_function(dumper, function):
    tag, value = f"!{function.name}", function.value
    if isinstance(value, str):
        return dumper.represent_scalar(tag, value)
    if isinstance(value, list):
        # A short function of plain values stays in one line.
        flow = all(isinstance(one, str) or one == NO_VALUE for one in value)
        return dumper.represent_sequence(tag, value, flow_style=flow)
    return dumper.represent_mapping(tag, value)


Dumper.add_representer(Function, _represent_function)


def load(text):
    return yaml.load(text, Loader)


def dump(value, indent=0):
    """The value as YAML, with every line indented."""
    text = yaml.dump(value, Dumper=Dumper, sort_keys=False, width=10_000, allow_unicode=True, default_flow_style=False)
    # PyYAML puts quotes around every text with a tag.
    text = re.sub(r"(!(?:Ref|GetAtt|Condition)) '([\w.:]+)'", r"\1 \2", text)
    return "".join(" " * indent + line if line.strip() else line for line in text.splitlines(True))


class WrongMarkers(Exception):
    """A block of the template that has no beginning or no end."""


def replace_blocks(text, contents):
    """Puts each content between the two comments that mark the block of that name."""
    for name, content in contents.items():
        begin, end = f"# Generated from actions.yaml: {name}", f"# End of {name}"
        block = re.compile(rf"(^( *){re.escape(begin)}\n).*?(^ *{re.escape(end)}\n)", re.MULTILINE | re.DOTALL)
        found = block.findall(text)
        if len(found) != 1:
            raise WrongMarkers(f"must have the comments '{begin}' and '{end}' once, one after the other, but has {len(found)} such pairs")
        inner = content(len(found[0][1]))
        text = block.sub(lambda match: match[1] + inner + match[3], text)
    return text
