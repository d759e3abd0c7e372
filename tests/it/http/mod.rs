//! The `http` action against a service on a real socket.

mod continuing;
mod lambda_invoke;
mod refusals;
mod results;
mod retrying;
mod scenario;
mod service;
