//! What the keeper decides and plans, landed on the built program and the real SPL Token Swap.

mod liquidation;
mod liquidity;
mod quote;
mod rebalance;
mod report;
mod scale;
mod settle;
