//! [`Visit`]: one request as routes see it: who asks, what for, and from where.

use std::sync::Arc;

use asynq_core::client::Client;
use asynq_core::inspector::{Filter, Inspector, Mask, Masks, Search, SearchPart, TaskDetail};
use asynq_core::task::{QueueName, TaskInfo};
use axum::extract::{Extension, FromRequestParts};
use axum::http::request::Parts;
use bytes::Bytes;
use jiff::Timestamp;

use crate::formats::AllWritten;
use crate::gate::Caller;
use crate::instances::Instances;
use crate::links::{Link, own_path};
use crate::login::Pass;
use crate::preferences::Preferences;
use crate::problem::Problem;
use crate::rights::{Right, Rights, Visitor};
use crate::saved_views::SavedViews;
use crate::shared::Shared;

/// One request as routes see it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) instances: Instances,
    /// The one that is asked; before all of them, the one of who asks.
    pub(crate) shared: Arc<Shared>,
    /// The path under which the Web UI is: empty, or `/a/b`.
    pub(crate) root: String,
    /// The path under which this instance is: the root, or where there are several, below it.
    pub(crate) base: String,
    /// Path and query of this page, below the base.
    pub(crate) page: String,
    pub(crate) visitor: Visitor,
    /// By what they are known.
    pub(crate) pass: Pass,
    /// Whether nobody comes in without being known, and this one is not.
    pub(crate) is_stranger: bool,
    pub(crate) caller: Caller,
    /// What this request is called in logs.
    pub(crate) request: Arc<str>,
    pub(crate) preferences: Preferences,
    pub(crate) views: SavedViews,
    /// Whether only the part of the page is wanted that changes.
    pub(crate) is_fragment: bool,
}

impl Visit {
    /// A link to the first page, to go on from.
    pub(crate) fn link(&self) -> Link {
        Link::new(&self.base)
    }

    /// A link to what is before all instances, to go on from.
    pub(crate) fn root_link(&self) -> Link {
        Link::new(&self.root)
    }

    /// Whether no single instance is asked, where there are several.
    pub(crate) fn is_before_all(&self) -> bool {
        self.instances.are_several() && self.base == self.root
    }

    /// The address of this page, to come back to.
    pub(crate) fn here(&self) -> String {
        format!("{}{}", self.base, self.page)
    }

    /// A page of ours that a form names to come back to.
    pub(crate) fn way_back(&self, given: Option<&str>) -> String {
        own_path(&self.base, given.unwrap_or_default()).into_owned()
    }

    /// The time where the tasks are, as far as this process knows.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.client.broker().clock().now()
    }

    pub(crate) fn rights(&self) -> &Rights {
        self.visitor.rights()
    }

    /// Whether who asked is still let in with the same rights: for what takes longer.
    pub(crate) fn goes_on(&self) -> bool {
        match (self.pass, &self.shared.door) {
            (Pass::Session(_) | Pass::Token(_), Some(door)) => {
                let admitted = door.admitted(self.pass, self.now());
                admitted.is_some_and(|visitor| self.shared.rights_of(&visitor) == *self.rights())
            }
            _ => true,
        }
    }

    /// Whether this may be done in a queue: decides what is offered. What is asked for goes through
    /// [`inspector`](Self::inspector).
    pub(crate) fn may(&self, right: Right, queue: &str) -> bool {
        self.rights().allow(right, queue)
    }

    /// Whether this may be done in a queue or, where none is named, to what belongs to no single one: that is for who is
    /// limited to none.
    pub(crate) fn may_in(&self, right: Right, queue: Option<&str>) -> bool {
        match queue {
            Some(queue) => self.may(right, queue),
            None => self.rights().have(right) && !self.rights().are_limited(),
        }
    }

    /// The inspector, for somebody who has this right in this queue. It is reached in no other way, nor is the
    /// [`client`](Self::client): whatever a route does, it has asked.
    pub(crate) fn inspector(&self, right: Right, queue: &str) -> Result<&Inspector, Problem> {
        if self.may(right, queue) {
            Ok(&self.shared.inspector)
        } else {
            Err(Problem::forbidden(right, Some(queue)))
        }
    }

    /// The inspector, for what belongs to no queue.
    pub(crate) fn inspector_of_all(&self, right: Right) -> Result<&Inspector, Problem> {
        if self.rights().have(right) {
            Ok(&self.shared.inspector)
        } else {
            Err(Problem::forbidden(right, None))
        }
    }

    /// The client, for somebody who may enqueue in this queue.
    pub(crate) fn client(&self, queue: &str) -> Result<&Client, Problem> {
        self.inspector(Right::Enqueue, queue)?;
        Ok(&self.shared.client)
    }

    /// Whether something may be in what tasks of this queue carry that the visitor is not shown.
    pub(crate) fn hides(&self, queue: &str) -> bool {
        !self.shared.masks.is_empty() && !self.may(Right::ViewSecrets, queue)
    }

    /// What the visitor is shown of what tasks of a queue carry.
    pub(crate) fn shown(&self, queue: &str, content: Bytes) -> Bytes {
        if self.hides(queue) { self.shared.masks.hide(content) } else { content }
    }

    /// What the visitor is shown of a task. Where something may be hidden, the payload is as its job reads it.
    pub(crate) fn seen(&self, mut task: TaskInfo) -> TaskInfo {
        if !self.hides(task.queue.as_str()) {
            return task;
        }
        task.payload = self.shared.client.open(&task).unwrap_or_else(|_| task.payload.clone());
        self.shared.masks.conceal(&task)
    }

    /// Reads a filter, of somebody who sees tasks as the visitor does.
    pub(crate) fn filter(&self, text: &str) -> Result<Filter, Problem> {
        self.seeing(text.parse()?)
    }

    /// A filter that sees tasks as the visitor does.
    pub(crate) fn seeing(&self, filter: Filter) -> Result<Filter, Problem> {
        let rights = self.rights();
        if !rights.have(Right::ViewPayload) {
            // Who sees nothing of what tasks carry finds nothing by it: each answer would tell some of it.
            let everything: Masks = "*".parse::<Mask>().into_iter().collect();
            return Ok(filter.through(&everything)?);
        }
        if rights.have(Right::ViewSecrets) { Ok(filter) } else { Ok(filter.through(&self.shared.masks)?) }
    }

    /// A part of a search, as the visitor sees it.
    pub(crate) async fn search(&self, right: Right, search: &Search) -> Result<SearchPart, Problem> {
        let inspector = self.inspector_of_all(right)?;
        let _turn = self.shared.pace.search().await?;
        let mut part = inspector.search(search).await?;
        part.tasks = part.tasks.into_iter().map(|task| self.seen(task)).collect();
        Ok(part)
    }

    /// A task, as the visitor sees it.
    pub(crate) async fn task(&self, right: Right, queue: &str, id: &str) -> Result<TaskDetail, Problem> {
        let mut detail = self.inspector(right, queue)?.task(queue, id).await?;
        detail.info = self.seen(detail.info);
        Ok(detail)
    }

    /// The same, and what formats of the application make of what it carries, for who may see that.
    pub(crate) async fn task_written(
        &self,
        right: Right,
        queue: &str,
        id: &str,
    ) -> Result<(TaskDetail, AllWritten), Problem> {
        let mut detail = self.inspector(right, queue)?.task(queue, id).await?;
        let mut written = AllWritten::default();
        if self.may(Right::ViewPayload, queue) {
            written = self.shared.formats.of(self, &detail.info);
        }
        detail.info = self.seen(detail.info);
        Ok((detail, written))
    }

    /// The queues in which the visitor has this right.
    pub(crate) async fn queues(&self, right: Right) -> Result<Vec<QueueName>, Problem> {
        let mut queues = self.inspector_of_all(right)?.queues().await?;
        queues.retain(|queue| self.may(right, queue.as_str()));
        Ok(queues)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visit = Extension::<Self>::from_request_parts(parts, state).await;
        visit.map(|Extension(visit)| visit).map_err(|error| Problem::new("failed", error.to_string()))
    }
}
