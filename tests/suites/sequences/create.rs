//! From a step to the instructions that try it: integrations, and what root creates.

use crate::sequences::action::{Action, Kind};
use crate::sequences::build::part;
use crate::sequences::stage::{PLACES, Stage, group_params};
use rampart::InitializeGuardArgs;
use rampart::state::integration::ActionKind;
use rampart::state::{Integration, Switch};
use rampart_client::integration::{self as places, Registration};
use rampart_client::{Instruction, VaultKeys, address, admin, groups};
use rampart_tests::integrations::Setup;
use rampart_tests::world::defaults_args;
use rampart_tests::{defaults, rules};

impl Stage {
    pub fn place_step(&self, action: &Action) -> Instruction {
        let w = &self.world;
        let at = match action.kind {
            Kind::CustodyTransfer => 1,
            Kind::CustodyMint => 2,
            Kind::Record => 0,
            _ => action.a as usize % PLACES,
        };
        let place = &self.cast.places[at];
        let i: Integration = w.integration(place);
        let kinds = [ActionKind::Exit, ActionKind::NewRisk, ActionKind::Exit, ActionKind::Deposit, ActionKind::Cure];
        let kind = kinds[(action.b % 5) as usize];
        let cap = if kind == ActionKind::Exit { i.caps.exit } else { i.caps.risk };
        // small ones go through the floor, too
        let amount =
            [part(cap.hourly_amount, action.a % 6_000), part(cap.hourly_amount, action.a % 500), cap.hourly_amount]
                [(action.b / 8 % 3) as usize];
        match action.kind {
            Kind::Check => places::check_action(&place.keys, kind as u8, amount),
            Kind::Enforce => places::enforce_action(&place.keys, kind as u8, amount),
            Kind::Record => place.record_ix(kind as u8, amount),
            Kind::CustodyTransfer => place.transfer_ix(kind as u8, amount),
            _ => place.mint_ix(part(i.caps.risk.hourly_amount, action.a % 6_000)),
        }
    }

    pub fn create(&self, action: &Action) -> Option<Instruction> {
        let (w, number) = (&self.world, self.created + 100);
        let root = self.root();
        let asset = |m: &rampart_client::MintOf| address::asset(&w.guard, &m.mint);
        Some(match action.kind {
            Kind::InitializeGuard => {
                let roles = defaults::roles(root, self.admin());
                admin::initialize_guard(root, number, InitializeGuardArgs { roles, bounds: defaults::bounds() })
            }
            Kind::RegisterAsset => {
                let mint = self.cast.spare_mints.iter().find(|m| !w.exists(&asset(m)))?;
                admin::register_asset(root, w.guard, mint.mint, defaults::asset_args(w.sol_feeds.set()))
            }
            Kind::InitializeVault => {
                let pairs = self.mints.iter().flat_map(|c| self.mints.iter().map(move |l| (*c, *l)));
                let is_new = |(c, l): &(rampart_client::MintOf, rampart_client::MintOf)| {
                    c.mint != l.mint && !w.exists(&VaultKeys::derive(w.guard, *c, *l).vault)
                };
                let (collateral, loan) = pairs.into_iter().find(is_new)?;
                admin::initialize_vault(root, w.guard, collateral, loan, defaults_args())
            }
            Kind::CreateRule => {
                let params =
                    [defaults::drawdown_rule(), rules::deviation(), rules::confidence_ratio()][(action.b % 3) as usize];
                let params =
                    rampart::state::rule::RuleParams { switch: Switch::Enabled as u8, duration_secs: 600, ..params };
                admin::create_rule(root, w.guard, w.keys.collateral_asset, number, params)
            }
            Kind::CreateGroup => {
                let rules = [self.rules[6], self.rules[7]];
                groups::create_group(root, w.guard, w.keys.collateral_asset, number, group_params(), &rules)
            }
            _ => {
                let setup = Setup { index: number, ..Setup::reported() };
                let it = Registration {
                    guard: w.guard,
                    integrator: setup.integrator,
                    index: number,
                    mint: w.usdc.mint,
                    token: None,
                    asset: None,
                };
                let args = rampart::RegisterIntegrationArgs {
                    authority: self.cast.hunter,
                    caps: setup.caps,
                    mode: setup.mode as u8,
                    base: setup.base as u8,
                };
                places::register_integration(root, it, args, self.validity())
            }
        })
    }
}
