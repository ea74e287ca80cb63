//! The compiled module in an interpreter that counts its instructions. The host functions behave as
//! those of Envoy for a request that is decided at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmi::{Caller, Config, Engine, Extern, Func, Instance, Linker, Memory, Module, Store, Val};

use crate::cases::{api_key, KEYS};

/// How many log lines are kept.
const LINES: usize = 16;

/// A limit of instructions that loading a configuration never reaches.
const ENDLESS: u64 = u64::MAX / 2;

/// `Status` of the ABI.
const OK: i32 = 0;
const NOT_FOUND: i32 = 1;

/// The variables of the module's environment.
fn environment() -> Vec<String> {
    let keys = (0..10).map(|at| format!("{KEYS}{at}={}\0", api_key(&at.to_string())));
    let reader = "N8N_KEY=n8n-key-of-the-reader\0".to_owned();
    keys.chain([reader]).collect()
}

/// What the host says, where it is not the same for all requests.
#[derive(Clone, Copy, Default)]
pub(crate) struct Script {
    /// Seconds since 1970. `None`: the time of this machine.
    pub(crate) now: Option<u64>,
    /// What it says about each signature. `None`: it checks none.
    pub(crate) signatures: Option<bool>,
    /// Whether its log leaves out audit records.
    pub(crate) is_quiet: bool,
}

/// How often the self-test asks about each algorithm. The first signature of each is a good one.
const SELF_TEST: u32 = 6;

/// The root context.
const ROOT: i32 = 1;

/// The head of a request: names and values.
pub(crate) type Head = Vec<(String, Vec<u8>)>;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The status of the local reply; `None`: the request was forwarded or passed.
    pub(crate) status: Option<u32>,
    /// The number of instructions of the module. A bulk copy counts by its bytes.
    pub(crate) steps: u64,
}

/// `proxy_buffer_type_t`.
const CALL_BODY: i32 = 4;

/// `proxy_map_type_t`.
const CALL_HEADERS: i32 = 6;

/// The headers of each response to a call.
const RESPONSE: [(&str, &[u8]); 2] = [(":status", b"200"), ("content-type", b"application/json")];

/// The number of each call that the module makes.
const CALL: u32 = 1;

#[derive(Default)]
struct State {
    script: Script,
    has_started: bool,
    asked: u32,
    /// How many requests got an API key.
    keys: usize,
    /// What is told of each branch of an instrumented module: its number, and whether it is taken.
    on_branch: Option<fn(usize, bool)>,
    configuration: Vec<u8>,
    head: Vec<u8>,
    /// The body of the response to the module's call.
    body: Vec<u8>,
    has_called: bool,
    /// Whether the module let the request go on after its wait.
    has_resumed: bool,
    status: Option<u32>,
    metrics: u32,
    log: Vec<String>,
}

/// The module with one configuration.
pub(crate) struct Gate {
    store: Store<State>,
    instance: Instance,
    next_context: i32,
}

impl Gate {
    /// Loads and configures the module.
    pub(crate) fn start(wasm: &[u8], configuration: &str) -> Self {
        Self::start_with(wasm, configuration, Script::default())
    }

    /// The same, with another host.
    pub(crate) fn start_with(wasm: &[u8], configuration: &str, script: Script) -> Self {
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wasm).unwrap();
        let state = State {
            script,
            configuration: configuration.as_bytes().to_vec(),
            ..State::default()
        };
        let mut store = Store::new(&engine, state);
        store.set_fuel(ENDLESS).unwrap();
        let linker = linker(&engine, &module);
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let mut this = Self {
            store,
            instance,
            next_context: ROOT + 1,
        };
        this.call("_initialize", &[]);
        this.call("proxy_on_context_create", &[ROOT, 0]);
        assert_eq!(this.call("proxy_on_vm_start", &[ROOT, 0]), Some(1));
        let size = i32::try_from(configuration.len()).unwrap();
        let is_taken = this.call("proxy_on_configure", &[ROOT, size]) == Some(1);
        assert!(is_taken, "{:?}", this.store.data().log);
        this.store.data_mut().has_started = true;
        this
    }

    /// Sends the head of a request through the module, from the start of the request to its end.
    /// The test fails if that takes more than `most` instructions.
    pub(crate) fn send(&mut self, head: &Head, most: u64) -> Outcome {
        self.store.set_fuel(most).unwrap();
        let (id, action) = self.begin(head);
        let outcome = self.end(id, most);
        // A request that waits is not decided, so its cost would look low.
        let is_forwarded = action == Some(0);
        assert_eq!(is_forwarded, outcome.status.is_none(), "{outcome:?}");
        outcome
    }

    /// Sends the head of a request and, if it goes on, that of its response.
    pub(crate) fn exchange(&mut self, head: &Head) -> Outcome {
        self.store.set_fuel(ENDLESS).unwrap();
        let (id, action) = self.begin(head);
        if action == Some(0) {
            self.call("proxy_on_response_headers", &[id, 1, 1]);
        }
        self.end(id, ENDLESS)
    }

    /// From now on each branch of an instrumented module is told.
    pub(crate) fn watch_branches(&mut self, on_branch: fn(usize, bool)) {
        self.store.data_mut().on_branch = Some(on_branch);
    }

    /// How many requests got an API key so far.
    pub(crate) fn keys(&self) -> usize {
        self.store.data().keys
    }

    /// Sends the head of a request that waits for a call, and gives the call a response with this
    /// body. All of that is counted, up to `most` instructions.
    pub(crate) fn send_and_complete(&mut self, head: &Head, body: &[u8], most: u64) -> Outcome {
        self.store.set_fuel(most).unwrap();
        self.store.data_mut().has_called = false;
        let (id, action) = self.begin(head);
        assert_eq!(action, Some(1), "it does not wait: {}", self.logged());
        self.call("proxy_on_tick", &[ROOT]);
        assert!(self.store.data().has_called, "no call: {}", self.logged());
        self.respond_to_call(body);
        self.call("proxy_on_tick", &[ROOT]);
        let state = self.store.data();
        assert!(
            state.has_resumed || state.status.is_some(),
            "it still waits"
        );
        self.end(id, most)
    }

    /// Starts a request with this head. Returns its number and what the module tells the host.
    fn begin(&mut self, head: &Head) -> (i32, Option<i32>) {
        let id = self.next_context;
        self.next_context += 1;
        let state = self.store.data_mut();
        state.head = serialized(head);
        state.status = None;
        state.has_resumed = false;
        let count = i32::try_from(head.len()).unwrap();
        self.call("proxy_on_context_create", &[id, ROOT]);
        let action = self.call("proxy_on_request_headers", &[id, count, 1]);
        (id, action)
    }

    fn end(&mut self, id: i32, most: u64) -> Outcome {
        self.call("proxy_on_delete", &[id]);
        Outcome {
            status: self.store.data().status,
            steps: most - self.store.get_fuel().unwrap(),
        }
    }

    /// Advances the clock until the module makes a call, and gives it a response with this body.
    /// Returns the number of instructions for the response.
    pub(crate) fn complete_call(&mut self, body: &[u8], most: u64) -> u64 {
        self.store.data_mut().has_called = false;
        self.store.set_fuel(ENDLESS).unwrap();
        self.call("proxy_on_tick", &[ROOT]);
        assert!(self.store.data().has_called, "no call: {}", self.logged());
        self.complete_next(body, most)
    }

    /// Gives a call that was made a response with this body. Returns the number of instructions.
    pub(crate) fn complete_next(&mut self, body: &[u8], most: u64) -> u64 {
        assert!(self.store.data().has_called, "no call: {}", self.logged());
        self.store.set_fuel(most).unwrap();
        self.respond_to_call(body);
        most - self.store.get_fuel().unwrap()
    }

    fn respond_to_call(&mut self, body: &[u8]) {
        let state = self.store.data_mut();
        state.has_called = false;
        state.body = body.to_vec();
        let (call, size) = (i32::try_from(CALL), i32::try_from(body.len()));
        let arguments = [ROOT, call.unwrap(), 1, size.unwrap(), 0];
        self.call("proxy_on_http_call_response", &arguments);
    }

    /// The line that the module logged last.
    pub(crate) fn last_line(&self) -> &str {
        let log = &self.store.data().log;
        log.last().map_or("", String::as_str)
    }

    /// How many pages of 64 KiB the memory of the module has. It never shrinks.
    pub(crate) fn pages(&self) -> u64 {
        let memory = self.instance.get_memory(&self.store, "memory").unwrap();
        memory.size(&self.store)
    }

    /// The lines that the module logged last.
    pub(crate) fn logged(&self) -> String {
        self.store.data().log.join("\n")
    }

    fn call(&mut self, name: &str, arguments: &[i32]) -> Option<i32> {
        let function = self.instance.get_func(&self.store, name).unwrap();
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let done = function.call(&mut self.store, &arguments, &mut results);
        if let Err(error) = done {
            let state = self.store.data();
            let head = String::from_utf8_lossy(&state.head);
            panic!("{name}: {error} {:?} {head:.400}", state.log);
        }
        results.first().and_then(Val::i32)
    }
}

/// Every function that the module imports. Functions that no request needs return success.
fn linker(engine: &Engine, module: &Module) -> Linker<State> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ty = import.ty().func().unwrap().clone();
        let name = import.name().to_owned();
        linker
            .func_new(
                import.module(),
                import.name(),
                ty,
                move |caller, arguments, results| {
                    let narrow = |value: &Val| value.i32().unwrap_or_default();
                    let arguments: Vec<i32> = arguments.iter().map(narrow).collect();
                    let status = respond(&name, caller, &arguments);
                    if let Some(result) = results.first_mut() {
                        *result = Val::I32(status);
                    }
                    Ok(())
                },
            )
            .unwrap();
    }
    linker
}

fn respond(name: &str, mut caller: Caller<'_, State>, arguments: &[i32]) -> i32 {
    let at = |index: usize| usize::try_from(arguments[index]).unwrap();
    match name {
        "proxy_get_header_map_pairs" => {
            let head = match arguments[0] {
                CALL_HEADERS => {
                    let headers = RESPONSE.map(|(name, value)| (name.to_owned(), value.to_vec()));
                    serialized(&headers.to_vec())
                }
                _ => caller.data().head.clone(),
            };
            hand_over(&mut caller, &head, at(1), at(2));
        }
        "proxy_get_buffer_bytes" => {
            let state = caller.data();
            let whole = match arguments[0] {
                CALL_BODY => &state.body,
                _ => &state.configuration,
            };
            let most = whole.len().min(at(2));
            let bytes = whole[..most].to_vec();
            hand_over(&mut caller, &bytes, at(3), at(4));
        }
        "proxy_http_call" => {
            caller.data_mut().has_called = true;
            write(&mut caller, at(9), &CALL.to_le_bytes());
        }
        "proxy_get_header_map_value" => {
            if read(&caller, at(1), at(2)) != b":status" {
                return NOT_FOUND;
            }
            hand_over(&mut caller, b"200", at(3), at(4));
        }
        // Of an instrumented module (scripts/branch-hints): the condition goes back as it came.
        "branch" => {
            if let Some(on_branch) = caller.data().on_branch {
                on_branch(at(1), arguments[0] != 0);
            }
            return arguments[0];
        }
        "proxy_continue_stream" => caller.data_mut().has_resumed = true,
        "proxy_send_local_response" => {
            caller.data_mut().status = u32::try_from(arguments[0]).ok();
        }
        "proxy_get_current_time_nanoseconds" => {
            let now = match caller.data().script.now {
                Some(seconds) => Duration::from_secs(seconds),
                None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap(),
            };
            let now = u64::try_from(now.as_nanos()).unwrap();
            write(&mut caller, at(0), &now.to_le_bytes());
        }
        // At the level "info" the audit record is part of the cost. Above it is "warning".
        "proxy_get_log_level" => {
            let level = if caller.data().script.is_quiet {
                3_u32
            } else {
                2
            };
            write(&mut caller, at(0), &level.to_le_bytes());
        }
        "proxy_add_header_map_value" | "proxy_replace_header_map_value"
            if read(&caller, at(1), at(2)) == b"x-n8n-api-key" =>
        {
            caller.data_mut().keys += 1;
        }
        "proxy_call_foreign_function" => {
            let Some(is_good) = answer(caller.data_mut()) else {
                return NOT_FOUND;
            };
            // `VerifySignatureResult`: field 1 says whether the signature is good.
            hand_over(&mut caller, &[8, u8::from(is_good)], at(4), at(5));
        }
        "proxy_define_metric" => {
            caller.data_mut().metrics += 1;
            let id = caller.data().metrics;
            write(&mut caller, at(3), &id.to_le_bytes());
        }
        "proxy_log" => {
            let line = read(&caller, at(1), at(2));
            let line = String::from_utf8_lossy(&line).into_owned();
            let log = &mut caller.data_mut().log;
            let old = log.len().saturating_sub(LINES);
            log.drain(..old);
            log.push(line);
        }
        "proxy_get_shared_data" | "proxy_get_property" => return NOT_FOUND,
        "environ_sizes_get" => {
            let variables = environment();
            write_number(&mut caller, at(0), variables.len());
            write_number(&mut caller, at(1), variables.concat().len());
        }
        "environ_get" => write_environment(&mut caller, at(0), at(1)),
        "random_get" => {
            let zeros = vec![0; at(1)];
            write(&mut caller, at(0), &zeros);
        }
        "proc_exit" => panic!("the module gave up: {:?}", caller.data().log),
        _ => {}
    }
    OK
}

/// Writes the addresses of the variables, and the variables.
fn write_environment(caller: &mut Caller<'_, State>, mut addresses: usize, mut texts: usize) {
    for variable in environment() {
        write_number(caller, addresses, texts);
        write(caller, texts, variable.as_bytes());
        addresses += 4;
        texts += variable.len();
    }
}

fn write_number(caller: &mut Caller<'_, State>, place: usize, number: usize) {
    let number = u32::try_from(number).unwrap();
    write(caller, place, &number.to_le_bytes());
}

/// The answer about a signature. In the self-test it is what it must be.
fn answer(state: &mut State) -> Option<bool> {
    let is_good = state.script.signatures?;
    if state.has_started {
        return Some(is_good);
    }
    state.asked += 1;
    Some((state.asked - 1).is_multiple_of(SELF_TEST))
}

/// Copies bytes into memory that the module allocates, and writes their address and size.
fn hand_over(caller: &mut Caller<'_, State>, bytes: &[u8], pointer_at: usize, size_at: usize) {
    let allocate: Func = export(caller, "proxy_on_memory_allocate")
        .and_then(Extern::into_func)
        .unwrap();
    let size = i32::try_from(bytes.len()).unwrap();
    let mut pointer = [Val::I32(0)];
    allocate
        .call(&mut *caller, &[Val::I32(size)], &mut pointer)
        .unwrap();
    let pointer = pointer[0].i32().unwrap();
    write(caller, usize::try_from(pointer).unwrap(), bytes);
    write(caller, pointer_at, &pointer.to_le_bytes());
    write(caller, size_at, &size.to_le_bytes());
}

fn export(caller: &Caller<'_, State>, name: &str) -> Option<Extern> {
    caller.get_export(name)
}

fn memory(caller: &Caller<'_, State>) -> Memory {
    export(caller, "memory")
        .and_then(Extern::into_memory)
        .unwrap()
}

fn write(caller: &mut Caller<'_, State>, at: usize, bytes: &[u8]) {
    memory(caller).write(caller, at, bytes).unwrap();
}

fn read(caller: &Caller<'_, State>, at: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    memory(caller).read(caller, at, &mut bytes).unwrap();
    bytes
}

/// Header pairs in the form of the ABI: their number, all lengths, then all texts, each with a zero
/// byte at its end.
fn serialized(head: &Head) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut bytes = u32::try_from(head.len()).unwrap().to_le_bytes().to_vec();
    for (name, value) in head {
        bytes.extend(length(name.as_bytes()));
        bytes.extend(length(value));
    }
    for (name, value) in head {
        for text in [name.as_bytes(), value] {
            bytes.extend(text);
            bytes.push(0);
        }
    }
    bytes
}
