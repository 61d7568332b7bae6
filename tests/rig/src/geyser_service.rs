//! The protocol of the rig's gRPC server: one task for each stream.

use crate::chain::Block;
use crate::geyser::{Geyser, TOKEN};
use futures_util::stream::{BoxStream, poll_fn};
use rampart_client::Pubkey;
use solana_sdk::account::Account;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};
use yellowstone_grpc_proto::geyser::geyser_server::Geyser as Protocol;
use yellowstone_grpc_proto::geyser::subscribe_request_filter_accounts_filter::Filter;
use yellowstone_grpc_proto::geyser::subscribe_request_filter_accounts_filter_memcmp::Data;
use yellowstone_grpc_proto::geyser::subscribe_update::UpdateOneof;
use yellowstone_grpc_proto::geyser::*;

/// Messages under way on one stream.
const BACKLOG: usize = 4_096;

pub(crate) struct Service {
    pub(crate) geyser: Geyser,
}

type Told = mpsc::Sender<Result<SubscribeUpdate, Status>>;

/// Serves one stream until it ends; the error is the status that it ends with.
async fn serve(geyser: Geyser, mut requests: Streaming<SubscribeRequest>, told: &Told) -> Result<(), Status> {
    let mut resets = geyser.resets();
    let Some(mut request) = requests.message().await? else { return Ok(()) };
    geyser.note(request.from_slot);
    let (kept, mut blocks) = geyser.from(request.from_slot.unwrap_or(u64::MAX));
    let faults = geyser.faults().clone();
    if let Some(code) = faults.ends_with {
        return Err(Status::new(code, "turned away"));
    }
    if request.from_slot.is_some() && faults.keeps_nothing {
        return Err(Status::out_of_range("broadcast from that slot is not available"));
    }
    for block in kept {
        tell(told, &block, &request).await?;
    }
    loop {
        tokio::select! {
            _ = resets.changed() => return Err(Status::unavailable("server is shutting down")),
            next = requests.message() => match next? {
                Some(next) if next.ping.is_some() => {}
                Some(next) => request = next,
                None => return Ok(()),
            },
            block = blocks.recv() => {
                let block = block.map_err(|_| Status::internal("lagged to receive geyser messages"))?;
                let faults = geyser.faults().clone();
                if let Some(code) = faults.ends_with {
                    return Err(Status::new(code, "turned away"));
                }
                if !faults.is_silent {
                    tell(told, &block, &request).await?;
                }
            }
        }
    }
}

/// Tells one block: its accounts, then that it was processed.
async fn tell(told: &Told, block: &Block, request: &SubscribeRequest) -> Result<(), Status> {
    let gone = |_| Status::cancelled("the reader is gone");
    for (at, (key, account)) in (0..).zip(&block.changes) {
        let matching = request.accounts.iter().filter(|(_, filter)| passes(filter, key, account));
        let filters: Vec<String> = matching.map(|(name, _)| name.clone()).collect();
        if filters.is_empty() {
            continue;
        }
        let account = SubscribeUpdateAccountInfo {
            pubkey: key.to_bytes().into(),
            owner: account.owner.to_bytes().into(),
            lamports: account.lamports,
            data: account.data.clone(),
            write_version: block.slot * 1_000 + at,
            ..Default::default()
        };
        let update = SubscribeUpdateAccount { account: Some(account), slot: block.slot, ..Default::default() };
        told.send(Ok(update_of(filters, UpdateOneof::Account(update)))).await.map_err(gone)?;
    }
    let slot = SubscribeUpdateSlot {
        slot: block.slot,
        parent: Some(block.slot - 1),
        status: SlotStatus::SlotProcessed.into(),
        ..Default::default()
    };
    let filters = request.slots.keys().cloned().collect();
    told.send(Ok(update_of(filters, UpdateOneof::Slot(slot)))).await.map_err(gone)
}

fn update_of(filters: Vec<String>, update: UpdateOneof) -> SubscribeUpdate {
    SubscribeUpdate { filters, update_oneof: Some(update), ..Default::default() }
}

/// As the server reads filters: addresses, owners and conditions all have to hold where they are given.
fn passes(filter: &SubscribeRequestFilterAccounts, key: &Pubkey, account: &Account) -> bool {
    let is_named = |names: &[String], key: &Pubkey| names.is_empty() || names.contains(&key.to_string());
    let holds = |condition: &SubscribeRequestFilterAccountsFilter| match &condition.filter {
        Some(Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset, data: Some(Data::Bytes(bytes)) })) => {
            let from = usize::try_from(*offset).unwrap_or(usize::MAX);
            account.data.get(from..).is_some_and(|rest| rest.starts_with(bytes))
        }
        _ => false,
    };
    is_named(&filter.account, key) && is_named(&filter.owner, &account.owner) && filter.filters.iter().all(holds)
}

fn none<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the rig has no such method"))
}

#[tonic::async_trait]
impl Protocol for Service {
    type SubscribeStream = BoxStream<'static, Result<SubscribeUpdate, Status>>;
    type SubscribeDeshredStream = BoxStream<'static, Result<SubscribeUpdateDeshred, Status>>;
    type SubscribeGossipStream = BoxStream<'static, Result<SubscribeUpdateGossip, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        if request.metadata().get("x-token").is_none_or(|token| token != TOKEN) {
            return Err(Status::unauthenticated("no valid auth token"));
        }
        let (told, mut waiting): (Told, _) = mpsc::channel(BACKLOG);
        let (geyser, requests) = (self.geyser.clone(), request.into_inner());
        tokio::spawn(async move {
            if let Err(status) = serve(geyser, requests, &told).await {
                let _ = told.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(poll_fn(move |context| waiting.poll_recv(context)))))
    }

    async fn subscribe_deshred(
        &self,
        _: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        none()
    }

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        none()
    }

    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        none()
    }

    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        none()
    }

    async fn get_latest_blockhash(
        &self,
        _: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        none()
    }

    async fn get_block_height(
        &self,
        _: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        none()
    }

    async fn get_slot(&self, _: Request<GetSlotRequest>) -> Result<Response<GetSlotResponse>, Status> {
        none()
    }

    async fn is_blockhash_valid(
        &self,
        _: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        none()
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        none()
    }
}
