//! The keeper against the fault rig. A test's name begins with the number of its case in docs/faults.md.

#[cfg(feature = "grpc")]
mod grpc;
mod landing;
mod pace;
mod post;
mod rehearse;
mod sources;
mod steps;
