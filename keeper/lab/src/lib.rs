//! The lab: every automated response is tried here before it may act on anybody's funds.
//!
//! Owns recorded markets (`data`), generated ones (`market`), attacks (`attack`), the pool simulator (`pool`), policies side by side
//! (`policy`, `backtest`), training (`train`, `learn`), the weekly refit of the policy (`refit`), honest evaluation (`evaluate`), the gate for configurations (`validate`), resumable
//! sweeps (`sweep`), the study of hedging one asset by another (`hedge`), what single defences can do at all (`probe`) and the report (`report`). What runs for long is done in
//! parts (`work`). The pool runs the program's own rule and risk code, and the score is the keeper's own
//! (`rampart-score`): what decides here decides live.
//!
//! Called by the binary `rampart-lab` and by `rampart lab`, through `cli`.

pub mod attack;
pub mod backtest;
pub mod cli;
pub mod data;
pub mod evaluate;
pub mod hedge;
pub mod learn;
pub mod market;
pub mod policy;
pub mod pool;
pub mod probe;
pub mod refit;
pub mod report;
pub mod story;
pub mod sweep;
pub mod time;
pub mod train;
pub mod validate;
pub mod whole;
pub mod work;
