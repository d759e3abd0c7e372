//! `Fn::Sub`

use std::collections::BTreeMap;

use super::{Resolved, Resolver};
use crate::template::place::Place;
use crate::yaml::Node;

impl<'a> Resolver<'a> {
    /// Replaces each `${Name}` and `${LogicalId.Attribute}`. `${!Name}` stays as `${Name}`.
    pub(super) fn sub(&mut self, argument: &'a Node, place: &Place<'_>) -> Resolved {
        let none: &[(String, Node)] = &[];
        let (text, variables) = match argument.items() {
            [text, variables] if variables.is_map() => (text, variables.entries()),
            [text] => (text, none),
            _ => (argument, none),
        };
        let Some(text) = text.text() else {
            return self.unresolved(place, "must be a text, or a text and a map of variables");
        };
        let variables: BTreeMap<&str, &'a Node> = variables.iter().map(|(name, node)| (name.as_str(), node)).collect();
        let list = place.item(1);
        let mut out = String::new();
        let mut complete = true;
        for piece in pieces(text) {
            let piece = match piece {
                Piece::Text(text) => Ok(text.to_owned()),
                Piece::Name(name) => match variables.get(name) {
                    Some(node) => self.text(node, &list.member(name)),
                    None => self.named(name, place),
                },
            };
            match piece {
                Ok(piece) => {
                    self.charge(piece.len(), place)?;
                    out.push_str(&piece);
                }
                Err(_) => complete = false,
            }
        }
        if complete { self.made(out, place) } else { Err(super::Absent::Unresolved) }
    }
}

enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// Splits the text at its names. A `${` without its `}` is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        pieces.push(Piece::Text(before));
        match name.strip_prefix('!') {
            Some(literal) => pieces.extend([Piece::Text("${"), Piece::Text(literal), Piece::Text("}")]),
            None => pieces.push(Piece::Name(name.trim())),
        }
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}
