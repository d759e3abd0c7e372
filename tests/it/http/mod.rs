//! The `http` action against a service on a real socket.

mod going_on;
mod refusals;
mod results;
mod scenario;
mod service;
mod trying_again;
