//! [`SavedViews`]: lists of tasks that have a name, kept by one browser in a cookie of its own.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::links::{decoded, encoded, own_path};
use crate::problem::Problem;

/// The cookie's name.
pub(crate) const NAME: &str = "asynq_views";

/// How many there may be.
const MOST: usize = 30;

/// How large the cookie may be: browsers keep 4096 bytes with its name and attributes.
const LARGEST: usize = 3_500;

/// How long a name may be, in characters.
const LONGEST_NAME: usize = 60;

/// Lists of tasks that have a name, in the order of their names. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct SavedViews(Arc<[SavedView]>);

/// A list of tasks that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SavedView {
    pub(crate) name: String,
    /// Path and query below the place where we are mounted: as they are in a browser's line.
    pub(crate) page: String,
}

impl SavedViews {
    /// Those of a request; what cannot be read is as if it were not there.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let ours = pairs.find_map(|(name, value)| (name == NAME).then_some(value)).unwrap_or_default();
        let views = ours.split('|').filter_map(|view| {
            let (name, page) = view.split_once(':')?;
            SavedView::new(&decoded(name)?, page).ok()
        });
        Self(views.take(MOST).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SavedView> {
        self.0.iter()
    }

    /// The same with this list under this name, whatever had it before.
    pub(crate) fn with(&self, name: &str, page: &str) -> Result<Self, Problem> {
        let view = SavedView::new(name, page)?;
        let mut views = self.without(&view.name).0.to_vec();
        views.push(view);
        views.sort_by(|a, b| a.name.cmp(&b.name));
        let views = Self(views.into());
        if views.0.len() > MOST || views.to_value().len() > LARGEST {
            let reason = format!(
                "a browser keeps {MOST} views, of {LARGEST} characters in all: delete one in the settings"
            );
            return Err(Problem::invalid(reason));
        }
        Ok(views)
    }

    /// The same without what has this name.
    pub(crate) fn without(&self, name: &str) -> Self {
        Self(self.iter().filter(|view| view.name != name).cloned().collect())
    }

    /// The same, but one has another name; `None` where there is none of the old one.
    pub(crate) fn renamed(&self, from: &str, to: &str) -> Result<Option<Self>, Problem> {
        let view = self.iter().find(|view| view.name == from);
        view.map(|view| self.without(from).with(to, &view.page)).transpose()
    }

    /// The cookie's value.
    pub(crate) fn to_value(&self) -> String {
        let mut value = String::new();
        for (place, view) in self.iter().enumerate() {
            let bar = if place > 0 { "|" } else { "" };
            // Writing to a text cannot fail.
            _ = write!(value, "{bar}{}:{}", encoded(&view.name), view.page);
        }
        value
    }
}

impl SavedView {
    /// A list of tasks under a name.
    fn new(name: &str, page: &str) -> Result<Self, Problem> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(Problem::invalid(format!("name: it must have 1 to {LONGEST_NAME} characters")));
        }
        let path = page.split('?').next().unwrap_or_default();
        let queue = path.strip_prefix("/queues/");
        let is_list =
            path == "/tasks" || queue.is_some_and(|queue| !queue.is_empty() && !queue.contains('/'));
        // Our own links have nothing else in them; what has may end the cookie.
        let is_plain = page.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?&=%-._~+".contains(&byte));
        if !is_list || !is_plain || own_path("", page) != page {
            return Err(Problem::invalid("page: it must be the address of a list of tasks"));
        }
        Ok(Self { name: name.to_owned(), page: page.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &str) -> SavedViews {
        let cookie = HeaderValue::from_str(&format!("a=b; {NAME}={value}; c=d")).unwrap();
        SavedViews::read(&HeaderMap::from_iter([(COOKIE, cookie)]))
    }

    #[test]
    fn they_come_back_in_the_order_of_their_names() {
        let page = "/queues/a%2Fb?state=retry&filter=error%3A%22x%7Cy%22";
        let views = SavedViews::default().with("z|:;é", page).unwrap().with("a", "/tasks?sort=id").unwrap();
        assert_eq!(views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["a", "z|:;é"]);
        assert!(views.to_value().bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
        assert_eq!(read(&views.to_value()), views);
        let renamed = views.renamed("a", "b").unwrap().unwrap();
        assert_eq!(renamed.iter().next().unwrap().name, "b");
        assert_eq!(views.renamed("nobody", "b").unwrap(), None);
        assert_eq!(views.without("a").with("z|:;é", "/tasks").unwrap().iter().count(), 1);
    }

    #[test]
    fn nonsense_is_nothing() {
        for value in
            ["", "a", "a:", "a:/redis", "a://evil.example", "a:/tasks\"x", ":/tasks", "%ff:/tasks", "|||"]
        {
            assert_eq!(read(value), SavedViews::default(), "{value}");
        }
        for (name, page) in
            [("", "/tasks"), ("a\n", "/redis"), (&"x".repeat(61), "/tasks"), ("a", "/tasks;x")]
        {
            assert!(SavedViews::default().with(name, page).is_err(), "{name} {page}");
        }
    }

    #[test]
    fn there_is_an_end_to_how_many() {
        let mut views = SavedViews::default();
        for n in 0..MOST {
            views = views.with(&format!("view {n}"), "/tasks").unwrap();
        }
        assert!(views.with("one more", "/tasks").unwrap_err().detail.contains("delete one"));
        assert!(views.with("view 0", "/tasks?filter=x").is_ok());
        let long = format!("/tasks?filter={}", "x".repeat(LARGEST));
        assert!(SavedViews::default().with("long", &long).is_err());
        assert_eq!(read(&"a:/tasks|".repeat(100)).iter().count(), MOST);
    }
}
