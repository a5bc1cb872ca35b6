//! A connection to the server of a data set.

use std::env;
use std::io::Read;
use std::time::Duration;

use ureq::http::{Response, Uri, header};
use ureq::{Agent, Body, Proxy, ProxyProtocol};

use crate::error::{Error, Result};
use crate::text::{joined, printable, reason, shorten};

/// The longest wait for a connection, and for the next bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with the folder of a set's files.
pub(super) struct Connection {
    agent: Agent,
    base: String,
}

/// An answer of a server to a request for the bytes of a file from an offset.
pub(super) struct Answer {
    /// The offset at which its bytes begin.
    pub from: u64,
    /// The length of the whole file, if the server says it.
    pub total: Option<u64>,
    /// The bytes.
    pub body: Box<dyn Read>,
}

/// Why a server gave no answer.
pub(super) enum NoAnswer {
    /// The offset is behind the end of its file.
    OutOfRange,
    /// The sentence.
    Failed(Error),
}

impl Connection {
    /// A connection to a URL under which files are. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything but a URL of http or https, and for a proxy that can't be one.
    pub fn to(base: &str) -> Result<Connection> {
        let wrong = || {
            Error::Usage(format!(
                "“{}” is no address to download from, so give one that begins with https:// or http://",
                shorten(base)
            ))
        };
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let scheme =
            uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(wrong)?;
        if uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
            return Err(wrong());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(proxy(scheme)?)
            .user_agent(concat!("wgrad/", env!("CARGO_PKG_VERSION")))
            // The bytes of a compressed file, not of its content.
            .accept_encoding("identity")
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
        Ok(Connection { agent: config.build().into(), base })
    }

    /// The address of a file.
    pub fn url(&self, file: &str) -> String {
        format!("{}{file}", self.base)
    }

    /// Asks for the bytes of a file from an offset. The server may begin at 0 instead.
    pub fn ask(&self, file: &str, from: u64) -> Result<Answer, NoAnswer> {
        let url = self.url(file);
        let request = self.agent.get(&url);
        let request =
            if from > 0 { request.header(header::RANGE, format!("bytes={from}-")) } else { request };
        let failed = |why: String, fix: &str| {
            NoAnswer::Failed(Error::Failure(format!("{} {why}, so {fix}", printable(&url))))
        };
        let response = request.call().map_err(|error| {
            let why = match &error {
                ureq::Error::Io(error) => reason(error).to_string(),
                error => joined(error),
            };
            failed(
                format!("can't be reached ({why})"),
                "check the connection and the proxy, or name a mirror with ⟨from⟩",
            )
        })?;
        match response.status().as_u16() {
            200 => Ok(Answer { from: 0, total: length(&response), body: body(response) }),
            206 => {
                let range = response.headers().get(header::CONTENT_RANGE);
                match range.and_then(|range| content_range(range.to_str().ok()?)) {
                    Some((first, total)) if first == from => Ok(Answer { from, total, body: body(response) }),
                    _ => Err(NoAnswer::OutOfRange),
                }
            }
            416 if from > 0 => Err(NoAnswer::OutOfRange),
            status @ (404 | 410) => Err(failed(
                format!("is not there (status {status})"),
                "name a mirror with ⟨from⟩ that has the file",
            )),
            status => Err(failed(
                format!("was refused (status {status})"),
                "try again later, or name a mirror with ⟨from⟩",
            )),
        }
    }
}

fn body(response: Response<Body>) -> Box<dyn Read> {
    Box::new(response.into_body().into_with_config().limit(u64::MAX).reader())
}

fn length(response: &Response<Body>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// First byte and total length of `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The proxy that the environment names for a scheme: its own variable before `ALL_PROXY`, small letters before large.
fn proxy(scheme: &str) -> Result<Option<Proxy>> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    // A web server that runs programs sets HTTP_PROXY from a header, but wgrad is no such program.
    let names = [format!("{scheme}_proxy"), "all_proxy".to_owned()];
    let named = names.iter().flat_map(|name| [name.clone(), name.to_uppercase()]);
    let Some((name, value)) = named.into_iter().find_map(|name| variable(&name).map(|value| (name, value)))
    else {
        return Ok(None);
    };
    let wrong = |_| Error::Usage(format!("{name} is no address of a proxy, so change or unset it"));
    let parsed = Proxy::new(&value).map_err(wrong)?;
    if !matches!(parsed.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return Err(Error::Usage(format!(
            "{name} names a proxy of another protocol than http and https, so unset it or name one of these"
        )));
    }
    let mut proxy = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
    if let Some(user) = parsed.username() {
        proxy = proxy.username(user);
    }
    if let Some(password) = parsed.password() {
        proxy = proxy.password(password);
    }
    let direct = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
    for host in direct.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        // As curl has it, a host stands for the hosts below it too, with or without a dot in front.
        let host = host.trim_start_matches("*.").trim_start_matches('.');
        proxy = proxy.no_proxy(host);
        if host != "*" {
            proxy = proxy.no_proxy(&format!(".{host}"));
        }
    }
    proxy.build().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_an_answer_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for wrong in ["", "bytes */10", "5-9/10", "bytes 5/10"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for wrong in ["", "mirror", "ftp://host/", "file:///data", "http://", "https://host/?a=b"] {
            assert!(matches!(Connection::to(wrong), Err(Error::Usage(_))), "{wrong}");
        }
        let connection = Connection::to("http://host/folder").ok().unwrap();
        assert_eq!(connection.url("file.gz"), "http://host/folder/file.gz");
    }
}
