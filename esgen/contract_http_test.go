package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The contract tests speak HTTP to the example service as it runs, and hold its answers
// against what the contract promises. Tests share one program; each has
// entities of its own.

func TestContract(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	program := buildProgram(t, filepath.Join("..", "example-service"))
	base, _ := startProgram(t, program, filepath.Join(t.TempDir(), "store.db"))
	testContract(t, contract{base: base})
	t.Run("killed at random", func(t *testing.T) { testKilledAtRandom(t, program) })
}

// TestContractInDev: what stands in front of the program while one works on it
// changes no answer.
func TestContractInDev(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	testContract(t, contract{base: startDev(t, copyExample(t))})
}

func testContract(t *testing.T, c contract) {
	for _, test := range slices.Concat(contractTests, localTests) {
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

var contractTests = []contractTest{
	{"empty service", testEmptyService}, // first: later there are records
	{"paths", testPaths},
	{"stored event", testStoredEvent},
	{"violations", testViolations},
	{"violations without end", testManyViolations},
	{"lifecycle", testLifecycle},
	{"expected version", testExpectedVersion},
	{"order of checks", testOrderOfChecks},
	{"envelope", testEnvelope},
	{"same event again", testSameEventAgain},
	{"same id, other content", testOtherContent},
	{"idempotency key", testIdempotencyKey},
	{"event id made by the service", testMadeEventID},
	{"record", testRecord},
	{"entity tags", testEntityTags},
	{"record at least at a version", testMinVersion},
	{"record as of a version", testAsOf},
	{"history", testHistory},
	{"ids", testIDs},
	{"pages", testPages},
	{"pages while writing", testPagesWhileWriting},
	{"index", testIndexPages},
	{"large pages", testLargePages},
	{"cursors of other lists", testForeignCursors},
	{"parameters", testParameters},
	{"methods", testMethods},
	{"head", testHead},
	{"health", testHealth},
	{"media types", testMediaTypes},
	{"large bodies", testLargeBodies},
	{"hostile bodies", testHostileBodies},
	{"hostile headers", testHostileHeaders},
}

// localTests are of what only a program that serves its own machine does; before a deployed service stands
// a gateway.
var localTests = []contractTest{
	{"foreign hosts and origins", testForeign},
	{"raw requests", testRawRequests},
}

type contractTest struct {
	name string
	run  func(*testing.T, contract)
}

// copyExample copies the example service to where its store may be written.
func copyExample(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "example-service")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "example-service"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".esgen", "local")); err != nil {
		t.Fatal(err)
	}
	toolkit, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "go", "mod", "edit", "-replace", "github.com/esgen/esgen="+toolkit)
	return dir
}

// startDev runs esgen dev on a free port until the test ends.
func startDev(t *testing.T, dir string) (base string) {
	t.Helper()
	cmd := exec.Command(buildTool(t), "dev", "--port", "0")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("esgen dev, interrupted: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for base == "" && lines.Scan() {
		base = regexp.MustCompile(`http://localhost:[0-9]+`).FindString(lines.Text())
	}
	if base == "" {
		t.Fatalf("esgen dev did not say where it is; its log:\n%s", log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return base
}

// contract is the service under test.
type contract struct {
	base string
	// gateway says that one stands before the service: what is too large for it, or is no HTTP, the
	// service never sees.
	gateway bool
	// rest says that the gateway is a REST API: it answers preflights for every path, and makes text of
	// what it hands on, with U+FFFD in the place of what is no UTF-8.
	rest bool
	// signed says that requests are signed by the SDK, which rewrites a query that does not parse.
	signed bool
}

// sendable reports whether a query arrives as it is written.
func (c contract) sendable(target string) bool {
	_, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if c.rest && strings.Contains(query, "%ff") {
		return false
	}
	return !c.signed || err == nil && strings.Count(query, "&") == len(values)-1
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	json   object // nil if the body is none
}

// do sends a request; headers are pairs of name and value.
func (c contract) do(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, c.base+target, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r) // no redirects
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	a := reply{status: resp.StatusCode, header: resp.Header, body: string(text)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&a.json) != nil {
		a.json = nil
	}
	return a
}

func (c contract) get(t *testing.T, target string, headers ...string) reply {
	t.Helper()
	return c.do(t, "GET", target, "", headers...)
}

func (c contract) post(t *testing.T, body string, headers ...string) reply {
	t.Helper()
	return c.do(t, "POST", "/", body, headers...)
}

// place stores an order and fails the test if that is refused.
func (c contract) place(t *testing.T, id, more string) reply {
	t.Helper()
	a := c.post(t, placed(id, more))
	a.want(t, 201, "")
	return a
}

func (c contract) ship(t *testing.T, id string) reply {
	t.Helper()
	a := c.post(t, event("OrderShipped", id, `"carrier":"DHL"`))
	a.want(t, 201, "")
	return a
}

// settled waits until a record of the default view has folded a version.
func (c contract) settled(t *testing.T, id string, version int) reply {
	t.Helper()
	var a reply
	eventually(t, func() error {
		a = c.get(t, "/default?id="+url.QueryEscape(id))
		if a.status != 200 || number(a.json["version"]).Cmp(number(version)) < 0 {
			return fmt.Errorf("%s is at %d %v, want version %d", id, a.status, a.json["version"], version)
		}
		return nil
	})
	return a
}

// event is a body of the type for an entity; more is further members.
func event(name, id, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"type":%q,"orderId":%s%s}`, name, jsonText(id), more)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// placed is the body of an OrderPlaced for customer "ann"; more is further members.
func placed(id, more string) string {
	fields := `"customerId":"ann","items":[{"sku":"CUP-1","quantity":1,"unitPrice":9.50}],"total":9.50`
	if more != "" {
		fields += "," + more
	}
	return event("OrderPlaced", id, fields)
}

// want checks the status and, of a problem, all that every problem has.
func (a reply) want(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %.600s", a.status, status, a.body)
		return
	}
	if status < 400 {
		if a.header.Get("Content-Type") != "application/json" && status != 304 {
			t.Errorf("Content-Type %q", a.header.Get("Content-Type"))
		}
		return
	}
	if a.header.Get("Content-Type") != "application/problem+json" || a.json == nil {
		t.Errorf("%d is no problem: %q %.300s", a.status, a.header.Get("Content-Type"), a.body)
		return
	}
	if text(a.json["status"]) != fmt.Sprint(status) || text(a.json["code"]) != code {
		t.Errorf("problem %s, want code %q", a.body, code)
	}
	for _, member := range []string{"type", "title", "detail", "requestId"} {
		if s, ok := a.json[member].(string); !ok || s == "" {
			t.Errorf("%s is missing: %s", member, a.body)
		}
	}
	if strings.ContainsFunc(a.body, func(r rune) bool { return r == '\uFFFD' }) {
		t.Errorf("not UTF-8: %q", a.body)
	}
}

// members checks members of the answer; nil wants it absent.
func (a reply) members(t *testing.T, want object) {
	t.Helper()
	for name, value := range want {
		got, there := a.json[name]
		if value == nil && there || value != nil && text(got) != text(value) {
			t.Errorf("%s is %v, want %v, in %.600s", name, got, value, a.body)
		}
	}
}

func (a reply) headers(t *testing.T, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := a.header.Get(name); got != value {
			t.Errorf("header %s is %q, want %q (status %d)", name, got, value, a.status)
		}
	}
}

func (a reply) items(t *testing.T) []object {
	t.Helper()
	list, ok := a.json["items"].([]any)
	if !ok {
		t.Fatalf("no page: %d %.300s", a.status, a.body)
	}
	items := make([]object, len(list))
	for i := range list {
		items[i], _ = list[i].(object)
	}
	return items
}

// codes are the violations of a problem, as "pointer code", sorted.
func (a reply) codes(t *testing.T) []string {
	t.Helper()
	var codes []string
	list, _ := a.json["errors"].([]any)
	for _, e := range list {
		v := e.(object)
		if m, _ := v["message"].(string); m == "" || len(v) != 3 {
			t.Errorf("violation %v", v)
		}
		codes = append(codes, strings.TrimSpace(text(v["pointer"])+" "+text(v["code"])))
	}
	slices.Sort(codes)
	return codes
}

var uuid7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func testEmptyService(t *testing.T, c contract) {
	for _, target := range []string{"/", "/default", "/customer-summary", "/?status=placed"} {
		a := c.get(t, target)
		a.want(t, 200, "")
		if a.body != `{"items":[]}` || a.header.Get("Link") != "" {
			t.Errorf("GET %s: %s %q", target, a.body, a.header)
		}
	}
	for _, target := range []string{"/nobody", "/default/nobody", "/customer-summary/nobody", "/events/nobody", "/events?id=nobody", "/default?id=nobody"} {
		c.get(t, target).want(t, 404, "not-found")
	}
}

func testStoredEvent(t *testing.T, c contract) {
	before := time.Now().Add(-time.Second)
	a := c.post(t, `{ "total":1e1, "orderId":"stored-1","placedAt":"2026-01-02T03:04:05.120+01:00",
		"items":[{"unitPrice":9.50,"quantity":2.0,"sku":"CUP-1"}],"note":null,"customerId":"\u0061nn","type":"OrderPlaced","eventId":"first"}`)
	a.want(t, 201, "")
	a.headers(t, map[string]string{"Location": "/events/stored-1", "ETag": `"1"`, "Idempotency-Replayed": ""})
	stored, err := time.Parse(time.RFC3339Nano, text(a.json["time"]))
	if err != nil || stored.Before(before) || stored.After(time.Now().Add(time.Second)) || !strings.HasSuffix(text(a.json["time"]), "Z") {
		t.Errorf("time %v", a.json["time"])
	}
	want := `{"type":"OrderPlaced","orderId":"stored-1","customerId":"ann","currency":"EUR",` +
		`"items":[{"sku":"CUP-1","quantity":2,"unitPrice":9.50}],"total":10,"placedAt":"2026-01-02T03:04:05.12+01:00",` +
		`"eventId":"first","version":1,"time":` + jsonText(a.json["time"]) + `}`
	if a.body != want {
		t.Errorf("canonical form\n got %s\nwant %s", a.body, want)
	}
	b := c.post(t, event("OrderShipped", "stored-1", `"carrier":"DHL","meta":{"correlationId":"c 1","causationId":"c-2"}`))
	b.want(t, 201, "")
	b.members(t, object{"version": 2, "trackingCode": nil})
	b.headers(t, map[string]string{"ETag": `"2"`})
	if jsonText(b.json["meta"]) != `{"causationId":"c-2","correlationId":"c 1"}` || b.json["shippedAt"] != b.json["time"] {
		t.Errorf("meta and now: %s", b.body)
	}
	if h := c.get(t, b.header.Get("Location")); len(h.items(t)) != 2 || h.body != `{"items":[`+a.body+","+b.body+`]}` {
		t.Errorf("history %s", h.body)
	}
}

func testViolations(t *testing.T, c contract) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"all at once", `{"type":"OrderPlaced","orderId":"","eventId":"a b","expectedVersion":-1,"items":[{"sku":"cup","quantity":0,"unitPrice":-1,"x":1}],"total":"1","currency":"CHF","note":5,"bad":{},"meta":{"other":1,"correlationId":""}}`,
			[]string{"/bad unknown-field", "/currency enum", "/customerId required", "/eventId pattern", "/expectedVersion minimum",
				"/items/0/quantity minimum", "/items/0/sku pattern", "/items/0/unitPrice minimum", "/items/0/x unknown-field",
				"/meta/correlationId minLength", "/meta/other unknown-field", "/note type", "/orderId minLength", "/total type"}},
		{"no members", `{}`, []string{"/orderId required", "/type required"}},
		{"unknown event", `{"type":"OrderLost","orderId":"v","x":1}`, []string{"/type unknown-event"}},
		{"null type", `{"type":null,"orderId":"v"}`, []string{"/type type"}},
		{"null key", placed("v", "")[:len(`{"type":"OrderPlaced","orderId":`)] + `null,"customerId":"a","items":[{"sku":"A","quantity":1,"unitPrice":1}],"total":1}`, []string{"/orderId type"}},
		{"list", `[]`, []string{"type"}},
		{"null", `null`, []string{"type"}},
		{"string", `"OrderPlaced"`, []string{"type"}},
		{"empty lists", `{"type":"OrderPlaced","orderId":"v","customerId":"a","items":[],"total":1}`, []string{"/items minItems"}},
		{"null where not optional", placed("v", `"currency":null`), []string{"/currency type"}},
		{"null default", placed("v", `"placedAt":null`), []string{"/placedAt type"}},
		{"second of 60", placed("v", `"placedAt":"2026-01-01T00:00:60Z"`), []string{"/placedAt format"}},
		{"lower case", placed("v", `"placedAt":"2026-01-01t00:00:00z"`), []string{"/placedAt format"}},
		{"duplicate", placed("v", `"total":9.50`), []string{"/total duplicate"}},
		{"duplicate type", placed("v", `"type":"OrderPlaced"`), []string{"/type duplicate"}},
		{"duplicate by escape", placed("v", `"not\u0065":"a","note":"b"`), []string{"/note duplicate"}},
		{"too precise", placed("v", `"note":"x"`)[:0] + `{"type":"OrderPlaced","orderId":"v","customerId":"a","items":[{"sku":"A","quantity":1,"unitPrice":1}],"total":0.000000000000000000000000000000000000001}`, []string{"/total range"}},
		{"int range", `{"type":"OrderPlaced","orderId":"v","customerId":"a","items":[{"sku":"A","quantity":9223372036854775808,"unitPrice":1}],"total":1}`, []string{"/items/0/quantity range"}},
		{"fraction", `{"type":"OrderPlaced","orderId":"v","customerId":"a","items":[{"sku":"A","quantity":1.5,"unitPrice":1}],"total":1}`, []string{"/items/0/quantity type"}},
		{"long key", placed(strings.Repeat("k", 257), ""), []string{"/orderId maxLength"}},
		{"long event id", placed("v", `"eventId":"`+strings.Repeat("e", 129)+`"`), []string{"/eventId maxLength"}},
		{"event id of no characters", placed("v", `"eventId":""`), []string{"/eventId minLength"}},
		{"event id beyond ASCII", placed("v", `"eventId":"é"`), []string{"/eventId pattern"}},
		{"pointer escapes", placed("v", `"a/b~c":1`), []string{"/a~1b~0c unknown-field"}},
		{"long correlation", placed("v", `"meta":{"correlationId":"`+strings.Repeat("c", 257)+`"}`), []string{"/meta/correlationId maxLength"}},
		{"control character", placed("v", `"meta":{"causationId":"a\nb"}`), []string{"/meta/causationId pattern"}},
		{"answered members", placed("v", `"version":1,"time":"2026-01-01T00:00:00Z"`), []string{"/time unknown-field", "/version unknown-field"}},
		{"actor", placed("v", `"meta":{"actor":"root"}`), []string{"/meta/actor unknown-field"}},
	} {
		a := c.post(t, test.body)
		a.want(t, 400, "invalid")
		if got := a.codes(t); !slices.Equal(got, test.want) {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
	c.get(t, "/events/v").want(t, 404, "not-found")
}

func testManyViolations(t *testing.T, c contract) {
	var b strings.Builder
	for i := range 700 {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	a := c.post(t, placed("v", b.String()[1:]))
	a.want(t, 400, "invalid")
	if n := len(a.codes(t)); n != 500 || !strings.Contains(text(a.json["detail"]), "more than 500") {
		t.Errorf("%d listed; detail %v", n, a.json["detail"])
	}
}

func testLifecycle(t *testing.T, c contract) {
	refused := c.post(t, event("OrderShipped", "life", `"carrier":"x"`))
	refused.want(t, 409, "state")
	refused.members(t, object{"currentVersion": 0, "currentState": nil})
	c.place(t, "life", "")
	for _, step := range []struct {
		name, fields string
		status       int
		version      int
		state        string
	}{
		{"OrderPlaced", `"customerId":"b","items":[{"sku":"A","quantity":1,"unitPrice":1}],"total":1`, 409, 1, "placed"},
		{"OrderDelivered", "", 409, 1, "placed"},
		{"OrderShipped", `"carrier":"x"`, 201, 2, ""},
		{"OrderCancelled", "", 409, 2, "shipped"},
		{"OrderDelivered", "", 201, 3, ""},
		{"OrderDelivered", "", 409, 3, "delivered"},
	} {
		a := c.post(t, event(step.name, "life", step.fields))
		if step.status == 409 {
			a.want(t, 409, "state")
			a.members(t, object{"currentVersion": step.version, "currentState": step.state})
			continue
		}
		a.want(t, step.status, "")
		a.members(t, object{"version": step.version})
	}
}

func testExpectedVersion(t *testing.T, c contract) {
	wrong := c.post(t, placed("ver", `"expectedVersion":1`))
	wrong.want(t, 409, "version")
	wrong.members(t, object{"currentVersion": 0})
	c.post(t, placed("ver", ""), "If-Match", `"4"`).want(t, 412, "version")
	c.post(t, placed("ver", `"expectedVersion":0.0`), "If-Match", `"0"`).want(t, 201, "")
	ship := event("OrderShipped", "ver", `"carrier":"x","expectedVersion":0`)
	wrong = c.post(t, ship)
	wrong.want(t, 409, "version")
	wrong.members(t, object{"currentVersion": 1, "currentState": "placed"})
	wrong = c.post(t, event("OrderShipped", "ver", `"carrier":"x"`), "If-Match", `"0"`)
	wrong.want(t, 412, "version")
	wrong.members(t, object{"currentVersion": 1})
	record := c.settled(t, "ver", 1)
	for _, tag := range []string{`*`, `1`, `W/"1"`, `"01"`, `"-1"`, `""`, `"1", "2"`, `"1.0"`, `"99999999999999999999"`, record.header.Get("ETag")} {
		c.post(t, event("OrderShipped", "ver", `"carrier":"x"`), "If-Match", tag).want(t, 400, "invalid")
	}
	c.post(t, event("OrderShipped", "ver", `"carrier":"x","expectedVersion":1`), "If-Match", `"1"`).want(t, 201, "")
}

// testOrderOfChecks: valid, event id known, version and state, append.
func testOrderOfChecks(t *testing.T, c contract) {
	body := placed("checks", `"eventId":"e1","expectedVersion":0`)
	c.post(t, body).want(t, 201, "")
	c.ship(t, "checks")
	again := c.post(t, body, "If-Match", `"7"`) // neither version nor state hold any more
	again.want(t, 200, "")
	again.members(t, object{"version": 1})
	c.post(t, placed("checks", `"eventId":"e1","note":"x","expectedVersion":9`)).want(t, 422, "event-id-reused")
	c.post(t, placed("checks", `"eventId":"e1","currency":"CHF"`)).want(t, 400, "invalid")
	both := c.post(t, event("OrderCancelled", "checks", `"expectedVersion":1`))
	both.want(t, 409, "version")
	both.members(t, object{"currentVersion": 2, "currentState": "shipped"})
}

func testEnvelope(t *testing.T, c contract) {
	a := c.place(t, "env", `"eventId":null,"expectedVersion":null,"meta":null`)
	a.members(t, object{"meta": nil, "version": 1})
	b := c.post(t, event("OrderShipped", "env", `"carrier":"x","meta":{"correlationId":null,"causationId":"é x"}`))
	b.want(t, 201, "")
	if jsonText(b.json["meta"]) != `{"causationId":"é x"}` {
		t.Errorf("meta %v", b.json["meta"])
	}
	if d := c.post(t, event("OrderDelivered", "env", `"meta":{}`)); d.status != 201 || d.json["meta"] != nil {
		t.Errorf("empty meta: %d %s", d.status, d.body)
	}
	for _, item := range c.get(t, "/events/env").items(t) {
		if item["actor"] != nil || item["state"] != nil || item["digest"] != nil {
			t.Errorf("inside shown: %v", item)
		}
	}
}

// rawRequest writes bytes to the service and returns all that it answers, up to the
// end of the connection or of the test's patience.
func (c contract) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, request) // the service may answer and close before all is sent
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	answer, _ := io.ReadAll(conn)
	return string(answer)
}
