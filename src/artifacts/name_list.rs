//! Names for a log line: the first few, and how many more there are.

/// The number of entries that the log names. It only counts the others.
const MAX_NAMED: usize = 8;

/// The entries that a log line names.
#[derive(Default)]
pub(super) struct NameList {
    named: Vec<String>,
    count: usize,
}

impl NameList {
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.named.len() < MAX_NAMED {
            self.named.push(text());
        }
        self.count += 1;
    }

    /// The names, separated by commas. Returns `None` for an empty list.
    pub(super) fn text(&self) -> Option<String> {
        let others = self.count - self.named.len();
        match (self.count, others) {
            (0, _) => None,
            (_, 0) => Some(self.named.join(", ")),
            _ => Some(format!("{} and {others} more", self.named.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_names_are_listed_and_the_others_counted() {
        let mut list = NameList::default();
        assert_eq!(list.text(), None);
        list.add(|| "a".to_owned());
        list.add(|| "b".to_owned());
        assert_eq!(list.text().as_deref(), Some("a, b"));
        (0..100).for_each(|_| list.add(|| "x".to_owned()));
        assert_eq!(list.text().as_deref(), Some("a, b, x, x, x, x, x, x and 94 more"));
    }
}
