//! Makes the tree of a YAML text from the parser's events.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::limits::{MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_NODES, MAX_REPEATED};
use super::node::{Content, Node, Scalar};
use super::unreadable::Unreadable;

/// The prefix of YAML's own tags, as in `!!str`.
const OWN_TAGS: &str = "tag:yaml.org,2002:";

pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    read_as(text, None).map(|(root, _)| root)
}

/// Reads a text. The last value of a repeated key counts. Returns the repeated keys, too.
pub(super) fn read_last_values(text: &str) -> Result<(Node, Vec<Repeated>), Unreadable> {
    read_as(text, Some(Vec::new()))
}

fn read_as(text: &str, repeated: Option<Vec<Repeated>>) -> Result<(Node, Vec<Repeated>), Unreadable> {
    let mut builder = Builder { nodes: MAX_NODES, bytes: MAX_EXPANDED_BYTES, repeated, ..Builder::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Unreadable {
            line: Some(error.marker().line()),
            why: format!("is not valid YAML: {}", error.info()),
        })?;
        builder.line = span.start.line();
        builder.take(event)?;
    }
    let root = builder.root.ok_or_else(|| Unreadable { line: None, why: "holds no YAML".to_owned() })?;
    Ok((root, builder.repeated.unwrap_or_default()))
}

/// A key that a map has twice.
#[derive(Debug, PartialEq)]
pub(crate) struct Repeated {
    pub(crate) key: String,
    /// Where the key stands again.
    pub(crate) line: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// The finished values that aliases may name.
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    line: usize,
    /// The repeated keys so far. Without a list, a repeated key is an error.
    repeated: Option<Vec<Repeated>>,
    /// How much of each limit remains.
    nodes: usize,
    bytes: usize,
}

/// A list or map whose end has not come.
struct Open {
    anchor: usize,
    node: Node,
    /// The keys of a map so far.
    keys: HashSet<String>,
    /// The key of a map whose value comes next, and its line.
    key: Option<(String, usize)>,
    /// The maps of `<<`.
    merged: Vec<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), Unreadable> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                self.charge(1, text.len())?;
                let (tag, is_text) = short(tag.as_deref());
                let scalar = Scalar { text: text.into_owned(), plain: plain && !is_text };
                let node = self.node(tag, Content::Scalar(scalar));
                self.finish(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(anchor, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => self.open(anchor, tag.as_deref(), Content::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(mut open) => {
                    self.line = open.node.line.unwrap_or(self.line);
                    merge(&mut open);
                    self.finish(open.node, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.wrong("an alias names a value that is not complete yet"));
                };
                self.charge_copy(&node)?;
                self.add(node)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.wrong("holds a second document; put each into a file of its own"))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), Unreadable> {
        self.charge(1, 0)?;
        if self.open.len() == MAX_DEPTH {
            return Err(self.too_deep());
        }
        let node = self.node(short(tag).0, content);
        self.open.push(Open { anchor, node, keys: HashSet::new(), key: None, merged: Vec::new() });
        Ok(())
    }

    fn node(&self, tag: Option<String>, content: Content) -> Node {
        Node { tag, line: Some(self.line), content }
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        if anchor > 0 {
            self.charge_copy(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node)
    }

    /// Adds a complete value to the list or map that is open.
    fn add(&mut self, mut node: Node) -> Result<(), Unreadable> {
        let line = self.line;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.content {
            Content::List(items) => items.push(node),
            Content::Map(entries) => match open.key.take() {
                Some((key, _)) if key == "<<" => open.merged.push(node),
                Some((key, key_line)) => {
                    node.line = Some(key_line);
                    entries.push((key, node));
                }
                None => {
                    let Content::Scalar(key) = node.content else {
                        return Err(self.wrong("a key is not a text"));
                    };
                    if key.text != "<<" && !open.keys.insert(key.text.clone()) {
                        match &mut self.repeated {
                            Some(repeated) if repeated.len() < MAX_REPEATED => {
                                entries.retain(|(earlier, _)| *earlier != key.text);
                                repeated.push(Repeated { key: key.text.clone(), line });
                            }
                            _ => {
                                let key = key.text.escape_debug();
                                return Err(self.wrong(&format!("the key \"{key}\" appears twice")));
                            }
                        }
                    }
                    open.key = Some((key.text, line));
                }
            },
            Content::Scalar(_) => {}
        }
        Ok(())
    }

    fn charge(&mut self, nodes: usize, bytes: usize) -> Result<(), Unreadable> {
        match (self.nodes.checked_sub(nodes), self.bytes.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => {
                (self.nodes, self.bytes) = (nodes, bytes);
                Ok(())
            }
            _ => Err(self.wrong(&format!(
                "has more than {MAX_NODES} values or {MAX_EXPANDED_BYTES} bytes with its aliases expanded"
            ))),
        }
    }

    /// Charges for a copy, which is nested below what is open.
    fn charge_copy(&mut self, node: &Node) -> Result<(), Unreadable> {
        let size = Size::of(node);
        self.charge(size.nodes, size.bytes)?;
        if self.open.len() + size.depth > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&self) -> Unreadable {
        self.wrong(&format!("is nested deeper than {MAX_DEPTH} levels"))
    }

    fn wrong(&self, why: &str) -> Unreadable {
        Unreadable { line: Some(self.line), why: why.to_owned() }
    }
}

/// Adds the entries of `<<` that the map itself lacks. The first map that has a key wins.
fn merge(open: &mut Open) {
    let Content::Map(entries) = &mut open.node.content else { return };
    for merged in std::mem::take(&mut open.merged) {
        let maps = if merged.is_map() { vec![&merged] } else { merged.items().iter().collect() };
        for (key, node) in maps.into_iter().flat_map(Node::entries) {
            if open.keys.insert(key.clone()) {
                entries.push((key.clone(), node.clone()));
            }
        }
    }
}

/// The tag without its mark, and whether it makes any scalar a text.
fn short(tag: Option<&Tag>) -> (Option<String>, bool) {
    match tag {
        None => (None, false),
        Some(tag) if tag.handle == OWN_TAGS => (None, tag.suffix == "str"),
        // The tag `!` alone.
        Some(tag) if tag.suffix.is_empty() || tag.suffix == "!" => (None, true),
        Some(tag) => (Some(tag.suffix.clone()), false),
    }
}

struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl Size {
    fn of(node: &Node) -> Self {
        let (keys, children): (usize, Vec<&Node>) = match &node.content {
            Content::Scalar(scalar) => return Self { nodes: 1, bytes: scalar.text.len(), depth: 0 },
            Content::List(items) => (0, items.iter().collect()),
            Content::Map(entries) => {
                (entries.iter().map(|(key, _)| key.len()).sum(), entries.iter().map(|(_, node)| node).collect())
            }
        };
        let mut size = Self { nodes: 1, bytes: keys, depth: 1 };
        for child in children.into_iter().map(Self::of) {
            size.nodes += child.nodes;
            size.bytes += child.bytes;
            size.depth = size.depth.max(child.depth + 1);
        }
        size
    }
}
