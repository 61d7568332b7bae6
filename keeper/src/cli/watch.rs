//! Follows a running keeper: a screen on a terminal, plain lines elsewhere.

mod screen;
mod stream;

use super::AskArgs;
use super::ask::Running;
use super::output::Output;
use super::show;
use crate::config::Config;
use crate::error::KeeperError;
use crate::events::Event;
use crate::view::View;
use ratatui::crossterm::event::{self, Event as Key, KeyCode, KeyModifiers};
use std::io::IsTerminal;
use std::time::Duration;
use stream::EventStream;
use tokio::sync::mpsc;

/// Period of asking for the state.
const PERIOD: Duration = Duration::from_secs(1);
/// Period of looking for keys.
const KEYS: Duration = Duration::from_millis(100);

/// Follows until `q`, a signal, or the end of the output.
pub(super) async fn watch(
    args: &AskArgs,
    out: Output,
    settings: impl Fn() -> Result<Config, KeeperError>,
) -> Result<(), KeeperError> {
    let running = Running::of(args, &settings)?;
    // a first answer before the screen: a keeper that is not there is told as text
    let first = running.state().await?;
    if out.is_json || !std::io::stdout().is_terminal() {
        return lines(&running, out).await;
    }
    let mut terminal = ratatui::init();
    let result = screen_loop(&running, first, &mut terminal).await;
    ratatui::restore();
    result
}

/// One line for each fact, until the keeper or the reader goes.
async fn lines(running: &Running, out: Output) -> Result<(), KeeperError> {
    let mut events = EventStream::open(running).await?;
    while let Some(event) = events.next().await {
        if out.is_json {
            // one envelope for each, each on its own line
            show::line(&out.envelope_of(&event))?;
        } else {
            show::line(&line_of(&event))?;
        }
    }
    Err(KeeperError::Refused {
        what: "the keeper ended the stream".into(),
        hint: "`rampart status` tells whether it runs".into(),
    })
}

fn line_of(event: &Event) -> String {
    format!("{} slot {} {} {}: {}", event.ts, event.slot, event.severity.as_str(), event.kind.as_str(), event.text)
}

async fn screen_loop(
    running: &Running,
    first: View,
    terminal: &mut ratatui::DefaultTerminal,
) -> Result<(), KeeperError> {
    let failed = |source| KeeperError::Chain { what: "draw on the terminal".into(), source: Box::new(source) };
    let mut screen = screen::Screen::new(running.base(), first);
    let (news, mut facts) = mpsc::channel(256);
    let mut stream = EventStream::open(running).await?;
    let following = tokio::spawn(async move {
        while let Some(event) = stream.next().await {
            if news.send(event).await.is_err() {
                return;
            }
        }
    });
    let mut asks = tokio::time::interval(PERIOD);
    let mut keys = tokio::time::interval(KEYS);
    let result = loop {
        if let Err(error) = terminal.draw(|frame| screen.draw(frame)) {
            break Err(failed(error));
        }
        tokio::select! {
            _ = asks.tick() => match running.state().await {
                Ok(view) => screen.view(view),
                Err(error) => screen.lost(&error),
            },
            Some(event) = facts.recv() => screen.event(event),
            _ = keys.tick() => match is_left() {
                Ok(false) => {}
                Ok(true) => break Ok(()),
                Err(error) => break Err(failed(error)),
            },
        }
    };
    following.abort();
    result
}

fn is_left() -> std::io::Result<bool> {
    let mut is_left = false;
    while event::poll(Duration::ZERO)? {
        if let Key::Key(key) = event::read()? {
            let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            is_left |= is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
        }
    }
    Ok(is_left)
}
