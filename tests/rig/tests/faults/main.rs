//! The keeper against the fault rig. A test's name begins with the number of its case in docs/faults.md.

mod landing;
mod sources;
mod steps;
