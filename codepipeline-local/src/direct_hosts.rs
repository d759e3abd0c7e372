//! The hosts that programs call without a proxy, in `NO_PROXY` and `no_proxy`.

use std::collections::BTreeMap;

/// Programs read one or the other.
const NAMES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The entry for all hosts. Some programs understand it only alone.
const ALL: &str = "*";

/// The variables for clients of the emulator at this endpoint. They keep the hosts of the emulator's own environment.
pub(crate) fn variables(endpoint: &str) -> BTreeMap<String, String> {
    let hosts = [host(endpoint), "127.0.0.1", "localhost"].join(",");
    // An address of version 6 stands in brackets for some programs, and without them for others.
    let hosts = match host(endpoint).strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => format!("{address},{hosts}"),
        None => hosts,
    };
    both(&list(of_user().chain([hosts])))
}

/// The variables with the hosts of these environments. Empty if neither has one of them.
pub(crate) fn joined(environments: [&BTreeMap<String, String>; 2]) -> BTreeMap<String, String> {
    let lists = environments.into_iter().flat_map(|environment| NAMES.iter().filter_map(|name| environment.get(*name)));
    let mut lists = lists.cloned().peekable();
    if lists.peek().is_none() { BTreeMap::new() } else { both(&list(lists)) }
}

fn both(list: &str) -> BTreeMap<String, String> {
    NAMES.into_iter().map(|name| (name.to_owned(), list.to_owned())).collect()
}

/// The entries of these lists, each once.
fn list(lists: impl Iterator<Item = String>) -> String {
    let mut entries: Vec<String> = Vec::new();
    for list in lists {
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry == ALL {
                return ALL.to_owned();
            }
            if !entries.iter().any(|known| known == entry) {
                entries.push(entry.to_owned());
            }
        }
    }
    entries.join(",")
}

#[expect(
    clippy::disallowed_methods,
    reason = "clients of the emulator call the hosts of its user without a proxy, too"
)]
fn of_user() -> impl Iterator<Item = String> {
    NAMES.into_iter().filter_map(|name| std::env::var(name).ok())
}

/// The host of an URL without a path.
fn host(endpoint: &str) -> &str {
    let address = endpoint.strip_prefix("http://").unwrap_or(endpoint);
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(lists: &[&str]) -> String {
        list(lists.iter().map(|list| (*list).to_owned()))
    }

    #[test]
    fn entries_are_listed_once() {
        assert_eq!(listed(&["a, .b.example:80,,", "127.0.0.1,a"]), "a,.b.example:80,127.0.0.1");
        assert_eq!(listed(&["", " "]), "");
    }

    #[test]
    fn entry_for_all_hosts_stays_alone() {
        assert_eq!(listed(&["*", "127.0.0.1"]), "*");
        assert_eq!(listed(&["127.0.0.1", "a, *"]), "*");
    }

    #[test]
    fn address_of_version_6_has_both_forms() {
        let hosts = variables("http://[::1]:4566")["no_proxy"].clone();
        assert!(hosts.ends_with("::1,[::1],127.0.0.1,localhost"), "{hosts}");
        assert_eq!(host("http://192.0.2.7:80"), "192.0.2.7");
    }
}
