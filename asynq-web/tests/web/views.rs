//! What one browser, or one site, has of its own: saved views, the badge, the palette's places; and queues by prefix.

use asynq_web::{Accent, Rights, WebUi};
use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::site::{Answer, Site, as_somebody, encoded};

async fn with_cookie(site: &Site, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path).header("host", "localhost").header("cookie", cookie);
    site.ask(request.body(Body::empty()).unwrap()).await
}

/// Sends a form from a browser that has this cookie; the cookie that it has then, and where it is led.
async fn sent(site: &Site, path: &str, cookie: &str, fields: &[(&str, &str)]) -> (String, String) {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = site.ask(request.body(encoded(fields).into()).unwrap()).await;
    let set = answer.header("set-cookie");
    assert!(set.ends_with("; SameSite=Lax; HttpOnly"), "{set}: {}", answer.text());
    (set.split(';').next().unwrap().to_owned(), answer.leads_to().to_owned())
}

#[tokio::test]
async fn a_list_gets_a_name_and_is_found_by_it() {
    let site = Site::seeded().await;
    let list = "/queues/mail?state=retry&filter=error%3Atimeout&column=due&size=10&sort=error&order=desc";
    let page = site.page(list).await;
    let kept = page.split("name=\"page\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(kept.replace("&amp;", "&"), list, "all that makes the list is kept");
    let (cookie, back) = sent(&site, "/views", "", &[("name", " Mail é "), ("page", list)]).await;
    assert_eq!(back, format!("{list}&done=view&n=1"));
    assert!(site.page(&back).await.contains("The view is saved in this browser."));

    let link = format!("href=\"{}\"", list.replace('&', "&amp;"));
    let tasks = with_cookie(&site, "/tasks", &cookie).await.text();
    assert!(tasks.contains(&format!("{link}>Mail é</a>")), "{tasks}");
    let here = with_cookie(&site, list, &cookie).await.text();
    assert!(here.contains(&format!("{link} aria-current=\"true\">Mail é</a>")), "{here}");
    assert!(!here.contains("Save view"), "it is saved already");
    assert!(
        tasks.contains(&format!("<a {link} data-kind=\"view\">Mail é</a>")),
        "the palette has it: {tasks}"
    );

    let (cookie, _) = sent(&site, "/views/rename", &cookie, &[("view", "Mail é"), ("name", "Late")]).await;
    let settings = with_cookie(&site, "/settings", &cookie).await.text();
    assert!(settings.contains("value=\"Late\"") && !settings.contains("Mail é"), "{settings}");
    let (cookie, _) = sent(&site, "/views/delete", &cookie, &[("view", "Late"), ("name", "Late")]).await;
    assert_eq!(cookie, "asynq_views=");
    let wrong = site.send("/views", &[("name", "x"), ("page", "https://evil.example/")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("the address of a list of tasks"), "{}", wrong.text());
}

#[tokio::test]
async fn views_are_kept_below_the_path_where_we_are() {
    let site = Site::with(|ui| ui.prefix("/a/b"));
    let fields = [("name", "x"), ("page", "/tasks?sort=id&order=asc")];
    let request = Request::post("/a/b/views")
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = site.ask(request.body(encoded(&fields).into()).unwrap()).await;
    assert!(answer.header("set-cookie").contains("; Path=/a/b; "), "{}", answer.header("set-cookie"));
    assert_eq!(answer.leads_to(), "/a/b/tasks?sort=id&order=asc&done=view&n=1");
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = with_cookie(&site, "/a/b/tasks", &cookie).await.text();
    assert!(page.contains("href=\"/a/b/tasks?sort=id&amp;order=asc\">x</a>"), "{page}");
}

#[tokio::test]
async fn a_badge_is_on_every_page() {
    let site = Site::with(|ui| ui.badge("<prod>", Accent::Red).title("shop"));
    site.seed().await;
    for path in ["/", "/tasks", "/queues/mail/tasks/m1", "/settings", "/nope"] {
        let page = site.get(path).await.text();
        assert!(page.contains("<title>&lt;prod&gt; · "), "{path}: {page}");
        assert!(
            page.contains("data-accent=\"red\"")
                && page.contains("<span class=\"env accent\">&lt;prod&gt;</span>")
        );
    }
    let meta = site.get("/api/v1/meta").await.json();
    assert_eq!((&meta["badge"], &meta["accent"]), (&"<prod>".into(), &"red".into()));
    assert!(!Site::new().page("/").await.contains("data-accent"));
}

#[tokio::test]
async fn the_palette_has_what_the_visitor_may_go_to() {
    let site = Site::with(WebUi::logins_only);
    let places = async |rights: Rights| {
        let page = as_somebody(&site, rights, "GET", "/", "").await.text();
        page.split("<template id=\"places\"")
            .nth(1)
            .map(|rest| rest.split("</template>").next().unwrap().to_owned())
    };
    let all = places(Rights::admin()).await.unwrap();
    for label in [">Queues<", ">Errors and types<", ">Enqueue a task<", ">Audit<", "data-queues=\"/queues\""]
    {
        assert!(all.contains(label), "{all}");
    }
    let few = places(Rights::viewer()).await.unwrap();
    assert!(few.contains(">Servers<") && !few.contains("Enqueue") && !few.contains("Audit"), "{few}");
    assert_eq!(places(Rights::none()).await, None);
}

#[tokio::test]
async fn queues_with_one_prefix_are_folded_into_one_line() {
    let site = Site::new();
    for (queue, tasks) in [
        ("mail:low", 2),
        ("mail:high", 3),
        ("mail-eu", 1),
        ("mail", 1),
        ("report.day", 1),
        ("report.week", 4),
    ] {
        for n in 0..tasks {
            site.enqueue(queue, &format!("t{n}"), "{}", |options| options).await;
        }
    }
    site.inspector.pause("mail:low").await.unwrap();
    assert!(site.page("/").await.contains("href=\"/?by=prefix\">By prefix</a>"));
    let page = site.page("/?by=prefix").await;
    let keys = |page: &str| -> Vec<String> {
        page.split("data-key=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let queues = |page: &str| -> Vec<String> {
        let known = ["mail", "prefix", "report"];
        keys(page).into_iter().filter(|key| known.iter().any(|start| key.starts_with(start))).collect()
    };
    assert_eq!(queues(&page), ["mail", "mail-eu", "prefix mail:", "prefix report."]);
    let line = page.split("data-key=\"prefix mail:\"").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(line.contains("href=\"/?by=prefix&amp;open=mail%3A&amp;sort=name&amp;order=asc\""), "{line}");
    assert!(line.contains("<td class=\"right\">5</td>"), "the sum of both: {line}");
    assert!(line.contains("1 paused") && line.contains("1 without worker"), "{line}");
    let by_size = site.page("/?by=prefix&sort=size").await;
    assert_eq!(queues(&by_size)[..2], ["prefix mail:", "prefix report."]);

    let open = site.page("/?by=prefix&open=mail:").await;
    assert_eq!(queues(&open), ["mail", "mail-eu", "prefix mail:", "mail:high", "mail:low", "prefix report."]);
    let line = open.split("data-key=\"prefix mail:\"").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(
        line.contains("href=\"/?by=prefix&amp;sort=name&amp;order=asc\" aria-expanded=\"true\""),
        "{line}"
    );
    assert_eq!(queues(&site.page("/?by=prefix&name=low").await), ["mail:low"]);
    assert!(site.page("/?by=prefix").await.contains("href=\"/\">One by one</a>"));
    assert_eq!(site.get("/?by=odd").await.status, StatusCode::BAD_REQUEST);
}
