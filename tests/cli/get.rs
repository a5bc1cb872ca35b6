//! `wgrad data get` against servers of the tests' own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::{Place, Ran};

/// What a server does with a request.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// It answers, with a part of a file if asked for one.
    Whole,
    /// It answers with the whole file always.
    WithoutRanges,
    /// It ends each answer after this number of bytes.
    Breaks(usize),
    /// It ends each answer after this number of bytes, and begins each at 0.
    StartsOver(usize),
    /// It does not say how long its files are.
    WithoutLength,
    /// It sends this number of bytes, then nothing, and leaves the connection open.
    Hangs(usize),
    /// It answers with this status.
    Status(u16),
    /// It changes a byte in the middle of each file.
    Damaged,
}

/// Requests: the first line of each, and its range.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server with MNIST's four files as this repository has them.
struct Server {
    address: String,
    asked: Asked,
    way: Arc<Mutex<Way>>,
}

impl Server {
    fn new(way: Way) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server { address, asked: Arc::default(), way: Arc::new(Mutex::new(way)) };
        let (asked, way) = (server.asked.clone(), server.way.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, way) = (asked.clone(), *way.lock().unwrap());
                // A client that has gone is no fault of the server.
                thread::spawn(move || drop(answer(stream.unwrap(), way, &asked)));
            }
        });
        server
    }

    fn base(&self) -> String {
        format!("http://{}/sets", self.address)
    }

    fn asked(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn becomes(&self, way: Way) -> &Server {
        *self.way.lock().unwrap() = way;
        self
    }
}

fn answer(mut stream: TcpStream, way: Way, asked: &Asked) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let range = headers.get("range").cloned();
    asked.lock().unwrap().push((first.clone(), range.clone()));
    if let Way::Status(status) = way {
        return write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    }
    let name = first.split(' ').nth(1).unwrap_or_default().trim_start_matches("/sets/").to_owned();
    let mut bytes = fs::read(mnist().join(name))?;
    if way == Way::Damaged {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    let from = range.filter(|_| !matches!(way, Way::WithoutRanges | Way::StartsOver(_))).map_or(0, |range| {
        range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
    });
    let total = bytes.len();
    if from > 0 {
        write!(stream, "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{}/{total}\r\n", total - 1)?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    if way != Way::WithoutLength {
        write!(stream, "Content-Length: {}\r\n", total - from)?;
    }
    write!(stream, "Connection: close\r\n\r\n")?;
    let rest = &bytes[from..];
    match way {
        Way::Breaks(most) | Way::StartsOver(most) => stream.write_all(&rest[..most.min(rest.len())]),
        Way::Hangs(most) if rest.len() > most => {
            stream.write_all(&rest[..most])?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        _ => stream.write_all(rest),
    }
}

fn mnist() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))
}

fn get(place: &Place, from: &str) -> Command {
    let mut command = place.command(&["data", "get", "mnist", "--from", from]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

/// Whether the four files are there under their names, and nothing else but digests and the lock.
fn is_whole(place: &Place) {
    let files: Vec<String> =
        place.files().into_keys().filter(|name| name.starts_with("home/wgrad/")).collect();
    let folder = "home/wgrad/mnist";
    let expected = ["t10k-images-idx3", "t10k-labels-idx1", "train-images-idx3", "train-labels-idx1"];
    let mut names = vec!["home/wgrad/".to_owned(), "home/wgrad/.mnist.lock".to_owned()];
    names.push(format!("{folder}/"));
    names.push(format!("{folder}/SHA256SUMS"));
    for name in expected {
        assert_eq!(
            place.read(&format!("{folder}/{name}-ubyte.gz")),
            fs::read(mnist().join(format!("{name}-ubyte.gz"))).unwrap()
        );
        names.push(format!("{folder}/{name}-ubyte.gz"));
    }
    assert_eq!(files, names);
}

/// Whether nothing has a final name.
fn is_nothing(place: &Place) {
    assert!(!place.path("home/wgrad/mnist").exists());
    let files = place.files();
    let finished = files.keys().find(|name| name.contains("/files/") && !name.ends_with('/'));
    assert_eq!(finished, None);
}

#[test]
fn a_set_is_downloaded_once_and_then_found_by_its_name() {
    let (place, server) = (Place::new(), Server::new(Way::Whole));
    place.refuses(3, &["data", "mnist"], &["MNIST was not found", "download it with wgrad data get mnist"]);
    let ran = Ran::of(&mut get(&place, &server.base())).ok();
    assert!(ran.out.starts_with("mnist is here, verified: "), "{}", ran.out);
    assert!(ran.err.contains("train-images-idx3-ubyte.gz, 9,719,438 bytes"), "{}", ran.err);
    is_whole(&place);
    assert_eq!(server.asked().len(), 4);
    let known = place.run(&["data", "mnist", "--json"]).ok().json();
    assert_eq!((&known["train"], &known["held_out"]), (&60_000.into(), &10_000.into()));

    let again = Ran::of(&mut get(&place, &server.base())).ok();
    assert!(again.out.starts_with("mnist was here already, and is whole: "), "{}", again.out);
    assert_eq!(server.asked(), []);
    // Nothing is written to find that, and what a killed process left is removed.
    fs::remove_file(place.path("home/wgrad/.mnist.lock")).unwrap();
    Ran::of(&mut get(&place, &server.base())).ok();
    assert!(!place.path("home/wgrad/.mnist.lock").exists());
    place.write("home/wgrad/.mnist.part/gone", "");
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
}

#[test]
fn a_folder_filled_by_hand_is_taken_as_it_is_or_set_aside() {
    let (place, server) = (Place::new(), Server::new(Way::Whole));
    let folder = "home/wgrad/mnist";
    for entry in fs::read_dir(mnist()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        place.write(&format!("{folder}/{name}"), fs::read(entry.path()).unwrap());
    }
    place.write(&format!("{folder}/my-notes.txt"), "mine");
    let ran = Ran::of(&mut get(&place, &server.base())).ok();
    assert!(ran.out.starts_with("mnist was here already, and is whole: "), "{}", ran.out);
    assert_eq!(server.asked(), []);
    assert_eq!(place.read(&format!("{folder}/my-notes.txt")), b"mine");
    let digests = String::from_utf8(place.read(&format!("{folder}/SHA256SUMS"))).unwrap();
    assert_eq!((digests.lines().count(), digests.contains("my-notes")), (4, false), "{digests}");

    // Digests beside the files do not make other content whole. A second folder gets a name of its own.
    for aside in ["mnist.set-aside", "mnist.set-aside-2"] {
        place.write(&format!("{folder}/my-notes.txt"), aside);
        place.write(&format!("{folder}/t10k-labels-idx1-ubyte.gz"), "damaged");
        let digest = if aside.ends_with('2') {
            "e0bd43511d05d80af3dea6803605c66e57ad9956d478686da9f53fc78f3b1c49"
        } else {
            "736eb3f614648fd8ff146e5af38509d263526f8ab927a4e7d7e31a42be20bb70"
        };
        place.write(&format!("{folder}/SHA256SUMS"), format!("{digest}  my-notes.txt\n"));
        let ran = Ran::of(&mut get(&place, &server.base())).ok();
        assert!(ran.err.contains("not the whole set") && ran.err.contains(aside), "{}", ran.err);
        assert!(ran.out.starts_with("mnist is here, verified: "), "{}", ran.out);
        let aside_notes = place.read(&format!("home/wgrad/{aside}/my-notes.txt"));
        assert_eq!(aside_notes, aside.as_bytes());
        assert!(!place.path(&format!("{folder}/my-notes.txt")).exists());
    }
    for aside in ["mnist.set-aside", "mnist.set-aside-2"] {
        fs::remove_dir_all(place.path(&format!("home/wgrad/{aside}"))).unwrap();
    }
    is_whole(&place);
}

#[test]
fn what_breaks_off_is_resumed_where_it_was() {
    let (place, server) = (Place::new(), Server::new(Way::Breaks(6_000_000)));
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
    let asked = server.asked();
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert_eq!(asked[0].1, None);
    let from = asked[1].1.as_deref().unwrap().strip_prefix("bytes=").unwrap().trim_end_matches('-');
    assert!((1..=6_000_000).contains(&from.parse::<u64>().unwrap()), "{from}");
}

#[test]
fn a_server_that_knows_no_ranges_is_asked_for_the_whole_file_again() {
    let (place, server) = (Place::new(), Server::new(Way::Breaks(0)));
    let ran = Ran::of(&mut get(&place, &server.base()));
    ran.failed(1, &["broke off after 0 of 9719438 bytes", "try again"]);
    assert!(!ran.err.contains("is kept"), "{}", ran.err);
    is_nothing(&place);
    server.becomes(Way::StartsOver(1000));
    let ran = Ran::of(&mut get(&place, &server.base()));
    ran.failed(1, &["broke off after 1000 of 9719438 bytes", "--from", "does not resume"]);
    assert!(!ran.err.contains("is kept"), "{}", ran.err);
    let folder = "home/wgrad/.mnist.part";
    place.write(&format!("{folder}/train-images-idx3-ubyte.gz.part"), [7; 1000]);
    server.becomes(Way::WithoutRanges).asked();
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].1.as_deref()), (4, Some("bytes=1000-")));
}

#[test]
fn a_server_that_names_no_length_may_have_any_version() {
    let (place, server) = (Place::new(), Server::new(Way::WithoutLength));
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_killed_download_leaves_a_part_that_is_resumed() {
    let (place, server) = (Place::new(), Server::new(Way::Hangs(500_000)));
    let mut command = get(&place, &server.base());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let part = place.path("home/wgrad/.mnist.part/train-images-idx3-ubyte.gz.part");
    let started = Instant::now();
    while fs::metadata(&part).map_or(0, |found| found.len()) < 500_000 {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing was written");
        thread::sleep(Duration::from_millis(20));
    }
    // Another process keeps away meanwhile.
    Ran::of(&mut get(&place, &server.base())).failed(1, &["mnist is being downloaded by another process"]);
    child.kill().unwrap();
    child.wait().unwrap();
    is_nothing(&place);
    server.becomes(Way::Whole).asked();
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
    assert_eq!(server.asked()[0].1.as_deref(), Some("bytes=500000-"));
}

#[test]
fn other_content_never_gets_a_name() {
    let (place, server) = (Place::new(), Server::new(Way::Damaged));
    let ran = Ran::of(&mut get(&place, &server.base()));
    ran.failed(3, &["train-images-idx3-ubyte.gz has other content", "SHA-256", "nothing was kept", "--from"]);
    is_nothing(&place);
    assert!(!place.path("home/wgrad/.mnist.part/train-images-idx3-ubyte.gz.part").exists());
    // A part of another version is found out at the end, and then the file is fetched from its first byte.
    place.write("home/wgrad/.mnist.part/train-images-idx3-ubyte.gz.part", [7; 1000]);
    server.becomes(Way::Whole).asked();
    Ran::of(&mut get(&place, &server.base())).ok();
    is_whole(&place);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].1.as_deref(), &asked[1].1), (5, Some("bytes=1000-"), &None));
}

#[test]
fn a_server_that_has_no_files_or_cannot_be_reached_is_named() {
    let place = Place::new();
    for (status, words) in [
        (404, ["train-images-idx3-ubyte.gz is not there (status 404)", "--from"]),
        (500, ["was refused (status 500)", "try again later"]),
    ] {
        let server = Server::new(Way::Status(status));
        let ran = Ran::of(&mut get(&place, &server.base()));
        ran.failed(1, &[&words[..], &[&server.address]].concat());
        is_nothing(&place);
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = Ran::of(&mut get(&place, &format!("http://{nobody}/")));
    ran.failed(1, &["can't be reached", "check the connection and the proxy"]);
    let usage = |arguments: &[&str], words: &[&str]| place.refuses(2, arguments, words);
    usage(&["data", "get", "mnits"], &["“mnits” is no data set to download", "did you mean “mnist”?"]);
    usage(&["data", "get", "digits"], &["digits is built in"]);
    usage(&["data", "get", "mnist", "--from", "mirror"], &["“mirror” is no address", "https://"]);
}

#[test]
fn proxies_of_the_environment_are_taken() {
    let (place, server) = (Place::new(), Server::new(Way::Whole));
    let proxy = Server::new(Way::Status(502));
    let address = format!("http://{}", proxy.address);
    let through = |variables: &[(&str, &str)]| {
        let mut command = get(&place, &server.base());
        let ran = Ran::of(command.envs(variables.iter().copied()));
        (ran, proxy.asked().len(), server.asked().len())
    };
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (ran, by_proxy, directly) = through(&[(name, &address)]);
        ran.failed(1, &["can't be reached", "proxy"]);
        assert_eq!((by_proxy, directly), (1, 0), "{name}");
    }
    through(&[("HTTP_PROXY", "::")]).0.failed(2, &["HTTP_PROXY is no address of a proxy"]);
    let (ran, by_proxy, directly) =
        through(&[("HTTP_PROXY", &address), ("HTTPS_PROXY", &address), ("NO_PROXY", "localhost,127.0.0.1")]);
    ran.ok();
    assert_eq!((by_proxy, directly), (0, 4));
    is_whole(&place);
}
