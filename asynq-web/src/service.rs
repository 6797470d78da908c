//! [`WebService`]: the Web UI as a tower service.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, io};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::ACCEPT;
use axum::http::{Request, Response};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceExt as _};

use crate::gate::{check_origin, mounted, protect};
use crate::preferences::Preferences;
use crate::problem::Problem;
use crate::rights::{Rights, Visitor};
use crate::routes::routes;
use crate::shared::Shared;
use crate::visit::Visit;
use crate::{live, pages};

/// The Web UI as a tower service: what [`WebUi::service`](crate::WebUi::service) gives. Cheap to clone; clones share
/// everything.
///
/// It runs what it began (changes to many tasks, looking for those who watch a page) as long as a clone lives.
#[derive(Clone)]
pub struct WebService {
    router: Router,
    shared: Arc<Shared>,
}

impl WebService {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { router: routes(shared.asynqmon), shared: Arc::new(shared) }
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
        if reach == Reach::ThisMachine && self.shared.anonymous.is_some() && !address.ip().is_loopback() {
            let reason = format!(
                "{address} can be reached by other machines, and whoever comes could change tasks: nobody has to log in"
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        let listener = TcpListener::bind(address).await?;
        on_start(listener.local_addr()?);
        let shared = Arc::clone(&self.shared);
        let stopping = async move {
            shutdown.await;
            // Streams of events would not end by themselves.
            shared.live.close();
        };
        axum::serve(listener, Router::new().fallback_service(self)).with_graceful_shutdown(stopping).await
    }

    /// The answer, before it is given the headers that protect who reads it.
    async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let is_read_by_people = request
            .headers()
            .get(ACCEPT)
            .is_some_and(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains("text/html")));
        let visit = match self.admit(&mut request) {
            Ok(visit) => visit,
            Err(problem) if is_read_by_people => return pages::bare_problem(&problem),
            Err(problem) => return problem.to_json(),
        };
        let is_api = request.uri().path().starts_with("/api/");
        if let Some(page) = pages::without_slash(&visit, &request) {
            return page;
        }
        request.extensions_mut().insert(visit.clone());
        request.extensions_mut().insert(live::Pages(self.router.clone()));
        let mut response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        match Problem::of(&mut response).await {
            Some(problem) if is_api => problem.to_json(),
            Some(problem) => pages::problem(&visit, &problem),
            None => response,
        }
    }

    /// Who asks, if they may.
    fn admit(&self, request: &mut Request<Body>) -> Result<Visit, Problem> {
        self.shared.hosts.check(request.uri(), request.headers())?;
        check_origin(request.method(), request.uri(), request.headers())?;
        let base = mounted(&self.shared.mount, request)?;
        let visitor = self.visitor(request).ok_or_else(Problem::unauthenticated)?;
        Ok(Visit {
            shared: Arc::clone(&self.shared),
            base,
            page: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            visitor,
            preferences: Preferences::read(request.headers()),
            is_fragment: live::wants_fragment(request.headers()),
        })
    }
}

impl WebService {
    /// Who asks: somebody whom the application knows, or anybody.
    fn visitor(&self, request: &Request<Body>) -> Option<Visitor> {
        let known = request.extensions().get::<Visitor>().cloned();
        // Whoever starts and restarts programs does not log in.
        let is_probe = ["/healthz", "/readyz"].contains(&request.uri().path());
        let anonymous = if is_probe { Some(Rights::none()) } else { self.shared.anonymous.clone() };
        known.or_else(|| anonymous.map(|rights| Visitor::new("", rights)))
    }
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
        f.debug_struct("WebService").field("shared", &self.shared).finish_non_exhaustive()
    }
}
