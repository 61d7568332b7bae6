//! All suites that run the built program in LiteSVM, in one binary.

mod smoke;
