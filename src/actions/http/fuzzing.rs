//! Parsers of responses and tokens, for `fuzz/`. They are not part of the public API.

use super::address::Address;
use super::reply;
use super::token::Token;

/// Parses the body of a response, first as the result of the work, then as progress of continuing work.
///
/// # Errors
/// Returns, as text, how the body breaks each of the two contracts.
pub fn reply(body: &[u8]) -> [Result<(), String>; 2] {
    let result = reply::result(body).map(drop).map_err(|mistake| mistake.to_string());
    let progress = reply::progress(body).map(drop).map_err(|mistake| mistake.to_string());
    [result, progress]
}

/// The URL of the next request if a service with the configured URL `service` names a location.
///
/// # Errors
/// Returns, as text, the rule that the location breaks.
pub fn location(service: &str, header: &str) -> Result<String, String> {
    let address = Address::parse(service).map_err(|mistake| mistake.to_string())?;
    address.location(address.url(), header).map(String::from).map_err(str::to_owned)
}

/// Reads a token, writes it and reads it again. Returns both, without their summaries, which the worker may cut.
///
/// # Errors
/// Returns, as text, why the token is not valid for the service.
pub fn token(service: &str, text: &str) -> Result<[String; 2], String> {
    let address = Address::parse(service).map_err(|mistake| mistake.to_string())?;
    let read = |text: &str| Token::read(text, &address).map_err(|failure| failure.message);
    let shown = |token: &Token| format!("{} {:?}", token.location, token.not_before);
    let first = read(text)?;
    let again = first.write().map_err(|failure| failure.message)?;
    Ok([shown(&first), shown(&read(&again)?)])
}
