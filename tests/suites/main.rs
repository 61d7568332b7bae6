//! All suites that run the built program in LiteSVM, in one binary.

mod actions;
mod smoke;
mod supply;
mod initialize_guard;
mod register_asset;
mod withdraw;
mod deposit_collateral;
mod withdraw_collateral;
mod borrow;
mod repay;
mod accrue;
mod open_position;
mod close_position;
mod conformance;
mod forced;
mod limiter;
mod liquidate;
mod deleverage;
mod token_2022;
mod invariants;
