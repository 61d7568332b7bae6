#[cfg(feature = "faults")]
mod abort;
mod alone;
mod basics;
mod crash;
mod faults;
mod rehearse;
mod restart;
mod rpc;
pub(super) mod world;
