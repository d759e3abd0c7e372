//! Follows links, each once: where one leads is kept for those that lead through it.

use std::collections::HashMap;
use std::str::Split;

use super::super::error::Problem;
use super::super::stop::Stop;

const ROOT: usize = 0;

/// The paths of all links, component by component.
pub(super) struct Tree<'l> {
    nodes: Vec<Node<'l>>,
    below: HashMap<(usize, &'l str), usize>,
}

struct Node<'l> {
    parent: usize,
    link: Option<Link<'l>>,
}

struct Link<'l> {
    number: usize,
    target: &'l str,
    end: End,
}

/// Where a link leads.
#[derive(Clone, Copy)]
enum End {
    Unknown,
    /// It is being followed: a link that gets here goes round.
    Walking,
    At(Place),
    Nowhere,
}

/// A node, or so many names below it where there is no node. No link can be there, so the names don't matter.
#[derive(Clone, Copy)]
struct Place {
    node: usize,
    beyond: usize,
}

/// A link that is being followed.
struct Walk<'l> {
    link: usize,
    at: Place,
    ahead: Split<'l, char>,
}

/// What comes next on a walk.
enum Step {
    Link(usize),
    Out,
    End,
}

impl<'l> Tree<'l> {
    /// From paths and targets.
    pub(super) fn new(links: &[(&'l str, &'l str)]) -> Self {
        let mut tree = Self { nodes: vec![Node { parent: ROOT, link: None }], below: HashMap::new() };
        for (number, (path, target)) in links.iter().enumerate() {
            let mut at = ROOT;
            for name in path.split('/') {
                at = *tree.below.entry((at, name)).or_insert_with(|| {
                    tree.nodes.push(Node { parent: at, link: None });
                    tree.nodes.len() - 1
                });
            }
            tree.nodes[at].link = Some(Link { number, target, end: End::Unknown });
        }
        tree
    }

    /// The nodes that are links.
    pub(super) fn links(&self) -> Vec<usize> {
        (ROOT..self.nodes.len()).filter(|node| self.nodes[*node].link.is_some()).collect()
    }

    /// Follows the link at a node to its end. Gives the number of the link on its way that leads out, itself included.
    ///
    /// The walks that wait for each other are kept in a list: as calls, a chain of 100 000 links would overflow the stack.
    pub(super) fn leads_out(&mut self, link: usize, stop: &Stop) -> Result<Option<usize>, Problem> {
        let mut walks: Vec<Walk<'l>> = Vec::new();
        let mut next = Some(link);
        loop {
            if let Some(node) = next.take() {
                stop.check()?;
                let parent = self.nodes[node].parent;
                let Some(link) = &mut self.nodes[node].link else { continue };
                match link.end {
                    End::At(place) => {
                        if let Some(walk) = walks.last_mut() {
                            walk.at = place;
                        }
                    }
                    // All that wait for it lead nowhere too.
                    End::Walking | End::Nowhere => {
                        for walk in walks.drain(..) {
                            self.ends(walk.link, End::Nowhere);
                        }
                    }
                    End::Unknown if link.target.starts_with('/') => return Ok(Some(link.number)),
                    End::Unknown => {
                        link.end = End::Walking;
                        let at = Place { node: parent, beyond: 0 };
                        walks.push(Walk { link: node, at, ahead: link.target.split('/') });
                    }
                }
            }
            let Some(walk) = walks.last_mut() else { return Ok(None) };
            match self.step(walk) {
                Step::Link(node) => next = Some(node),
                Step::Out => return Ok(self.nodes[walk.link].link.as_ref().map(|link| link.number)),
                Step::End => {
                    let (link, place) = (walk.link, walk.at);
                    self.ends(link, End::At(place));
                    walks.pop();
                    if let Some(waiting) = walks.last_mut() {
                        waiting.at = place;
                    }
                }
            }
        }
    }

    fn ends(&mut self, node: usize, end: End) {
        if let Some(link) = &mut self.nodes[node].link {
            link.end = end;
        }
    }

    /// Goes on until a link, the outside, or the target's end.
    fn step(&self, walk: &mut Walk<'l>) -> Step {
        for name in walk.ahead.by_ref() {
            let Place { node, beyond } = &mut walk.at;
            match name {
                "" | "." => {}
                ".." if *beyond > 0 => *beyond -= 1,
                ".." if *node == ROOT => return Step::Out,
                ".." => *node = self.nodes[*node].parent,
                _ if *beyond > 0 => *beyond += 1,
                name => match self.below.get(&(*node, name)) {
                    None => *beyond = 1,
                    Some(link) if self.nodes[*link].link.is_some() => return Step::Link(*link),
                    Some(folder) => *node = *folder,
                },
            }
        }
        Step::End
    }
}
