//! [`Live`]: open pages are brought up to date by server-sent events.
//!
//! Whoever looks at the same page with the same rights, under whatever name, shares one watch, which makes the page anew now and then and
//! sends what has changed: a hundred viewers cost Redis what one does, and nobody costs nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Query};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::background::{Background, lock};
use crate::login::Pass;
use crate::pages;
use crate::preferences::Preferences;
use crate::problem::Problem;
use crate::rights::{Rights, Visitor};
use crate::saved_views::SavedViews;
use crate::visit::Visit;

/// What a page sends that asks for its changing part alone.
const FRAGMENT: HeaderName = HeaderName::from_static("x-fragment");

/// How many pages are watched at one time; browsers of further ones ask now and then by themselves.
const MOST_WATCHES: usize = 200;

/// Between two looks at a page lies this many times the time that making it took.
const CALM: u32 = 10;

/// But never more than this.
const LONGEST: Duration = Duration::from_secs(60);

/// A stream ends after this time and the browser asks again, so that rights which were taken away end too.
const STREAM: Duration = Duration::from_secs(600);

/// Proxies close connections on which nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// No page is larger.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The routes, for who makes pages by himself.
#[derive(Clone)]
pub(crate) struct Pages(pub(crate) Router);

/// All pages that somebody looks at, and the tasks of tokio that watch them: they end with it.
#[derive(Debug, Default)]
pub(crate) struct Live {
    watches: Arc<Mutex<Watches>>,
    watching: Background,
    closing: CancellationToken,
}

type Watches = HashMap<Key, watch::Sender<News>>;

/// Who shares a watch: whoever may see the same, whatever their names are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    base: String,
    page: String,
    rights: Rights,
    preferences: Preferences,
    views: SavedViews,
}

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum News {
    #[default]
    Nothing,
    /// The page's changing part.
    Page(Arc<str>),
    /// The store cannot be reached.
    Away,
}

/// Whether only the part of a page is wanted that changes.
pub(crate) fn wants_fragment(headers: &HeaderMap) -> bool {
    headers.contains_key(FRAGMENT)
}

#[derive(Deserialize)]
pub(crate) struct Watched {
    page: String,
}

/// The stream of what changes on a page.
pub(crate) async fn events(
    visit: Visit,
    Extension(pages): Extension<Pages>,
    Query(Watched { page }): Query<Watched>,
) -> Result<Response, Problem> {
    let is_other = ["//", "/api/", "/assets/", "/events"].iter().any(|start| page.starts_with(start));
    if !page.starts_with('/') || is_other {
        return Err(Problem::invalid(format!("`{page}` is no page that can be watched")));
    }
    let viewer = visit.clone();
    // The part of a page that changes bears nobody's name.
    let visitor = Visitor::new("", visit.rights().clone());
    let visit = Visit { page, visitor, pass: Pass::None, is_fragment: true, ..visit };
    let live = &viewer.shared.live;
    let news = live.watch(visit, pages)?;
    let stream = stream(news, viewer.clone(), live.closing.clone());
    let stream = Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

fn stream(
    news: watch::Receiver<News>,
    viewer: Visit,
    closing: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let end = Instant::now() + STREAM;
    unfold((news, viewer, closing), move |(mut news, viewer, closing)| async move {
        loop {
            let changed = closing.run_until_cancelled(timeout_at(end, news.changed())).await;
            let Some(Ok(Ok(()))) = changed else { return None };
            if !viewer.goes_on() {
                return None;
            }
            let event = match &*news.borrow_and_update() {
                News::Nothing => continue,
                News::Page(html) => Event::default().event("page").json_data(&**html),
                // Browsers tell nobody of an event without data.
                News::Away => Ok(Event::default().event("away").data("yes")),
            };
            // A text is always JSON.
            return event.ok().map(|event| (Ok(event), (news, viewer, closing)));
        }
    })
}

impl Live {
    /// Ends all streams, now and for good.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    fn watch(&self, visit: Visit, pages: Pages) -> Result<watch::Receiver<News>, Problem> {
        let key = Key {
            base: visit.base.clone(),
            page: visit.page.clone(),
            rights: visit.rights().clone(),
            preferences: visit.preferences,
            views: visit.views.clone(),
        };
        let mut watches = lock(&self.watches);
        if let Some(watch) = watches.get(&key) {
            return Ok(watch.subscribe());
        }
        if watches.len() >= MOST_WATCHES {
            return Err(Problem::new("too_many", format!("{MOST_WATCHES} pages are watched already")));
        }
        let (sender, receiver) = watch::channel(News::default());
        watches.insert(key.clone(), sender);
        drop(watches);
        self.watching.spawn(keep_watch(Arc::clone(&self.watches), key, visit, pages));
        Ok(receiver)
    }
}

/// Makes the page anew now and then, as long as somebody looks.
async fn keep_watch(watches: Arc<Mutex<Watches>>, key: Key, visit: Visit, pages: Pages) {
    let mut pause = visit.shared.refresh;
    loop {
        sleep(pause).await;
        if is_over(&watches, &key) {
            return;
        }
        let began = Instant::now();
        let news = look(&visit, &pages).await.unwrap_or(News::Nothing);
        pause = (began.elapsed() * CALM).clamp(visit.shared.refresh, LONGEST.max(visit.shared.refresh));
        if let Some(watch) = lock(&watches).get(&key) {
            watch.send_if_modified(|known| {
                let is_new = *known != news;
                *known = news;
                is_new
            });
        }
    }
}

/// Whether nobody looks any more; then the watch is gone.
fn is_over(watches: &Mutex<Watches>, key: &Key) -> bool {
    let mut watches = lock(watches);
    let is_watched = watches.get(key).is_some_and(|watch| watch.receiver_count() > 0);
    if !is_watched {
        watches.remove(key);
    }
    !is_watched
}

async fn look(visit: &Visit, pages: &Pages) -> Result<News, BoxError> {
    let request =
        Request::get(&visit.page).extension(visit.clone()).extension(pages.clone()).body(Body::empty())?;
    let mut answer = pages.0.clone().oneshot(request).await?;
    let mut response = match Problem::of(&mut answer).await {
        Some(problem) if problem.is_outage() => return Ok(News::Away),
        Some(problem) => pages::problem(visit, &problem),
        None => answer,
    };
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !kind.starts_with(b"text/html") {
        return Err("no page".into());
    }
    let body = to_bytes(std::mem::take(response.body_mut()), MOST_BYTES).await?;
    Ok(News::Page(std::str::from_utf8(&body)?.into()))
}
