#[cfg(feature = "faults")]
mod abort;
mod basics;
mod crash;
mod faults;
mod rpc;
mod world;
