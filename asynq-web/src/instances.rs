//! [`Instances`]: the stores that one Web UI shows. One alone is where the Web UI is; of several, each is below `/i/<name>/`
//! and nothing of it leads to another but the list of instances.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, Request};
use axum::response::Redirect;

use crate::gate::set_path;
use crate::links::{Link, decoded, encoded, name};
use crate::login::cookie_path;
use crate::problem::Problem;
use crate::rights::{Right, Rights};
use crate::shared::Shared;
use crate::visit::Visit;

/// The cookie that keeps which one a browser has looked at last.
const COOKIE_NAME: &str = "asynq_web_instance";

/// As long as browsers keep cookies: 400 days.
const SECONDS: u32 = 400 * 24 * 3_600;

/// What is no matter of one instance: who asks, whether all are well, what there is.
const OF_ALL: [&str; 7] =
    ["/login", "/logout", "/healthz", "/readyz", "/api/v1/meta", "/api/v1/instances", "/api/v1/openapi.json"];

/// The stores that one Web UI shows: one at least.
#[derive(Clone, Debug)]
pub(crate) struct Instances {
    first: Arc<Shared>,
    others: Arc<[Arc<Shared>]>,
}

/// Where a request leads.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Into an instance.
    Inside(Arc<Shared>),
    /// To what is before all of them, where there are several.
    Before,
    /// Into one that does not exist.
    Nowhere(String),
}

impl Instances {
    pub(crate) fn new(first: Arc<Shared>, others: Vec<Arc<Shared>>) -> Self {
        Self { first, others: others.into() }
    }

    /// The first one: what all have in common is there.
    pub(crate) fn first(&self) -> &Arc<Shared> {
        &self.first
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Shared>> {
        std::iter::once(&self.first).chain(self.others.iter())
    }

    pub(crate) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Those that these rights reach.
    pub(crate) fn reached_by(&self, rights: &Rights) -> impl Iterator<Item = &Arc<Shared>> {
        self.all().filter(|shared| rights.reach(&shared.name))
    }

    /// Takes the instance from a request's path.
    pub(crate) fn enter<B>(&self, request: &mut Request<B>) -> Result<Way, Problem> {
        if !self.are_several() {
            return Ok(Way::Inside(Arc::clone(&self.first)));
        }
        let Some(path) = request.uri().path().strip_prefix("/i/") else { return Ok(Way::Before) };
        let (segment, rest) = path.find('/').map_or((path, "/"), |end| path.split_at(end));
        let (wanted, rest) = (decoded(segment).ok_or_else(Problem::not_found)?, rest.to_owned());
        set_path(request, &rest)?;
        let wanted = name(&wanted);
        let found = self.all().find(|shared| *shared.name == *wanted).cloned();
        Ok(found.map_or_else(|| Way::Nowhere(wanted.to_owned()), Way::Inside))
    }

    /// The path under which an instance is.
    pub(crate) fn base(&self, root: &str, instance: &str) -> String {
        if self.are_several() { Link::new(root).to("i").to(instance).to_string() } else { root.to_owned() }
    }

    /// Where somebody is led who names none: to the one that they have looked at last, or to the first that they may see.
    pub(crate) fn home(&self, rights: &Rights, headers: &HeaderMap) -> Option<&Arc<Shared>> {
        let last = kept(headers);
        let is_last = |shared: &&Arc<Shared>| last.as_deref() == Some(&*shared.name);
        self.reached_by(rights).find(is_last).or_else(|| self.reached_by(rights).next())
    }

    /// Keeps in a cookie that this instance is looked at, unless that is kept already.
    pub(crate) fn keep(&self, visit: &Visit, headers: &HeaderMap) -> Option<String> {
        let instance = &*visit.shared.name;
        (self.are_several() && kept(headers).as_deref() != Some(instance)).then(|| {
            let (value, path) = (encoded(instance), cookie_path(&visit.root));
            format!("{COOKIE_NAME}={value}; Path={path}; Max-Age={SECONDS}; SameSite=Lax; HttpOnly")
        })
    }
}

impl Way {
    /// Where a request goes on that has come this way and is for no route of this instance: pages as they were called
    /// when there was one alone lead into the instance of who asks.
    pub(crate) fn aside(&self, visit: &Visit, request: &Request<Body>) -> Result<Option<Redirect>, Problem> {
        let path = request.uri().path();
        match self {
            Self::Inside(_) => Ok(None),
            Self::Nowhere(name) if visit.rights().reach(name) => {
                Err(Problem::new("not_found", format!("no instance is called `{name}`")))
            }
            Self::Nowhere(_) => Err(Problem::forbidden(Right::View, None)),
            Self::Before if OF_ALL.contains(&path) || path.starts_with("/assets/") => Ok(None),
            Self::Before if path.starts_with("/api/") || !request.method().is_safe() => {
                let reason = "there are several instances: this is below /i/ and the name of one";
                Err(Problem::new("not_found", reason))
            }
            Self::Before if !visit.rights().reach(&visit.shared.name) => {
                Err(Problem::forbidden(Right::View, None))
            }
            Self::Before => {
                let base = visit.instances.base(&visit.root, &visit.shared.name);
                Ok(Some(Redirect::to(&format!("{base}{}", visit.page))))
            }
        }
    }
}

/// The instance that a browser has looked at last.
fn kept(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE_NAME).then(|| decoded(value)).flatten())
}
