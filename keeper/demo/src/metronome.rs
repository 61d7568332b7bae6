//! The beat of the embedded network: one slot after the other, each with its wall time.
//!
//! Chain time must run faster than the wall clock without a jump that a keeper would rightly call a stall. So the network
//! produces blocks on command, and this thread commands one every `wall_ms`: the chain's clock moves by the chain time of
//! one slot with it, slots follow each other without gaps, and a blockhash lives for its 150 blocks. The next slot is
//! only asked for once the last has begun: a slow machine slows the market down instead of flooding the network.

use crate::error::{DemoError, Outcome};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use surfpool_sdk::{SimnetCommand, SimnetEvent, Surfnet};
use tokio::sync::watch;

/// How long the network may take for one slot.
const SLOT_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the thread looks for orders.
const ORDER_PAUSE: Duration = Duration::from_millis(2);

/// When a slot began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotMark {
    /// The slot.
    pub slot: u64,
    /// The chain's clock in it, unix seconds.
    pub unix_ts: i64,
    /// The wall clock when it began, unix milliseconds.
    pub wall_unix_ms: u64,
}

/// Every slot so far with its times.
pub struct Timeline {
    marks: Mutex<Vec<SlotMark>>,
    latest: watch::Sender<SlotMark>,
}

impl Timeline {
    /// Starts without a slot.
    pub(crate) fn new() -> Self {
        Self { marks: Mutex::new(Vec::new()), latest: watch::Sender::new(SlotMark::default()) }
    }

    /// Returns the slot in progress.
    pub fn now(&self) -> SlotMark {
        *self.latest.borrow()
    }

    /// Returns when `slot` began; `None` for a slot that was jumped over or hasn't begun.
    pub fn mark(&self, slot: u64) -> Option<SlotMark> {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.binary_search_by_key(&slot, |m| m.slot).ok().map(|at| marks[at])
    }

    /// Waits for a slot that satisfies `is_it`.
    ///
    /// # Errors
    /// [`DemoError::Network`] where no new slot begins for twenty seconds.
    pub async fn until(&self, mut is_it: impl FnMut(&SlotMark) -> bool) -> Outcome<SlotMark> {
        let mut latest = self.latest.subscribe();
        loop {
            let mark = *latest.borrow_and_update();
            if is_it(&mark) {
                return Ok(mark);
            }
            let changed = tokio::time::timeout(SLOT_TIMEOUT, latest.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(DemoError::Network(format!("no slot after {}", mark.slot)));
            }
        }
    }

    /// Notes the beginning of a slot, unless it is not newer than the last.
    pub(crate) fn begin(&self, mark: SlotMark) {
        if mark.slot <= self.now().slot {
            return;
        }
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
        self.latest.send_replace(mark);
    }
}

/// How slots follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Not at all, but for those that are asked for: time stands still.
    Held,
    /// One each interval.
    Every(Duration),
}

enum Order {
    Set(Rhythm),
    Step(u32),
    Stop,
}

/// The thread that asks for slots.
pub struct Metronome {
    timeline: Arc<Timeline>,
    orders: mpsc::Sender<Order>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Metronome {
    /// Starts with time standing still, after one slot.
    ///
    /// # Errors
    /// [`DemoError::Network`] where the thread can't be started.
    pub fn start(surfnet: Arc<Surfnet>) -> Outcome<Self> {
        let (orders, inbox) = mpsc::channel();
        let timeline = Arc::new(Timeline::new());
        let beat = Beat { surfnet, timeline: Arc::clone(&timeline), orders: inbox };
        let thread = std::thread::Builder::new().name("metronome".into()).spawn(move || beat.run());
        let thread = thread.map_err(|e| DemoError::Network(format!("no thread for the clock: {e}")))?;
        let metronome = Self { timeline, orders, thread: Mutex::new(Some(thread)) };
        metronome.step(1);
        Ok(metronome)
    }

    /// Returns when each slot began.
    pub fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// Sets how slots follow each other from here on.
    pub fn set(&self, rhythm: Rhythm) {
        // a beat that has ended is noticed by whoever waits for a slot
        let _ = self.orders.send(Order::Set(rhythm));
    }

    /// Asks for `slots` more at once.
    pub fn step(&self, slots: u32) {
        let _ = self.orders.send(Order::Step(slots));
    }

    /// Stops the beat and waits for the thread, which then no longer holds the network.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

struct Beat {
    surfnet: Arc<Surfnet>,
    timeline: Arc<Timeline>,
    orders: mpsc::Receiver<Order>,
}

impl Beat {
    fn run(self) {
        let (mut rhythm, mut next) = (Rhythm::Held, Instant::now());
        loop {
            self.drain_until(Instant::now() + ORDER_PAUSE);
            match self.orders.try_recv() {
                // what was held goes on when its turn has come, not at once: or every hold would make time run faster
                Ok(Order::Set(new)) => rhythm = new,
                Ok(Order::Step(slots)) if !(0..slots).all(|_| self.make_slot()) => return,
                Ok(Order::Step(_)) | Err(mpsc::TryRecvError::Empty) => {}
                Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => return,
            }
            let Rhythm::Every(interval) = rhythm else { continue };
            if Instant::now() >= next {
                if !self.make_slot() {
                    return;
                }
                // a late slot doesn't make the following ones earlier
                next = (next + interval).max(Instant::now());
            }
        }
    }

    fn make_slot(&self) -> bool {
        self.surfnet.send_command(SimnetCommand::SlotForward(None)).is_ok() && self.wait_for_slot()
    }

    /// Waits for the clock of the slot that was asked for; false where the network is gone.
    fn wait_for_slot(&self) -> bool {
        let deadline = Instant::now() + SLOT_TIMEOUT;
        let before = self.timeline.now().slot;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.surfnet.events().recv_timeout(left) {
                Ok(event) => self.note(&event),
                Err(_) => return false,
            }
            if self.timeline.now().slot > before {
                return true;
            }
        }
        false
    }

    /// Takes events until `deadline`: their channel is bounded, and a full one loses the clock's.
    fn drain_until(&self, deadline: Instant) {
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.surfnet.events().recv_timeout(left) {
                Ok(event) => self.note(&event),
                Err(_) => return,
            }
        }
    }

    fn note(&self, event: &SimnetEvent) {
        let SimnetEvent::SystemClockUpdated(clock) = event else { return };
        let wall_unix_ms = wall_unix_ms();
        self.timeline.begin(SlotMark { slot: clock.slot, unix_ts: clock.unix_timestamp, wall_unix_ms });
    }
}

/// Returns the wall clock, unix milliseconds.
pub fn wall_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
