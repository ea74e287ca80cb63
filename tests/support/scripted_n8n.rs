//! An n8n that responds from a list.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;

use serde_json::Value;

/// A response, and the beginning of the method and path that gets it.
pub(crate) type Step = (&'static str, u16, Value);

/// Serves the steps in any order, as often as they are asked for. Returns its address, and what it is
/// asked.
pub(crate) fn start(steps: Vec<Step>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, seen) = channel();
    thread::spawn(move || serve(&listener, &steps, &sender));
    (address, seen)
}

fn serve(listener: &TcpListener, steps: &[Step], seen: &Sender<String>) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        while let Some(request) = read(&mut stream) {
            let found = steps.iter().find(|(line, ..)| request.starts_with(line));
            let (status, body) = found.map_or((404, "{}".to_owned()), |(_, status, body)| {
                (*status, body.to_string())
            });
            let _ = seen.send(request);
            let response = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nretry-after: 42\r\nlocation: https://elsewhere.example/\r\n\
                 set-cookie: n8n-auth=the-session; Path=/; HttpOnly\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(response.as_bytes()).unwrap();
        }
    }
}

/// Head and body of a request. `None`: the connection has ended.
fn read(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(request + &String::from_utf8(body).unwrap())
}
