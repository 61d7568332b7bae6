#[cfg(feature = "faults")]
mod abort;
mod alone;
mod basics;
mod crash;
mod faults;
mod rpc;
mod world;
