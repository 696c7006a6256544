package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func testMethods(t *testing.T, c contract) {
	c.place(t, "method", "")
	c.settled(t, "method", 1)
	for target, allow := range map[string]string{
		"/": "GET, HEAD, POST", "/method": "GET, HEAD", "/nobody": "GET, HEAD", "/default": "GET, HEAD", "/default/method": "GET, HEAD",
		"/customer-summary": "GET, HEAD", "/events/method": "GET, HEAD", "/events": "GET, HEAD", "/-/health": "GET, HEAD",
	} {
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST", "FOO"} {
			if target == "/" && method == "POST" {
				continue
			}
			body := ""
			if method == "POST" {
				body = placed("method-2", "")
			}
			a := c.do(t, method, target, body)
			if c.rest && method == "OPTIONS" {
				continue // it is a preflight
			}
			a.want(t, 405, "method-not-allowed")
			a.headers(t, map[string]string{"Allow": allow})
		}
	}
	c.get(t, "/events/method-2").want(t, 404, "not-found")
}

func testPaths(t *testing.T, c contract) {
	for _, target := range []string{
		"/a/b", "/a/b/c", "/default/a/b", "/events/a/b", "//", "///", "/default/", "/events/", "/customer-summary/", "/method/", "//method",
		"/-", "/-/", "/-/x", "/-x", "/-/health/", "/-/healthz", "/%2F", "/default/%2F", "/%FF", "/default/%00", "/..", "/.", "/../method", "/events/..", "/DEFAULT/method",
	} {
		c.get(t, target).want(t, 404, "not-found")
	}
	c.do(t, "POST", "/a/b", placed("p", "")).want(t, 404, "not-found")
}

func testHead(t *testing.T, c contract) {
	c.place(t, "head", "")
	c.settled(t, "head", 1)
	for _, target := range []string{"/head", "/default?id=head", "/events/head", "/-/health", "/nobody", "/?limit=0"} {
		get, head := c.get(t, target), c.do(t, "HEAD", target, "")
		if head.status != get.status || head.body != "" {
			t.Errorf("HEAD %s: %d %q, GET %d", target, head.status, head.body, get.status)
		}
		for _, name := range []string{"Content-Type", "ETag", "Link", "Cache-Control", "Content-Length"} {
			if name == "Content-Length" && c.gateway {
				continue // the gateway counts what the function gives it
			}
			if head.header.Get(name) != get.header.Get(name) {
				t.Errorf("HEAD %s: %s is %q, GET %q", target, name, head.header.Get(name), get.header.Get(name))
			}
		}
	}
	a := c.do(t, "HEAD", "/head", "", "If-None-Match", c.get(t, "/head").header.Get("ETag"))
	a.want(t, 304, "")
	page := c.do(t, "HEAD", "/?limit=1", "")
	if page.status != 200 || page.header.Get("Link") == "" {
		t.Errorf("HEAD of a page: %d %v", page.status, page.header)
	}
}

func testHealth(t *testing.T, c contract) {
	a := c.get(t, "/-/health")
	a.want(t, 200, "")
	a.members(t, object{"status": "ok"})
}

func testMediaTypes(t *testing.T, c contract) {
	for i, contentType := range []string{"application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"", "Application/JSON", "application/vnd.acme+json"} {
		c.post(t, placed(fmt.Sprintf("media-%d", i), ""), "Content-Type", contentType).want(t, 201, "")
	}
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=iso-8859-1", "application/jsonx", "text/json", "json", "application/json, text/plain", ";"} {
		c.post(t, placed("media", ""), "Content-Type", contentType).want(t, 415, "unsupported-media-type")
	}
}

func testLargeBodies(t *testing.T, c contract) {
	body := placed("large", `"note":"x"`)
	c.post(t, body+strings.Repeat(" ", 1<<20-len(body))).want(t, 201, "")
	body = placed("large-2", "")
	c.post(t, body+strings.Repeat(" ", 1<<20-len(body)+1)).want(t, 413, "too-large")
	c.post(t, strings.Repeat("[", 5<<20)).want(t, 413, "too-large")
	// A client that sends all before it reads gets its answer, too.
	huge := strings.Repeat("[", 20<<20)
	if c.gateway {
		if a := c.post(t, huge); a.status != 413 {
			t.Errorf("20 MB: %d %.100s", a.status, a.body)
		}
	} else if a := c.raw(t, fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(huge), huge)); !strings.HasPrefix(a, "HTTP/1.1 413 ") {
		t.Errorf("20 MB: %.100q", a)
	}
	// Valid, below 1 MB, and more than an item of a table holds.
	a := c.post(t, strings.Replace(body, `"ann"`, `"`+strings.Repeat("a", 500<<10)+`"`, 1))
	a.want(t, 413, "too-large")
	c.get(t, "/events/large-2").want(t, 404, "not-found")
	c.post(t, "").want(t, 400, "invalid")
}

func testHostileBodies(t *testing.T, c contract) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for name, body := range map[string]string{
		"nothing":          " ",
		"half":             `{"type":"OrderPlaced"`,
		"two":              placed("hostile", "") + placed("hostile", ""),
		"trailing comma":   `{"type":"OrderPlaced",}`,
		"comment":          placed("hostile", "") + "// x",
		"single quotes":    `{'type':'OrderPlaced'}`,
		"NaN":              `{"type":NaN}`,
		"leading zero":     placed("hostile", `"x":01`),
		"deep list":        placed("hostile", `"x":`+nested(65)),
		"very deep":        nested(500_000),
		"deep objects":     strings.Repeat(`{"a":`, 150_000),
		"BOM":              "\ufeff" + placed("hostile", ""),
		"UTF-16":           "{\x00}\x00",
		"Latin-1":          placed("hostile", "\"note\":\"caf\xe9\""),
		"overlong":         placed("hostile", "\"note\":\"\xc0\x80\""),
		"surrogate bytes":  placed("hostile", "\"note\":\"\xed\xa0\x80\""),
		"control in text":  placed("hostile", "\"note\":\"a\nb\""),
		"bad escape":       placed("hostile", `"note":"\x41"`),
		"NUL at the end":   placed("hostile", "") + "\x00",
		"many duplicates":  `{` + strings.Repeat(`"type":"x",`, 80_000) + `"type":"x"}`,
		"many members":     manyMembers(60_000),
		"huge exponent":    strings.Replace(placed("hostile", ""), `"total":9.50`, `"total":1e999999999999`, 1),
		"long number":      strings.Replace(placed("hostile", ""), `"total":9.50`, `"total":`+strings.Repeat("9", 500_000), 1),
		"huge exponent 0":  strings.Replace(placed("hostile", ""), `"quantity":1`, `"quantity":1e-999999999999`, 1),
		"long member name": placed("hostile", `"`+strings.Repeat("n", 900_000)+`":1`),
	} {
		if c.rest && !utf8.ValidString(body) {
			continue
		}
		a := c.post(t, body)
		a.want(t, 400, "invalid")
		if len(a.codes(t)) == 0 || len(a.body) > 2<<20 {
			t.Errorf("%s: %d bytes, %.200s", name, len(a.body), a.body)
		}
	}
	c.get(t, "/events/hostile").want(t, 404, "not-found")
	c.get(t, "/-/health").want(t, 200, "")
	lone := c.post(t, placed("hostile-surrogate", `"note":"\ud800"`))
	if lone.status != 400 && lone.status != 201 || strings.Contains(lone.body, "\xed") {
		t.Errorf("lone surrogate: %d %q", lone.status, lone.body)
	}
}

func manyMembers(n int) string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"m%d":%d,`, i, i)
	}
	b.WriteString(`"type":"OrderPlaced"}`)
	return b.String()
}

func testHostileHeaders(t *testing.T, c contract) {
	c.place(t, "headers", "")
	c.settled(t, "headers", 1)
	for _, headers := range [][]string{
		{"X-HTTP-Method-Override", "DELETE"}, {"X-Forwarded-Host", "evil.example"}, {"Range", "bytes=0-1"}, {"Accept", "text/html"}, {"Expect", "nonsense"},
		{"If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"}, {"If-None-Match", strings.Repeat(`"x",`, 5000)}, {"Cookie", strings.Repeat("c", 10_000)}, {"If-Match", `"7"`},
	} {
		a := c.get(t, "/headers", headers...)
		if a.status != 200 && !(headers[0] == "Expect" && a.status == 417) {
			t.Errorf("%.60q: %d %s", headers, a.status, a.body)
		}
	}
	if c.gateway {
		return
	}
	if a := c.raw(t, "GET /-/health HTTP/1.1\r\nHost: localhost\r\nX-Big: "+strings.Repeat("x", 200<<10)+"\r\n\r\n"); !strings.HasPrefix(a, "HTTP/1.1 431 ") {
		t.Errorf("200 KB of headers: %.60q", a)
	}
	if a := c.get(t, "/?status="+strings.Repeat("x", 50_000)); a.status != 400 || len(a.body) > 2000 {
		t.Errorf("a long value: %d, %d bytes", a.status, len(a.body))
	}
	if a := c.get(t, "/"+strings.Repeat("x", 50_000)); a.status != 404 || len(a.body) > 2000 {
		t.Errorf("a long id: %d, %d bytes", a.status, len(a.body))
	}
	if a := c.get(t, "/?"+strings.Repeat("a&", 20_000)); a.status != 400 || len(a.body) > 2000 {
		t.Errorf("many parameters: %d, %d bytes", a.status, len(a.body))
	}
}

func testForeign(t *testing.T, c contract) {
	for _, host := range []string{"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "[::2]:80", "localhost@evil.example"} {
		c.get(t, "/", "Host", host).want(t, 403, "foreign")
		c.post(t, placed("foreign", ""), "Host", host).want(t, 403, "foreign")
	}
	for _, origin := range []string{"http://evil.example", "https://localhost.evil.example", "null", "file://", "http://10.0.0.1:8080", "chrome-extension://abc", "x"} {
		c.post(t, placed("foreign", ""), "Origin", origin).want(t, 403, "foreign")
		c.get(t, "/-/status", "Origin", origin).want(t, 403, "foreign")
	}
	for i, host := range []string{"localhost", "localhost:1", "127.0.0.1", "[::1]", "[::1]:8080", "LOCALHOST"} {
		c.get(t, "/-/health", "Host", host).want(t, 200, "")
		c.post(t, placed(fmt.Sprintf("own-%d", i), ""), "Origin", "http://"+host).want(t, 201, "")
	}
	c.get(t, "/events/foreign").want(t, 404, "not-found")
}

// testRawRequests sends what no HTTP library would.
func testRawRequests(t *testing.T, c contract) {
	c.place(t, "raw", "")
	c.settled(t, "raw", 1)
	for request, want := range map[string]string{
		"GET /raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                    "HTTP/1.1 200 ",
		"GET http://localhost/raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":    "HTTP/1.1 200 ",
		"GET http://evil.example/raw HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n": "HTTP/1.1 403 ",
		"GET /raw HTTP/1.1\r\nConnection: close\r\n\r\n":                                       "HTTP/1.1 400 ",
		"GET /raw HTTP/1.0\r\n\r\n":                                                                                                    "HTTP/1.0 403 ",
		"GET /raw HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n":                                                              "HTTP/1.1 400 ",
		"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n":                                                                                 "HTTP/1.1 400 ",
		"GET raw HTTP/1.1\r\nHost: localhost\r\n\r\n":                                                                                  "HTTP/1.1 400 ",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":                                                           "HTTP/1.1 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n{}":                                     "HTTP/1.1 400 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}":                                                           "HTTP/1.1 400 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + placed("raw-cut", ""):                                 "HTTP/1.1 400 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + placed("raw-cut", ""):                     "HTTP/1.1 400 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + placed("raw-cut", ""):                       "HTTP/1.1 400 ",
		"POST / HTTP/1.1\r\nHost: localhost\r\nIf-Match: \"0\"\r\nIf-Match: \"1\"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}": "HTTP/1.1 400 ",
	} {
		if answer := c.raw(t, request); !strings.HasPrefix(answer, want) {
			t.Errorf("%.80q: %.120q, want %q", request, answer, want)
		}
	}
	chunked := placed("raw-chunked", "")
	request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 10, chunked[:10], len(chunked)-10, chunked[10:])
	if answer := c.raw(t, request); !strings.HasPrefix(answer, "HTTP/1.1 201 ") {
		t.Errorf("chunked: %.200q", answer)
	}
	c.get(t, "/events/raw-cut").want(t, 404, "not-found")

	// A slow client is waited for, and others meanwhile are answered.
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	slow := placed("raw-slow", "")
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(slow))
	for i := 0; i < len(slow); i += 20 {
		_, _ = conn.Write([]byte(slow[i:min(i+20, len(slow))]))
		time.Sleep(10 * time.Millisecond)
		c.get(t, "/-/health").want(t, 200, "")
	}
	answer := make([]byte, 13)
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Read(answer); err != nil || string(answer) != "HTTP/1.1 201 " {
		t.Errorf("slow: %q %v", answer, err)
	}
}
