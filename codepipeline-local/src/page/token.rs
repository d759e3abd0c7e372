//! The token in the page's address. It proves that the person at the browser started the emulator, or was told the address.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The bytes of a token: 256 random bits.
const BYTES: usize = 32;
/// The file in a data folder.
const FILE: &str = "page-token";

/// The page's token.
pub(super) struct Token(SecretString);

impl Token {
    /// A new token.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(text.into()))
    }

    /// The token in a data folder, so that an open page works after a restart. Creates it if it is missing, or if others may have read it.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        let file = folder.join(FILE);
        if let Some(token) = kept(&file) {
            return Ok(token);
        }
        let token = Self::random()?;
        let written = write(&file, &token);
        written.map_err(|error| io::Error::other(format!("could not write {}: {error}", file.display())))?;
        Ok(token)
    }

    /// Whether a client gave this token. Compares hashes, so the time shows nothing about the token.
    pub(super) fn is(&self, given: &str) -> bool {
        Sha256::digest(given) == Sha256::digest(self.expose())
    }

    /// The token, for the page's address.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn kept(file: &Path) -> Option<Token> {
    let file = File::open(file).ok()?;
    let is_private = file.metadata().ok()?.permissions().mode() & 0o077 == 0;
    let mut text = String::new();
    file.take(2 * BYTES as u64 + 1).read_to_string(&mut text).ok()?;
    let is_token = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_private && is_token).then(|| Token(text.into()))
}

fn write(file: &Path, token: &Token) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    // An existing file keeps its mode.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(token.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_long_and_random() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.expose().len(), 64);
        assert_ne!(one.expose(), other.expose());
        assert!(one.is(one.expose()) && !one.is(other.expose()) && !one.is("") && !one.is(&one.expose()[..63]));
    }

    #[test]
    fn folder_keeps_its_token() {
        let folder = tempfile::tempdir().unwrap();
        let first = Token::of_folder(folder.path()).unwrap();
        assert!(Token::of_folder(folder.path()).unwrap().is(first.expose()));
        let file = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn token_that_others_may_know_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let first = Token::of_folder(folder.path()).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let second = Token::of_folder(folder.path()).unwrap();
        assert!(!second.is(first.expose()));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        assert_eq!(Token::of_folder(folder.path()).unwrap().expose().len(), 64);
    }
}
