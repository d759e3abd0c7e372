//! What services answer and what tokens say, for `fuzz/`. No part of the public API.

use super::address::Address;
use super::reply;
use super::token::Token;

/// What is wrong with the body of an answer that ends the work, or that says that it goes on.
///
/// # Errors
/// As text, what each of the two has against the contract.
pub fn reply(body: &[u8]) -> [Result<(), String>; 2] {
    let result = reply::result(body).map(drop).map_err(|mistake| mistake.to_string());
    let progress = reply::progress(body).map(drop).map_err(|mistake| mistake.to_string());
    [result, progress]
}

/// Where requests go when a service that is configured with the URL `service` names a location.
///
/// # Errors
/// As text, when they go nowhere.
pub fn location(service: &str, header: &str) -> Result<String, String> {
    let address = Address::parse(service).map_err(|mistake| mistake.to_string())?;
    address.location(address.url(), header).map(String::from).map_err(str::to_owned)
}

/// Reads a token, writes it again and reads that: what came out each time, summaries apart, which may be cut.
///
/// # Errors
/// As text, when it is none of this action's.
pub fn token(service: &str, text: &str) -> Result<[String; 2], String> {
    let address = Address::parse(service).map_err(|mistake| mistake.to_string())?;
    let read = |text: &str| Token::read(text, &address).map_err(|failure| failure.message);
    let shown = |token: &Token| format!("{} {:?}", token.location, token.not_before);
    let first = read(text)?;
    let again = first.write().map_err(|failure| failure.message)?;
    Ok([shown(&first), shown(&read(&again)?)])
}
