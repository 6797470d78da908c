//! [`WebService`]: the Web UI as a tower service.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, io};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{ACCEPT, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use axum::response::IntoResponse as _;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceExt as _};

use crate::gate::{Caller, check_origin, mounted, protect};
use crate::instances::{Instances, Way};
use crate::login::{Known, Pass};
use crate::preferences::Preferences;
use crate::problem::Problem;
use crate::rights::{Rights, Visitor};
use crate::routes::routes;
use crate::saved_views::SavedViews;
use crate::shared::Shared;
use crate::visit::Visit;
use crate::{live, pages};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The Web UI as a tower service: what [`WebUi::service`](crate::WebUi::service) gives. Cheap to clone; clones share
/// everything.
///
/// It runs what it began (changes to many tasks, looking for those who watch a page) as long as a clone lives.
#[derive(Clone)]
pub struct WebService {
    router: Router,
    instances: Instances,
}

impl WebService {
    pub(crate) fn new(instances: Instances) -> Self {
        Self { router: routes(instances.first().asynqmon), instances }
    }

    /// Serves HTTP on an address until `shutdown` ends; then it answers what is in hand and returns. `on_start` is told
    /// the address, which matters for port 0.
    ///
    /// # Errors
    ///
    /// When the address cannot be had. An address that other machines reach is refused while whoever comes may do
    /// something, unless `reach` says that this is meant.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops serving at once.
    pub async fn serve(
        self,
        address: SocketAddr,
        reach: Reach,
        on_start: impl FnOnce(SocketAddr),
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        if reach == Reach::ThisMachine && self.common().anonymous.is_some() && !address.ip().is_loopback() {
            let reason = format!(
                "{address} can be reached by other machines, and whoever comes could change tasks: nobody has to log in"
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        let listener = TcpListener::bind(address).await?;
        self.wake();
        on_start(listener.local_addr()?);
        let instances = self.instances.clone();
        let stopping = async move {
            shutdown.await;
            // Streams of events would not end by themselves.
            instances.all().for_each(|shared| shared.live.close());
        };
        let instances = self.instances.clone();
        let routes = Router::new().fallback_service(self);
        let connections = routes.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, connections).with_graceful_shutdown(stopping).await?;
        for shared in instances.all() {
            shared.changing.finish().await;
        }
        Ok(())
    }

    /// What is the same in all instances.
    fn common(&self) -> &Shared {
        self.instances.first()
    }

    /// A request came, or will come.
    fn wake(&self) {
        self.instances.all().for_each(|shared| shared.history.wake(&shared.client));
    }

    /// The answer, before it is given the headers that protect who reads it.
    async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        self.wake();
        let accepted = request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
        let is_read_by_people = accepted.is_some_and(|accepted| accepted.contains("text/html"));
        let (visit, way) = match self.admit(&mut request) {
            Ok(admitted) => admitted,
            Err(problem) if is_read_by_people => return pages::bare_problem(&problem),
            Err(problem) => return problem.to_json(),
        };
        if visit.is_stranger && !self.is_open(&way, request.uri().path()) {
            let problem = Problem::unauthenticated();
            return match (is_read_by_people, &self.common().door) {
                (true, Some(_)) => pages::to_login(&visit, request.method()),
                (true, None) => pages::bare_problem(&problem),
                (false, _) => problem.to_json(),
            };
        }
        if !is_probe(request.uri().path())
            && let Err(problem) = visit.shared.pace.check(visit.visitor.name(), &visit.caller)
        {
            return if is_read_by_people { pages::bare_problem(&problem) } else { problem.to_json() };
        }
        let is_looked_at = is_read_by_people && matches!(way, Way::Inside(_)) && !visit.is_fragment;
        let kept = self.instances.keep(&visit, request.headers()).filter(|_| is_looked_at);
        let mut response = self.answer_to(&visit, &way, request).await;
        if let Some(Ok(kept)) =
            kept.map(|kept| HeaderValue::from_str(&kept)).filter(|_| response.status().is_success())
        {
            response.headers_mut().append(SET_COOKIE, kept);
        }
        if let Ok(request) = HeaderValue::from_str(&visit.request) {
            response.headers_mut().insert(REQUEST_ID, request);
        }
        response
    }

    async fn answer_to(&self, visit: &Visit, way: &Way, mut request: Request<Body>) -> Response<Body> {
        let is_api = request.uri().path().starts_with("/api/");
        if let Some(page) = pages::without_slash(visit, &request) {
            return page;
        }
        match way.aside(visit, &request) {
            Ok(None) => {}
            Ok(Some(elsewhere)) => return elsewhere.into_response(),
            Err(problem) if is_api => return problem.to_json(),
            Err(problem) => return pages::problem(visit, &problem),
        }
        request.extensions_mut().insert(visit.clone());
        request.extensions_mut().insert(live::Pages(self.router.clone()));
        let is_change = !request.method().is_safe();
        let router = self.router.clone();
        let answer = async {
            match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        let mut response =
            if is_change { visit.shared.changing.carry_out(answer).await } else { answer.await };
        match Problem::of(&mut response).await {
            Some(problem) if is_api => problem.to_json(),
            Some(problem) => pages::problem(visit, &problem),
            None => response,
        }
    }

    /// Whether everybody may ask for it: who logs in is not in yet.
    fn is_open(&self, way: &Way, path: &str) -> bool {
        let is_common = matches!(way, Way::Before) || !self.instances.are_several();
        let has_door = self.common().door.is_some();
        is_common && (is_probe(path) || has_door && (path == "/login" || path.starts_with("/assets/")))
    }

    /// Who asks, and how; a stranger is told apart.
    fn admit(&self, request: &mut Request<Body>) -> Result<(Visit, Way), Problem> {
        let common = self.common();
        common.hosts.check(request.uri(), request.headers())?;
        check_origin(request.method(), request.uri(), request.headers())?;
        let caller = common.proxies.caller(request);
        let root = mounted(&common.mount, caller.is_proxy, request)?;
        let way = self.instances.enter(request)?;
        let known = self.who(request, &root, &caller)?;
        let anonymous = common.anonymous.clone();
        let is_stranger = known.is_none() && anonymous.is_none();
        let Known { visitor, pass } = known.unwrap_or_else(|| Known {
            visitor: Visitor::new("", anonymous.unwrap_or_else(Rights::none)),
            pass: Pass::None,
        });
        let home =
            || self.instances.home(visitor.rights(), request.headers()).unwrap_or(self.instances.first());
        let shared = match &way {
            Way::Inside(shared) => shared,
            Way::Before | Way::Nowhere(_) => home(),
        };
        let base = match &way {
            Way::Inside(shared) => self.instances.base(&root, &shared.name),
            Way::Before => root.clone(),
            Way::Nowhere(name) => self.instances.base(&root, name),
        };
        let visit = Visit {
            instances: self.instances.clone(),
            shared: Arc::clone(shared),
            root,
            base,
            page: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            visitor: visitor.with_rights(shared.rights_of(&visitor)),
            pass,
            is_stranger,
            caller,
            request: request_id(&caller, request.headers()),
            preferences: Preferences::read(request.headers()),
            views: SavedViews::read(request.headers()),
            is_fragment: live::wants_fragment(request.headers()),
        };
        Ok((visit, way))
    }

    /// Somebody whom the application knows, or we do.
    fn who(&self, request: &Request<Body>, root: &str, caller: &Caller) -> Result<Option<Known>, Problem> {
        if let Some(visitor) = request.extensions().get::<Visitor>() {
            return Ok(Some(Known { visitor: visitor.clone(), pass: Pass::None }));
        }
        match &self.common().door {
            Some(door) => {
                door.who(request.headers(), root, caller, self.common().client.broker().clock().now())
            }
            None => Ok(None),
        }
    }
}

/// What a request is called in logs: what a proxy has named it, or something new.
fn request_id(caller: &Caller, headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(REQUEST_ID).filter(|_| caller.is_proxy).and_then(|value| value.to_str().ok());
    match given.filter(|given| (1..=64).contains(&given.len())) {
        Some(given) => given.into(),
        None => format!("{:016x}", fastrand::u64(..)).into(),
    }
}

/// What is asked by whoever starts and restarts programs.
fn is_probe(path: &str) -> bool {
    ["/healthz", "/readyz"].contains(&path)
}

/// From where a Web UI may be reached by people who do not log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only from this machine.
    ThisMachine,
    /// From wherever the address can be reached: something else keeps strangers away.
    Anywhere,
}

impl<B> Service<Request<B>> for WebService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut response = service.answer(request.map(Body::new)).await;
            protect(response.headers_mut());
            Ok(response)
        })
    }
}

impl fmt::Debug for WebService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebService").field("instances", &self.instances).finish_non_exhaustive()
    }
}
