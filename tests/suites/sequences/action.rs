//! One step of a sequence: what is tried, by whom, and with which numbers.

use proptest::prelude::*;

/// Declares every kind of step with its weight and, where it is an instruction, that instruction's name.
macro_rules! kinds {
    ($($kind:ident $weight:literal $name:literal,)*) => {
        /// What a step does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Returns the name of the instruction; of what happens around the program, a name in capitals.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            fn weight(self) -> u32 {
                match self { $(Self::$kind => $weight,)* }
            }
        }
    };
}

kinds! {
    // owners
    Supply 5 "supply",
    Withdraw 8 "withdraw",
    Deposit 4 "deposit_collateral",
    TakeOut 8 "withdraw_collateral",
    Borrow 12 "borrow",
    Repay 3 "repay",
    Accrue 1 "accrue",
    Open 2 "open_position",
    Close 2 "close_position",
    Liquidate 8 "liquidate",
    Deleverage 8 "deleverage",
    LiquidateBySwap 4 "liquidate_by_swap",
    Request 4 "request_withdrawal",
    Claim 4 "claim_withdrawal",
    ClaimCollateral 3 "claim_collateral",
    Cancel 1 "cancel_withdrawal",
    // evidence
    Observe 2 "observe",
    ObserveRule 3 "observe_rule",
    Trip 9 "trip",
    StepDown 5 "step_down",
    TripGroup 4 "trip_group",
    StepDownGroup 4 "step_down_group",
    MarkHalt 2 "mark_halt",
    OpenReport 1 "open_report",
    SubmitReport 4 "submit_report",
    ScaleRisk 3 "scale_risk",
    // shortfall and Resolution
    RecordShortfall 1 "record_shortfall",
    EnterResolution 1 "enter_resolution",
    LeaveResolution 2 "leave_resolution",
    ClaimResolution 2 "claim_resolution",
    // guardians and resetter
    Pause 4 "guardian_pause",
    Halt 3 "guardian_halt",
    Lift 4 "lift_pause",
    Reset 4 "reset_breaker",
    // tightening
    TightenVault 2 "tighten_vault",
    TightenRule 2 "tighten_rule",
    TightenIntegration 2 "tighten_integration",
    SetKeepers 2 "set_keepers",
    SetBounty 1 "set_bounty",
    WithdrawBounty 1 "withdraw_bounty",
    NarrowBounds 2 "narrow_bounds",
    FreezeForever 1 "freeze_forever",
    ActivateStandby 1 "activate_standby",
    // the census
    OpenCensus 1 "open_census",
    CountCensus 2 "count_census",
    CloseCensus 1 "close_census",
    // the dollar limit
    InitializeAggregate 2 "initialize_aggregate",
    TightenAggregate 1 "tighten_aggregate",
    Lease 3 "lease_budget",
    ReturnLease 2 "return_lease",
    // swaps
    CreateSwapPolicy 1 "create_swap_policy",
    TightenSwapPolicy 1 "tighten_swap_policy",
    // the reserve
    InitializeReserve 1 "initialize_reserve",
    FundReserve 2 "fund_reserve",
    Rebalance 5 "rebalance",
    WithdrawReserve 1 "withdraw_reserve",
    // change control
    Propose 6 "propose_change",
    Execute 5 "execute_change",
    AcceptRoot 3 "accept_root",
    Veto 1 "veto_change",
    CancelChange 1 "cancel_change",
    // integrations
    Check 1 "check_action",
    Enforce 2 "enforce_action",
    Record 3 "record_outflow",
    CustodyTransfer 4 "custody_transfer",
    CustodyMint 3 "custody_mint",
    RegisterIntegration 1 "register_integration",
    // creation
    InitializeGuard 1 "initialize_guard",
    RegisterAsset 1 "register_asset",
    InitializeVault 1 "initialize_vault",
    CreateRule 1 "create_rule",
    CreateGroup 1 "create_group",
    InitializeKeepers 1 "initialize_keepers",
    InitializeBounty 1 "initialize_bounty",
    MigrateVault 2 "migrate_vault",
    // around the program
    Move 12 "PRICE MOVES",
    Wait 12 "TIME PASSES",
    WaitFor 8 "A DATE COMES",
    Back 1 "CLOCK GOES BACK",
    Fault 3 "ORACLE FAILS",
    Donate 1 "TOKENS ARE SENT",
    Steal 1 "TOKENS VANISH",
    GiveBack 2 "TOKENS RETURN",
    ProbeExit 5 "EXIT AT THE FLOOR IS TRIED",
    ProbeCure 4 "CURE IS TRIED",
}

impl Kind {
    /// Tells whether the step is an instruction of the program.
    pub fn is_instruction(self) -> bool {
        self < Self::Move
    }
}

/// One step. The numbers are read as each kind needs them: as shares of what there is, or as one of its choices.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// What is done.
    pub kind: Kind,
    /// 0: who may. Else somebody else signs.
    pub impostor: u8,
    /// First number.
    pub a: u32,
    /// Second number.
    pub b: u32,
    /// 0: the accounts that belong there. Else which of them is changed, and how.
    pub twist: u16,
}

fn kind() -> impl Strategy<Value = Kind> {
    let many: Vec<Kind> = Kind::ALL.iter().flat_map(|k| std::iter::repeat_n(*k, k.weight() as usize)).collect();
    (0..many.len()).prop_map(move |index| many[index])
}

/// Any step.
fn action() -> impl Strategy<Value = Action> {
    let number = || prop_oneof![1 => Just(0u32), 5 => any::<u32>()];
    let impostor = prop_oneof![15 => Just(0u8), 1 => 1..32u8];
    let twist = prop_oneof![14 => Just(0u16), 1 => 1..u16::MAX];
    (kind(), impostor, number(), number(), twist).prop_map(|(kind, impostor, a, b, twist)| Action {
        kind,
        impostor,
        a,
        b,
        twist,
    })
}

/// An honest step with numbers of its own.
fn act(kind: Kind, a: u32, b: u32) -> Action {
    Action { kind, impostor: 0, a, b, twist: 0 }
}

/// Waits for a date: `of` 0 a dwell time, 1 a ticket, 2 a change, 3 Resolution, 4 the end of a level.
fn until(of: u32) -> Action {
    act(Kind::WaitFor, 0, of)
}

/// A reserve with something of both assets.
fn fill(n: u32, m: u32) -> Vec<Action> {
    vec![act(Kind::InitializeReserve, n, m), act(Kind::FundReserve, n, 0), act(Kind::FundReserve, m, 1)]
}

/// What four keepers say of the collateral: one of the scores.
fn reports(score: u32) -> Vec<Action> {
    (0..4).map(|k| act(Kind::SubmitReport, k, 16 * score)).collect()
}

/// A run on the exits: two tickets are paid in their hour, and live exits take all that the hour leaves, as it comes.
fn run(n: u32) -> Vec<Action> {
    // of what exits have in an hour, bps
    let leave = |bps: u32| act(Kind::Withdraw, 1, 5 * bps + 1);
    let (claim, wait) = (act(Kind::Claim, 1, 1), act(Kind::Wait, 2, 899));
    let first =
        [act(Kind::Request, 1, 121), act(Kind::Request, 1, 121), until(1), leave(1_000 + n % 1_000), leave(900)];
    let then = [leave(400), wait, leave(900), leave(300), claim, leave(1_200), leave(400)];
    [&first[..], &then, &then, &[wait, leave(900), leave(300)]].concat()
}

/// Steps that only mean something in a row, so that chance alone rarely finds them. Chance still gets in between: what is
/// here is cut into by other steps, and the numbers are its own.
fn plot(which: u8, n: u32, m: u32) -> Vec<Action> {
    use Kind as K;
    // down by 15 to 35 %, and back
    let (leave, cure) = (act(K::ProbeExit, n, 0), act(K::ProbeCure, n, 0));
    let (crash, back) = (act(K::Move, n % 20 * 8, 0), act(K::Move, 6, 0));
    // a borrower at 75 to 79 % and at 80 to 98 %
    let near = |ltv: u32| act(K::Move, (n % 2 + (ltv - 71) * 2) * 8 + 4, 1);
    match which {
        0 => vec![crash, act(K::Trip, [0, 1, 4, 8][n as usize % 4], m), until(0), back, act(K::StepDown, 0, m)],
        1 => vec![crash, act(K::Trip, [0, 1][n as usize % 2], m), leave, cure, until(0), back, act(K::Reset, 0, m)],
        2 => vec![crash, act(K::TripGroup, 1, m), leave, until(0), back, act(K::StepDownGroup, 1, m)],
        3 => vec![act(K::Pause, n, m), leave, cure, act(K::Wait, 2, 899), act(K::Lift, n, m | 1)],
        4 => vec![
            act(K::Halt, n, m),
            leave,
            cure,
            act(K::MarkHalt, 0, 0),
            near(85),
            until(4),
            act(K::Liquidate, 0, n % 2),
        ],
        5 => vec![act(K::Request, n, m), until(1), act(K::Claim, n, 1), act(K::Request, m, n), act(K::Cancel, m, 1)],
        6 => vec![near(75 + m % 5), act(K::Deleverage, 0, n % 2 + 8 * (m % 2))],
        7 => vec![near(80 + m % 19), act(K::Liquidate, 0, n % 2 + 8 * (m % 2)), act(K::Liquidate, 3, 1 - n % 2)],
        8 => vec![act(K::Propose, n, m), until(2), act(K::Execute, 0, 0)],
        9 => vec![act(K::Propose, n, 9), until(2), act(K::AcceptRoot, 0, 0)],
        10 => vec![act(K::Propose, n, m), act(if n.is_multiple_of(2) { K::Veto } else { K::CancelChange }, 0, m)],
        11 => (0..4).map(|k| act(K::SubmitReport, k, 32)).chain([act(K::Trip, 5, 1)]).collect(),
        12 => vec![until(0), act(K::Wait, 2, 60)]
            .into_iter()
            .chain((0..4).map(|k| act(K::SubmitReport, k, 0)))
            .chain([act(K::StepDown, 5, 0)])
            .collect(),
        13 => vec![act(K::Open, 0, 0), act(K::Supply, 9, n), act(K::Withdraw, 9, 0), act(K::Close, 0, 0)],
        14 => vec![act(K::InitializeGuard, 0, 0), act(K::InitializeKeepers, 0, 0), act(K::InitializeBounty, 0, 0)],
        15 => vec![act(K::Steal, n, m), act(K::Withdraw, 0, m), act(K::RecordShortfall, 0, 0), act(K::GiveBack, 0, 0)],
        // budgets of pauses, by one guardian and then by the quorum, each at another scope
        16 => (0..4)
            .map(|k| act(K::Pause, 4, k + 8 * (m % 2)))
            .chain((0..2).map(|k| act(K::Halt, 4, k)))
            .chain([act(K::Wait, 5, n), act(K::Halt, 4, 3)])
            .collect(),
        17 => run(n),
        // a change that the rotation of a role voids
        18 => vec![
            act(K::Propose, n, 3 * (m % 2)),
            act(K::Propose, n, 7),
            until(2),
            act(K::Execute, 1, 0),
            act(K::Execute, 0, 0),
        ],
        // collateral in the queue
        19 => vec![
            act(K::Deposit, 0, n),
            act(K::Wait, 4, 0),
            act(K::Request, 0, m / 4 * 4 + 2),
            until(1),
            act(K::ClaimCollateral, 0, 1),
        ],
        // a limit in dollars that several exits and a loan share
        20 => vec![
            act(K::InitializeAggregate, 0, 0),
            act(K::TightenAggregate, n, m),
            act(K::Lease, 3, n),
            act(K::Withdraw, 1, 20 * (n % 300) + 1),
            act(K::Borrow, n, m / 4 * 4),
            act(K::Withdraw, 0, 20 * (m % 300) + 1),
            act(K::Wait, 4, 0),
            act(K::Wait, 4, 0),
            act(K::Withdraw, 0, 3),
            act(K::ReturnLease, 0, 0),
            act(K::Lease, 4, 0),
        ],
        21 => vec![
            act(K::OpenCensus, 0, n % 5),
            act(K::CountCensus, n, m),
            act(K::CountCensus, 0, 3),
            act(K::NarrowBounds, 1, 0),
            act(K::CloseCensus, 0, 0),
        ],
        22 => vec![act(K::CreateSwapPolicy, n, m % 3), act(K::TightenSwapPolicy, m, n)],
        23 => vec![act(K::Fault, 0, 3), act(K::Wait, 2, n), act(K::ActivateStandby, n, m)],
        // a basket that follows its score, once in each of two cooldowns
        24 => [fill(n, m), reports(n % 4), vec![act(K::Rebalance, n, m), act(K::Wait, 2, 330)]]
            .into_iter()
            .chain([reports(m % 4), vec![act(K::Rebalance, m, n)]])
            .flatten()
            .collect(),
        // bad debt that the reserve meets
        25 => [
            fill(0, m),
            vec![near(101 + m % 7), act(K::Liquidate, 0, n % 2), act(K::LiquidateBySwap, 0, 1 - n % 2 + 2 * (n % 64))],
        ]
        .concat(),
        26 => [
            fill(m, n),
            vec![act(K::Propose, n, 12 * n.wrapping_div(16) + 10), until(2), act(K::Execute, 0, 0)],
            vec![act(K::WithdrawReserve, n, m)],
        ]
        .concat(),
        27 => {
            vec![near(82 + m % 17), act(K::LiquidateBySwap, n, n % 2 + 2 * (m % 64)), act(K::LiquidateBySwap, m, n % 2)]
        }
        // limits on new risk that follow the scores
        28 => [
            reports(n % 4),
            vec![act(K::ScaleRisk, n % 2, 0), act(K::ScaleRisk, 1 - n % 2, 0), act(K::Wait, 2, 50)],
            vec![act(K::ScaleRisk, n % 2, 0), act(K::Borrow, m, n), act(K::Wait, 2, 600)],
            reports(m % 4),
            vec![act(K::ScaleRisk, n % 2, 0)],
        ]
        .concat(),
        // a vault that an earlier program left
        29 => vec![act(K::InitializeVault, 0, 0), act(K::MigrateVault, n | 1, m), act(K::MigrateVault, m, n)],
        30 => vec![act(K::EnterResolution, 1, m), act(K::LeaveResolution, 0, 0)],
        _ => vec![
            act(K::EnterResolution, 1 + n % 2, m),
            until(3),
            act(K::ClaimResolution, 0, 2),
            act(K::ClaimResolution, 3, n),
            act(K::Repay, 3, 0),
            act(K::ClaimResolution, 3, m),
        ],
    }
}

/// A whole sequence: single steps, and rows of steps that belong together, of about `steps` in all.
pub fn sequence(steps: usize) -> impl Strategy<Value = Vec<Action>> {
    // what ends a vault comes rarely
    let which = prop_oneof![57 => 0..30u8, 1 => 30..32u8];
    let row = (which, any::<u32>(), any::<u32>()).prop_map(|(which, n, m)| plot(which, n, m));
    let one = || action().prop_map(|action| vec![action]);
    let clip = prop_oneof![
        7 => one(),
        2 => row.clone(),
        1 => (row, action(), 0..6usize).prop_map(|(mut row, action, at)| {
            row.insert(at.min(row.len()), action);
            row
        }),
    ];
    prop::collection::vec(clip, steps).prop_map(move |clips| clips.concat().into_iter().take(steps).collect())
}
